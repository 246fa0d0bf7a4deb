//! The certificates of an instance's connections, from its spec and Secrets.

use secrecy::ExposeSecret as _;

use crate::{
    api::{Callback, SecretRef, Tls},
    callback,
    category::ConfigurationError,
    network::{PemError, TlsSettings},
    secrets::Secrets,
};

/// The certificates of the callback, and their field.
pub(super) const fn of_callback(spec: &Callback) -> (&'static str, Option<&Tls>) {
    ("spec.events.callback.tls", spec.tls.as_ref())
}

/// The certificates of the connection for dead letters, and their field. What the callback is shown goes
/// to nobody else unasked.
pub(super) fn of_dead_letters(spec: &Callback) -> (&'static str, Option<&Tls>) {
    let field = "spec.events.callback.deadLetter.tls";
    match &spec.dead_letter {
        Some(asked) if asked.tls.is_some() => (field, asked.tls.as_ref()),
        Some(asked) if !callback::is_same_origin(&spec.url, &asked.url) => (field, None),
        _ => of_callback(spec),
    }
}

/// The settings that stand at `field`.
///
/// # Errors
///
/// A Secret or an entry is missing, or is no certificate or key.
pub(super) fn settings(
    field: &str,
    tls: Option<&Tls>,
    secrets: &Secrets,
) -> Result<TlsSettings, ConfigurationError> {
    let mut settings = TlsSettings::default();
    let Some(tls) = tls else { return Ok(settings) };
    if let Some(secret) = &tls.ca_ref {
        let place = Place {
            field: format!("{field}.caRef"),
            secret,
            secrets,
        };
        if let Some(authorities) = place.entry("ca.crt")? {
            settings = settings
                .with_authorities(authorities)
                .map_err(|error| place.refused("ca.crt", error))?;
        }
    }
    if let Some(secret) = &tls.secret_ref {
        let place = Place {
            field: format!("{field}.secretRef"),
            secret,
            secrets,
        };
        if let (Some(certificate), Some(_)) = (place.entry("tls.crt")?, place.entry("tls.key")?) {
            let key = secrets.entry(&place.field, &secret.name, "tls.key")?;
            settings = settings
                .with_identity(certificate, key)
                .map_err(|error| place.refused(entry_of(error), error))?;
        }
    }
    Ok(settings)
}

/// A Secret that a field names.
struct Place<'a> {
    field: String,
    secret: &'a SecretRef,
    secrets: &'a Secrets,
}

impl Place<'_> {
    /// An entry in PEM; `None` where the Secret is elsewhere, so that nobody can say.
    fn entry(&self, key: &str) -> Result<Option<&str>, ConfigurationError> {
        let name = &self.secret.name;
        let entry = self.secrets.entry(&self.field, name, key)?;
        Ok((!self.secrets.is_stand_in(name)).then(|| entry.expose_secret()))
    }

    fn refused(&self, key: &str, error: PemError) -> ConfigurationError {
        let name = &self.secret.name;
        ConfigurationError::new(
            &self.field,
            format!("the entry {key:?} of Secret {name:?} {error}"),
        )
    }
}

/// Which of the two is wrong.
const fn entry_of(error: PemError) -> &'static str {
    match error {
        PemError::NoCertificate | PemError::BadCertificate | PemError::UnusableCertificate => {
            "tls.crt"
        }
        PemError::NoKey | PemError::EncryptedKey | PemError::OtherKey => "tls.key",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rstest::rstest;
    use serde_json::json;

    use super::*;

    struct Issued {
        certificate: String,
        key: String,
    }

    fn issued() -> Issued {
        let issued = rcgen::generate_simple_self_signed(vec!["a.example".to_owned()]).unwrap();
        Issued {
            certificate: issued.cert.pem(),
            key: issued.signing_key.serialize_pem(),
        }
    }

    fn read(entries: &[(&str, &str)]) -> Result<TlsSettings, ConfigurationError> {
        let mut secrets = Secrets::default();
        let entries = entries
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).into()));
        secrets.insert("tls".to_owned(), entries.collect::<BTreeMap<_, _>>());
        let spec = json!({"caRef": {"name": "tls"}, "secretRef": {"name": "tls"}});
        let spec: Tls = serde_json::from_value(spec).unwrap();
        settings("spec.tls", Some(&spec), &secrets)
    }

    #[rstest]
    #[case::the_callbacks("https://a.example/refused", None, "spec.events.callback.tls", true)]
    #[case::elsewhere(
        "https://b.example/",
        None,
        "spec.events.callback.deadLetter.tls",
        false
    )]
    #[case::another_port(
        "https://a.example:8443/",
        None,
        "spec.events.callback.deadLetter.tls",
        false
    )]
    #[case::its_own(
        "https://a.example/",
        Some("own"),
        "spec.events.callback.deadLetter.tls",
        true
    )]
    fn dead_letters_go_with_the_callbacks_certificates_to_the_callbacks_host_alone(
        #[case] url: &str,
        #[case] own: Option<&str>,
        #[case] field: &str,
        #[case] is_certified: bool,
    ) {
        let mut spec = json!({
            "url": "https://a.example/events",
            "tls": {"secretRef": {"name": "shown"}},
            "deadLetter": {"url": url},
        });
        if let Some(own) = own {
            spec["deadLetter"]["tls"] = json!({"secretRef": {"name": own}});
        }
        let spec: Callback = serde_json::from_value(spec).unwrap();
        let (at, tls) = of_dead_letters(&spec);
        assert_eq!((at, tls.is_some()), (field, is_certified));
        let shown = tls.and_then(|tls| tls.secret_ref.as_ref());
        let expected = is_certified.then(|| own.unwrap_or("shown"));
        assert_eq!(shown.map(|secret| &*secret.name), expected);
    }

    #[test]
    fn what_cert_manager_writes_into_one_secret_is_read() {
        let Issued { certificate, key } = issued();
        let entries = [
            ("ca.crt", &*certificate),
            ("tls.crt", &*certificate),
            ("tls.key", &*key),
        ];
        let shown = format!("{:?}", read(&entries).unwrap());
        assert_eq!(
            shown,
            "TlsSettings { authorities: Some(1), identity: true, .. }"
        );
    }

    /// As `openssl x509 -req` makes one without extensions.
    #[test]
    fn a_certificate_of_an_old_version_is_told_from_one_of_another_key() {
        let pair = include_str!("../../tests/vectors/keys/x509-v1.pem");
        let Issued { certificate, .. } = issued();
        let entries = [
            ("ca.crt", &*certificate),
            ("tls.crt", pair),
            ("tls.key", pair),
        ];
        let error = read(&entries).unwrap_err().to_string();
        assert!(
            error
                .contains("\"tls.crt\" of Secret \"tls\" holds a certificate that cannot be shown"),
            "{error}"
        );
        let entries = [
            ("ca.crt", &*certificate),
            ("tls.crt", &*certificate),
            ("tls.key", pair),
        ];
        let error = read(&entries).unwrap_err().to_string();
        assert!(
            error.contains("does not belong to the certificate"),
            "{error}"
        );
    }

    #[rstest]
    #[case::no_authority("ca.crt", None, "has no entry \"ca.crt\"")]
    #[case::nonsense(
        "ca.crt",
        Some("s3cr3t"),
        "\"ca.crt\" of Secret \"tls\" holds no certificate"
    )]
    #[case::cut_off(
        "ca.crt",
        Some("-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----"),
        "holds a certificate that cannot be read"
    )]
    #[case::no_certificate(
        "tls.crt",
        Some("s3cr3t"),
        "\"tls.crt\" of Secret \"tls\" holds no certificate"
    )]
    #[case::no_key(
        "tls.key",
        Some("s3cr3t"),
        "\"tls.key\" of Secret \"tls\" holds no private key"
    )]
    #[case::passphrase(
        "tls.key",
        Some("-----BEGIN ENCRYPTED PRIVATE KEY-----\nTUlJ\n-----END ENCRYPTED PRIVATE KEY-----"),
        "under a passphrase: write it without one"
    )]
    fn what_is_no_certificate_or_key_is_named(
        #[case] key: &str,
        #[case] value: Option<&str>,
        #[case] expected: &str,
    ) {
        let good = issued();
        let mut entries = BTreeMap::from([
            ("ca.crt", &*good.certificate),
            ("tls.crt", &*good.certificate),
            ("tls.key", &*good.key),
        ]);
        match value {
            Some(value) => drop(entries.insert(key, value)),
            None => drop(entries.remove(key)),
        }
        let error = read(&entries.into_iter().collect::<Vec<_>>())
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains("s3cr3t"), "{error}");
    }

    #[test]
    fn a_key_of_another_certificate_is_named() {
        let (one, other) = (issued(), issued());
        let entries = [
            ("ca.crt", &*one.certificate),
            ("tls.crt", &*one.certificate),
            ("tls.key", &*other.key),
        ];
        let error = read(&entries).unwrap_err().to_string();
        assert!(
            error.contains("does not belong to the certificate"),
            "{error}"
        );
        assert!(error.starts_with("spec.tls.secretRef: "), "{error}");
    }
}
