//! TLS in front of something that speaks plain HTTP.

use std::{path::PathBuf, sync::Arc};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
        server::WebPkiClientVerifier,
    },
};

/// An authority that signs certificates, and the file by which a client may trust it.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, folder }
    }

    /// A file for `SSL_CERT_FILE`.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// The authority's certificate, for `ca.crt`.
    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A certificate for `name` and its key; `change` makes it another.
    pub(crate) fn issue(
        &self,
        name: &str,
        change: impl FnOnce(&mut CertificateParams),
    ) -> (Certificate, KeyPair) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate, key)
    }

    /// The entries of a Secret by which Pollen shows itself: `tls.crt` and `tls.key`.
    pub(crate) fn identity(&self, change: impl FnOnce(&mut CertificateParams)) -> Value {
        let (certificate, key) = self.issue("pollen.example", change);
        json!({"tls.crt": certificate.pem(), "tls.key": key.serialize_pem()})
    }

    /// Listens with a certificate for `name`, and passes on to `port` what it hears; `change`
    /// makes the certificate another.
    pub(crate) async fn serve(
        &self,
        name: &str,
        port: u16,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Tls {
        self.serve_who_show(None, name, port, change).await
    }

    /// The same, for those alone who show a certificate of the authority `clients`.
    pub(crate) async fn serve_who_show(
        &self,
        clients: Option<&Self>,
        name: &str,
        port: u16,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Tls {
        let (certificate, key) = self.issue(name, change);
        let clients = clients.map(|clients| clients.issuer.der().clone());
        let acceptor = acceptor(certificate.der().clone(), &key, clients);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(pass_on(acceptor.clone(), stream, port));
            }
        });
        Tls {
            port: address.port(),
            serving,
        }
    }
}

fn acceptor(
    certificate: CertificateDer<'static>,
    key: &KeyPair,
    clients: Option<CertificateDer<'static>>,
) -> TlsAcceptor {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let config = match clients {
        None => config.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            config.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let config = config.with_single_cert(vec![certificate], key).unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// A client that refuses the certificate ends this early.
async fn pass_on(acceptor: TlsAcceptor, stream: TcpStream, port: u16) -> std::io::Result<()> {
    let mut secured = acceptor.accept(stream).await?;
    let mut plain = TcpStream::connect(("127.0.0.1", port)).await?;
    copy_bidirectional(&mut secured, &mut plain).await.map(drop)
}

/// Something that listens until it is dropped.
pub(crate) struct Tls {
    port: u16,
    serving: JoinHandle<()>,
}

impl Tls {
    pub(crate) fn url(&self, host: &str) -> String {
        format!("https://{host}:{}", self.port)
    }
}

impl Drop for Tls {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
