//! Whom a client believes, and by which certificate it shows itself.

use std::{error::Error as _, fmt};

use reqwest::{Certificate, ClientBuilder, Identity};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

/// Where a connection is other than by default: the authorities that it believes, and the certificate
/// that it shows.
#[derive(Clone, Default)]
pub struct TlsSettings {
    authorities: Option<Vec<Certificate>>,
    identity: Option<Identity>,
    digest: Option<[u8; 32]>,
}

/// What is wrong with an entry in PEM, as the end of a sentence about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PemError {
    #[error("holds no certificate: write PEM that begins with -----BEGIN CERTIFICATE-----")]
    NoCertificate,
    #[error("holds a certificate that cannot be read: write it anew, whole and unchanged")]
    BadCertificate,
    #[error("holds no private key: write PEM that begins with -----BEGIN PRIVATE KEY-----")]
    NoKey,
    #[error("holds a private key under a passphrase: write it without one")]
    EncryptedKey,
    #[error(
        "holds a private key that does not belong to the certificate: write the two that were issued together"
    )]
    OtherKey,
    #[error(
        "holds a certificate that cannot be shown: have one of X.509 version 3 issued, as cert-manager does"
    )]
    UnusableCertificate,
}

impl PemError {
    /// Why a certificate and a key, which are PEM, are no identity.
    fn of_pair(error: &reqwest::Error) -> Self {
        let tls = error.source().and_then(|cause| cause.downcast_ref());
        match tls {
            Some(rustls::Error::InvalidCertificate(_)) => Self::UnusableCertificate,
            _ => Self::OtherKey,
        }
    }
}

impl TlsSettings {
    /// The same, which believes these authorities alone, in place of the system's.
    ///
    /// # Errors
    ///
    /// It is no PEM of certificates.
    pub fn with_authorities(self, pem: &str) -> Result<Self, PemError> {
        let certificates = certificates(pem)?;
        // What cannot be one is found here, and not by the first request.
        let probe = reqwest::Client::builder().tls_certs_only(certificates.clone());
        probe.build().map_err(|_| PemError::BadCertificate)?;
        Ok(Self {
            authorities: Some(certificates),
            digest: Some(self.digest_with("authorities", pem)),
            ..self
        })
    }

    /// The same, which shows this certificate (with those between it and its authority) to who asks.
    ///
    /// # Errors
    ///
    /// Either is no PEM, or the key is another certificate's.
    pub fn with_identity(self, certificate: &str, key: &SecretString) -> Result<Self, PemError> {
        let secret = key.expose_secret();
        certificates(certificate)?;
        if secret.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----")
            || secret.contains("Proc-Type: 4,ENCRYPTED")
        {
            return Err(PemError::EncryptedKey);
        }
        if !secret.contains("PRIVATE KEY-----") {
            return Err(PemError::NoKey);
        }
        let pair = format!("{certificate}\n{secret}");
        let identity = Identity::from_pem(pair.as_bytes()).map_err(|_| PemError::NoKey)?;
        let probe = reqwest::Client::builder()
            .tls_certs_only([])
            .identity(identity.clone());
        probe.build().map_err(|error| PemError::of_pair(&error))?;
        Ok(Self {
            identity: Some(identity),
            digest: Some(self.digest_with("identity", &pair)),
            ..self
        })
    }

    /// What tells these settings from others: `None` for the default.
    pub(super) const fn digest(&self) -> Option<[u8; 32]> {
        self.digest
    }

    /// Builds a client with these settings.
    pub(super) fn apply(&self, mut builder: ClientBuilder) -> ClientBuilder {
        if let Some(authorities) = &self.authorities {
            builder = builder.tls_certs_only(authorities.iter().cloned());
        }
        if let Some(identity) = &self.identity {
            builder = builder.identity(identity.clone());
        }
        builder
    }

    fn digest_with(&self, what: &str, pem: &str) -> [u8; 32] {
        let digest = Sha256::new().chain_update(self.digest.unwrap_or_default());
        digest
            .chain_update(what)
            .chain_update(pem)
            .finalize()
            .into()
    }
}

fn certificates(pem: &str) -> Result<Vec<Certificate>, PemError> {
    let certificates =
        Certificate::from_pem_bundle(pem.as_bytes()).map_err(|_| PemError::BadCertificate)?;
    if certificates.is_empty() {
        return Err(PemError::NoCertificate);
    }
    Ok(certificates)
}

impl fmt::Debug for TlsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsSettings")
            .field("authorities", &self.authorities.as_ref().map(Vec::len))
            .field("identity", &self.identity.is_some())
            .finish_non_exhaustive()
    }
}
