//! Private keys of clients: PEM in, signatures out (RFC 7515, RFC 7518 §3).

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    error::{KeyRejected, Unspecified},
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
        RsaEncoding, RsaKeyPair,
    },
};
use rustls_pki_types::{PrivateKeyDer, pem::PemObject as _};
use secrecy::{ExposeSecret as _, SecretString};

use crate::catalog::SigningAlgorithm;

/// A private key for one algorithm. `Debug` shows the algorithm alone.
#[derive(Clone)]
pub(super) struct SigningKey {
    algorithm: SigningAlgorithm,
    pair: Arc<Pair>,
}

enum Pair {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
}

/// Why a text is no key that can be used; reads on behind the name of the Secret's entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum KeyError {
    #[error(
        "is no private key in PEM: copy the whole file, from -----BEGIN PRIVATE KEY----- to -----END \
         PRIVATE KEY-----, with its line breaks"
    )]
    NoPem,
    #[error(
        "is encrypted with a password: write what `openssl pkcs8 -topk8 -nocrypt -in FILE` prints into \
         the Secret"
    )]
    Encrypted,
    #[error(
        "is a certificate or a public key: that half of the pair is registered at the provider; write \
         the private key into the Secret"
    )]
    Public,
    #[error("is {found}, and the connector signs with {algorithm}, which needs {needed}")]
    OfAnotherType {
        found: &'static str,
        algorithm: SigningAlgorithm,
        needed: &'static str,
    },
    #[error(
        "is damaged, or not {needed}: make a new pair and register its public key at the provider"
    )]
    Rejected { needed: &'static str },
}

impl SigningKey {
    /// Reads a key in PKCS#8, PKCS#1 or SEC1.
    ///
    /// # Errors
    ///
    /// It is no private key, or none for this algorithm.
    pub(super) fn read(pem: &SecretString, algorithm: SigningAlgorithm) -> Result<Self, KeyError> {
        let pem = pem.expose_secret();
        // The old form of encryption has the heading of a plain key.
        if pem.contains("Proc-Type: 4,ENCRYPTED") {
            return Err(KeyError::Encrypted);
        }
        let der = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| no_key(pem))?;
        let (own, found) = match algorithm {
            SigningAlgorithm::Es256 => {
                (p256(&der).map(Pair::P256), rsa(&der).is_ok().then_some(RSA))
            }
            SigningAlgorithm::Rs256 | SigningAlgorithm::Ps256 => {
                (rsa(&der).map(Pair::Rsa), p256(&der).is_ok().then_some(EC))
            }
        };
        let needed = needed(algorithm);
        let pair = own.map_err(|_| match found {
            Some(found) => KeyError::OfAnotherType {
                found,
                algorithm,
                needed,
            },
            None => KeyError::Rejected { needed },
        });
        Ok(Self {
            algorithm,
            pair: Arc::new(pair?),
        })
    }

    /// The algorithm's name in a JWS header.
    pub(super) const fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// The signature of `message` as a JWS carries it.
    ///
    /// # Errors
    ///
    /// The machine has no randomness left.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let random = SystemRandom::new();
        match &*self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(self.padding(), &random, message, &mut signature)?;
                Ok(signature)
            }
            Pair::P256(pair) => Ok(pair.sign(&random, message)?.as_ref().to_vec()),
        }
    }

    fn padding(&self) -> &'static dyn RsaEncoding {
        match self.algorithm {
            SigningAlgorithm::Ps256 => &RSA_PSS_SHA256,
            SigningAlgorithm::Rs256 | SigningAlgorithm::Es256 => &RSA_PKCS1_SHA256,
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

const RSA: &str = "an RSA key";
const EC: &str = "an EC key";

const fn needed(algorithm: SigningAlgorithm) -> &'static str {
    match algorithm {
        SigningAlgorithm::Es256 => "an EC key on the curve P-256",
        SigningAlgorithm::Rs256 | SigningAlgorithm::Ps256 => "an RSA key of 2048 bits or more",
    }
}

fn no_key(pem: &str) -> KeyError {
    if pem.contains("BEGIN ENCRYPTED PRIVATE KEY") {
        KeyError::Encrypted
    } else if ["BEGIN CERTIFICATE", "PUBLIC KEY"]
        .iter()
        .any(|public| pem.contains(public))
    {
        KeyError::Public
    } else {
        KeyError::NoPem
    }
}

fn rsa(der: &PrivateKeyDer<'_>) -> Result<RsaKeyPair, KeyRejected> {
    match der {
        PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
        other => RsaKeyPair::from_pkcs8(other.secret_der()),
    }
}

fn p256(der: &PrivateKeyDer<'_>) -> Result<EcdsaKeyPair, KeyRejected> {
    match der {
        PrivateKeyDer::Sec1(key) => EcdsaKeyPair::from_private_key_der(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            key.secret_sec1_der(),
        ),
        other => EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, other.secret_der()),
    }
}

#[cfg(test)]
pub(super) mod tests;
