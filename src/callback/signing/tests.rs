use std::collections::BTreeMap;

use rstest::rstest;
use secrecy::SecretString;

use super::*;
use crate::{api::SecretRef, clock::Clock};

const OLD: &str = "whsec_dGhlLW9sZC1rZXktb2YtdGhpcy1zaWduYXR1cmUtdGVzdA==";
const NEW: &str = "whsec_dGhlLW5ldy1rZXktb2YtdGhpcy1zaWduYXR1cmUtdGVzdA==";

fn secrets(entries: &[(&str, &str)]) -> Secrets {
    let entries = entries
        .iter()
        .map(|(k, v)| ((*k).to_owned(), SecretString::from(*v)));
    let mut secrets = Secrets::default();
    secrets.insert("signing".to_owned(), entries.collect::<BTreeMap<_, _>>());
    secrets
}

fn signer(
    schemes: &[SignatureScheme],
    entries: &[(&str, &str)],
) -> Result<Signer, ConfigurationError> {
    let secret_ref = SecretRef {
        name: "signing".to_owned(),
    };
    let signing = Signing {
        secret_ref,
        schemes: schemes.to_vec(),
    };
    Signer::new(Some(&signing), &secrets(entries))
}

fn headers(signer: &Signer, body: &'static str) -> HeaderMap {
    let at = DateTime::from_timestamp(1_614_265_330, 0).unwrap();
    headers_at(signer, body, at)
}

fn headers_at(signer: &Signer, body: &'static str, at: DateTime<Utc>) -> HeaderMap {
    let body = Bytes::from_static(body.as_bytes());
    let payload = Payload {
        elements_id: Some("42".to_owned()),
        message_id: "msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned(),
        content_type: "application/json",
        body,
    };
    signer.sign(&payload, at).into_parts().1
}

/// The first is the example of the Open Connectors documentation.
#[rstest]
#[case(
    "<INSERT_EVENT_NOTIFICATION_RESPONSE_BODY>",
    "jHdbRx5EZAsOfTwAPJOGkNUzQMVVdu5VJlxcsk+G6jQ="
)]
#[case("{}", "VCEjNAd+69UFD8GyBJHLTM9UoZnYx6WcvlKNmAG1gbU=")]
#[case("", "C0gHWF2AgEYRn772QwLINL7VFZDYhJSOYgzFLE6vs4Q=")]
fn the_signature_of_open_connectors_has_its_known_answer(
    #[case] body: &'static str,
    #[case] expected: &str,
) {
    let signer = signer(&[], &[("key", "MySecretEventSignatureKey")]).unwrap();
    let headers = headers(&signer, body);
    assert_eq!(
        headers["elements-webhook-signature"],
        format!("sha256={expected}")
    );
    assert_eq!(headers.len(), 1);
}

/// Open Connectors sets no length, and those who move over bring their key.
#[test]
fn a_key_of_open_connectors_is_any_text() {
    assert!(signer(&[], &[("key", "k")]).is_ok());
}

#[rstest]
#[case::good("MySecretEventSignatureKey", &[])]
#[case::sixteen_bytes("demo-signing-key", &[])]
#[case::of_echo("MySecretEventSignatureKey\n", &["line break"])]
#[case::short("s3cr3t", &["shorter than 16 bytes"])]
#[case::both(" s3cr3t\n", &["blanks", "shorter"])]
fn what_is_odd_about_a_key_of_open_connectors_is_told_and_the_key_counts_as_it_is(
    #[case] key: &str,
    #[case] expected: &[&str],
) {
    let signer = signer(&[SignatureScheme::OpenConnectors], &[("key", key)]).unwrap();
    assert_eq!(signer.doubts().len(), expected.len());
    for (doubt, expected) in signer.doubts().iter().zip(expected) {
        assert!(
            doubt.contains(expected) && doubt.contains("Secret \"signing\""),
            "{doubt}"
        );
        assert!(!doubt.contains("s3cr3t"), "{doubt}");
    }
}

/// Its blanks are no part of the key.
#[test]
fn a_line_break_behind_a_key_of_standard_webhooks_is_passed_over() {
    let schemes = [SignatureScheme::StandardWebhooks];
    let text = format!("{NEW}\n");
    let signer = signer(&schemes, &[("key", &text)]).unwrap();
    assert!(signer.doubts().is_empty());
}

/// The example of the Standard Webhooks specification.
#[test]
fn the_signature_of_standard_webhooks_has_its_known_answer() {
    let key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let signer = signer(&[SignatureScheme::StandardWebhooks], &[("key", key)]).unwrap();
    let headers = headers(&signer, r#"{"test": 2432232314}"#);
    assert_eq!(headers["webhook-id"], "msg_p5jXN8AQM9LWM0D4loKWxJek");
    assert_eq!(headers["webhook-timestamp"], "1614265330");
    assert_eq!(
        headers["webhook-signature"],
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    );
}

#[test]
fn while_two_keys_are_there_both_sign() {
    let (old, new) = (OLD, NEW);
    let schemes = [SignatureScheme::StandardWebhooks];
    let signature = |entries: &[(&str, &str)]| {
        let headers = headers(&signer(&schemes, entries).unwrap(), "{}");
        headers["webhook-signature"].to_str().unwrap().to_owned()
    };
    let (alone, former) = (signature(&[("key", new)]), signature(&[("key", old)]));
    let both = signature(&[("key", new), ("previousKey", old)]);
    assert_eq!(both, format!("{alone} {former}"));
}

/// The library of the Standard Webhooks project shares no code with Pollen.
#[test]
fn the_projects_own_library_accepts_either_key_and_no_other_body() {
    let schemes = [SignatureScheme::StandardWebhooks];
    let both = signer(&schemes, &[("key", NEW), ("previousKey", OLD)]).unwrap();
    let body = "{\"n\":\"größe ☃\"}";
    // Now, for the library refuses what is old.
    let headers = headers_at(&both, body, Clock::system().now());
    for key in [OLD, NEW] {
        let library = standardwebhooks::Webhook::new(key).unwrap();
        let verify = |body: &str| library.verify(body.as_bytes(), &headers);
        assert!(verify(body).is_ok());
        assert!(verify("{\"n\":\"groesse\"}").is_err());
    }
}

#[test]
fn both_schemes_sign_side_by_side() {
    let schemes = [
        SignatureScheme::OpenConnectors,
        SignatureScheme::StandardWebhooks,
    ];
    let signer = signer(&schemes, &[("key", NEW)]).unwrap();
    assert_eq!(headers(&signer, "{}").len(), 4);
}

#[test]
fn without_signing_there_is_no_signature() {
    let signer = Signer::new(None, &Secrets::default()).unwrap();
    assert!(headers(&signer, "{}").is_empty());
}

#[rstest]
#[case::no_key(SignatureScheme::OpenConnectors, &[("other", "x")], "has no entry \"key\"")]
#[case::empty_key(SignatureScheme::OpenConnectors, &[("key", " ")], "has no entry \"key\"")]
#[case::no_prefix(
    SignatureScheme::StandardWebhooks,
    &[("key", "czNjcjN0czNjcjN0czNjcjN0czNjcjN0")],
    "\"key\" of Secret \"signing\" is no key of StandardWebhooks, which begins with whsec_"
)]
#[case::no_base64(SignatureScheme::StandardWebhooks, &[("key", "whsec_s3cr3t!")], "other than base64")]
#[case::nothing(SignatureScheme::StandardWebhooks, &[("key", "whsec_")], "is a key of 0 bytes")]
#[case::too_short(
    SignatureScheme::StandardWebhooks,
    &[("key", "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=")],
    "is a key of 23 bytes, and StandardWebhooks asks for 24 to 64: make a key with echo whsec_$(openssl"
)]
#[case::too_long(
    SignatureScheme::StandardWebhooks,
    &[("key", "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ=")],
    "is a key of 65 bytes"
)]
#[case::previous(
    SignatureScheme::StandardWebhooks,
    &[("key", NEW), ("previousKey", "s3cr3t")],
    "\"previousKey\""
)]
fn a_key_that_cannot_sign_is_refused_with_what_to_write(
    #[case] scheme: SignatureScheme,
    #[case] entries: &[(&str, &str)],
    #[case] expected: &str,
) {
    let error = signer(&[scheme], entries).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
    assert!(!error.contains("s3cr3t"), "{error}");
}

#[test]
fn a_signer_shows_no_key() {
    let signer = signer(&[], &[("key", "s3cr3t")]).unwrap();
    assert_eq!(
        format!("{signer:?}"),
        "Signer { open_connectors: true, standard_webhooks: 0 }"
    );
}
