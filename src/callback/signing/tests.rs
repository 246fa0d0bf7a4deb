use std::collections::BTreeMap;

use rstest::rstest;
use secrecy::SecretString;

use super::*;
use crate::api::SecretRef;

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
    let body = Bytes::from_static(body.as_bytes());
    let payload = Payload {
        id: "p5jXN8AQM9LWM0D4loKWxJek".to_owned(),
        content_type: "application/json",
        body,
    };
    let at = DateTime::from_timestamp(1_614_265_330, 0).unwrap();
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
    let (old, new) = ("whsec_b2xkLWtleS1vbGQta2V5", "whsec_bmV3LWtleS1uZXcta2V5");
    let schemes = [SignatureScheme::StandardWebhooks];
    let signature = |entries: &[(&str, &str)]| {
        let headers = headers(&signer(&schemes, entries).unwrap(), "{}");
        headers["webhook-signature"].to_str().unwrap().to_owned()
    };
    let (alone, former) = (signature(&[("key", new)]), signature(&[("key", old)]));
    let both = signature(&[("key", new), ("previousKey", old)]);
    assert_eq!(both, format!("{alone} {former}"));
}

#[test]
fn both_schemes_sign_side_by_side() {
    let schemes = [
        SignatureScheme::OpenConnectors,
        SignatureScheme::StandardWebhooks,
    ];
    let signer = signer(&schemes, &[("key", "whsec_bmV3LWtleS1uZXcta2V5")]).unwrap();
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
#[case::no_prefix(SignatureScheme::StandardWebhooks, &[("key", "c2VjcmV0")], "write whsec_")]
#[case::no_base64(SignatureScheme::StandardWebhooks, &[("key", "whsec_s3cr3t!")], "write whsec_")]
#[case::nothing(SignatureScheme::StandardWebhooks, &[("key", "whsec_")], "write whsec_")]
#[case::previous(
    SignatureScheme::StandardWebhooks,
    &[("key", "whsec_c2VjcmV0"), ("previousKey", "s3cr3t")],
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
