use std::collections::BTreeMap;

use rstest::rstest;

use super::*;
use crate::{
    provider::auth::signing_key::tests::{pem, verify},
    secrets::Secrets,
};

const NOW: i64 = 1_800_000_000;

fn secrets(key: &str, more: &[(&str, &str)]) -> Secrets {
    let given = more
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).into()));
    let own = [
        ("clientId".to_owned(), "client-1\n".into()),
        ("privateKey".to_owned(), pem(key)),
    ];
    let mut secrets = Secrets::default();
    secrets.insert(
        "oauth".to_owned(),
        own.into_iter().chain(given).collect::<BTreeMap<_, _>>(),
    );
    secrets
}

fn made(
    secrets: &Secrets,
    definition: &serde_json::Value,
    about: About,
) -> Result<SecretString, ConfigurationError> {
    let definition = serde_json::from_value(definition.clone()).unwrap();
    let url = "https://id.example.com/token".parse().unwrap();
    let assertions = Assertions::new(&Entries::new(secrets, "oauth"), &definition, about, &url)?;
    Ok(assertions
        .make(DateTime::from_timestamp(NOW, 0).unwrap())
        .unwrap())
}

/// Assertions that a client shows itself by.
pub(in crate::provider::auth) fn assertions(key: &str) -> Assertions {
    let secrets = secrets(key, &[]);
    let definition = serde_json::from_value(json!({"algorithm": "ES256"})).unwrap();
    let url = "https://id.example.com/token".parse().unwrap();
    let entries = Entries::new(&secrets, "oauth");
    Assertions::new(&entries, &definition, About::Client, &url).unwrap()
}

/// Header and claims, their signature verified.
fn opened(assertion: &SecretString, algorithm: SigningAlgorithm) -> (Value, Value) {
    let text = assertion.expose_secret();
    let (message, signature) = text.rsplit_once('.').unwrap();
    verify(
        algorithm,
        message.as_bytes(),
        &URL_SAFE_NO_PAD.decode(signature).unwrap(),
    );
    let (header, claims) = message.split_once('.').unwrap();
    let json = |part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    (json(header), json(claims))
}

#[rstest]
#[case("rsa-pkcs8", SigningAlgorithm::Rs256)]
#[case("rsa-pkcs1", SigningAlgorithm::Ps256)]
#[case("ec-sec1", SigningAlgorithm::Es256)]
fn a_client_shows_who_it_is(#[case] key: &str, #[case] algorithm: SigningAlgorithm) {
    let secrets = secrets(key, &[("keyId", "key-7")]);
    let definition = json!({"algorithm": algorithm.to_string()});
    let assertion = made(&secrets, &definition, About::Client).unwrap();
    let (header, mut claims) = opened(&assertion, algorithm);
    assert_eq!(
        header,
        json!({"alg": algorithm.to_string(), "typ": "JWT", "kid": "key-7"})
    );
    let id = claims.as_object_mut().unwrap().remove("jti").unwrap();
    assert_eq!(id.as_str().unwrap().len(), 32);
    let expected = json!({
        "iss": "client-1", "sub": "client-1", "aud": "https://id.example.com/token",
        "iat": NOW - 30, "exp": NOW + 150,
    });
    assert_eq!(claims, expected);
}

/// ServiceNow wants the client's id for the audience.
#[test]
fn a_grant_is_about_the_subject_and_for_the_audience_of_the_definition() {
    let secrets = secrets("rsa-pkcs8", &[("subject", "integration")]);
    let definition = json!({"algorithm": "RS256", "audience": "{clientId}", "lifetimeSeconds": 60});
    let assertion = made(&secrets, &definition, About::Subject).unwrap();
    let (header, claims) = opened(&assertion, SigningAlgorithm::Rs256);
    assert!(header.get("kid").is_none());
    let parts = ["iss", "sub", "aud", "exp"].map(|name| claims[name].clone());
    assert_eq!(
        parts,
        [
            json!("client-1"),
            json!("integration"),
            json!("client-1"),
            json!(NOW + 30)
        ]
    );
}

#[test]
fn no_assertion_is_like_another() {
    let secrets = secrets("ec-pkcs8", &[]);
    let definition = json!({"algorithm": "ES256"});
    let text = || {
        made(&secrets, &definition, About::Client)
            .unwrap()
            .expose_secret()
            .to_owned()
    };
    assert_ne!(text(), text());
}

#[rstest]
#[case::no_subject("rsa-pkcs8", About::Subject, "no entry \"subject\"")]
#[case::wrong_key(
    "ec-pkcs8",
    About::Client,
    "entry \"privateKey\" of Secret \"oauth\" is an EC key"
)]
fn what_is_missing_or_wrong_is_named(
    #[case] key: &str,
    #[case] about: About,
    #[case] expected: &str,
) {
    let error = made(&secrets(key, &[]), &json!({"algorithm": "RS256"}), about).unwrap_err();
    assert_eq!(error.field, "spec.authentication.secretRef");
    assert!(error.message.contains(expected), "{error}");
}
