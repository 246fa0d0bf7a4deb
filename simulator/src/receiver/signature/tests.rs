use http::{HeaderMap, HeaderName, HeaderValue};

use super::*;

/// The example of the Open Connectors documentation.
const KEY: &str = "MySecretEventSignatureKey";
const BODY: &[u8] = b"<INSERT_EVENT_NOTIFICATION_RESPONSE_BODY>";
const SIGNATURE: &str = "sha256=jHdbRx5EZAsOfTwAPJOGkNUzQMVVdu5VJlxcsk+G6jQ=";

/// The example of the Standard Webhooks libraries.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SECRET_BODY: &[u8] = br#"{"test": 2432232314}"#;
const AT: i64 = 1_614_265_330;
const V1: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let header = |(name, value): &(&'static str, &str)| {
        let value = HeaderValue::from_str(value).unwrap();
        (HeaderName::from_static(name), value)
    };
    pairs.iter().map(header).collect()
}

fn open_connectors(keys: &[&str], signatures: &[&str]) -> Signature {
    let mut headers = HeaderMap::new();
    for signature in signatures {
        let value = HeaderValue::from_str(signature).unwrap();
        headers.append("elements-webhook-signature", value);
    }
    Keys::new(keys).open_connectors(&headers, BODY)
}

fn standard_webhooks(keys: &[&str], signatures: &str, late: i64) -> Signature {
    let headers = headers(&[
        ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", signatures),
    ]);
    let now = DateTime::from_timestamp(AT + late, 0).unwrap();
    Keys::new(keys).standard_webhooks(&headers, SECRET_BODY, now)
}

#[test]
fn the_documented_examples_verify() {
    assert_eq!(open_connectors(&[KEY], &[SIGNATURE]), Signature::Valid);
    assert_eq!(standard_webhooks(&[SECRET], V1, 0), Signature::Valid);
}

#[test]
fn any_of_several_keys_verifies() {
    assert_eq!(
        open_connectors(&["another", KEY], &[SIGNATURE]),
        Signature::Valid
    );
    assert_eq!(
        standard_webhooks(&["whsec_AAAA", SECRET], V1, 0),
        Signature::Valid
    );
}

#[test]
fn another_key_or_form_of_the_signature_is_wrong() {
    let hexadecimal = "sha256=8c775b471e44640b0e7d3c003c938690d53340c55576ee55265c5cb24f86ea34";
    let unprefixed = SIGNATURE.strip_prefix("sha256=").unwrap();
    assert_eq!(
        open_connectors(&["another"], &[SIGNATURE]),
        Signature::Wrong
    );
    for signature in [hexadecimal, unprefixed, "sha256=", ""] {
        assert_eq!(
            open_connectors(&[KEY], &[signature]),
            Signature::Wrong,
            "{signature}"
        );
    }
    assert_eq!(
        open_connectors(&[KEY], &[SIGNATURE, SIGNATURE]),
        Signature::Wrong
    );
}

#[test]
fn one_good_signature_among_several_is_enough_and_other_versions_are_not_read() {
    let two = format!("v1a,AAAA v1,AAAA {V1}");
    assert_eq!(standard_webhooks(&[SECRET], &two, 0), Signature::Valid);
    let v2 = V1.replace("v1,", "v2,");
    assert_eq!(standard_webhooks(&[SECRET], &v2, 0), Signature::Wrong);
}

#[test]
fn a_timestamp_is_good_for_five_minutes_either_way() {
    for late in [-300, 300] {
        assert_eq!(standard_webhooks(&[SECRET], V1, late), Signature::Valid);
    }
    for late in [-301, 301] {
        assert_eq!(standard_webhooks(&[SECRET], V1, late), Signature::Wrong);
    }
}

#[test]
fn a_key_that_is_no_base64_verifies_nothing() {
    assert_eq!(standard_webhooks(&["whsec_!"], V1, 0), Signature::Wrong);
}

#[test]
fn without_headers_a_signature_is_missing_and_without_some_of_them_wrong() {
    let keys = Keys::new(&[SECRET]);
    let now = DateTime::UNIX_EPOCH;
    let none = HeaderMap::new();
    assert_eq!(keys.open_connectors(&none, b""), Signature::Missing);
    assert_eq!(keys.standard_webhooks(&none, b"", now), Signature::Missing);
    let some = headers(&[("webhook-signature", V1)]);
    assert_eq!(keys.standard_webhooks(&some, b"", now), Signature::Wrong);
}

#[test]
fn without_a_key_of_the_scheme_nothing_is_checked() {
    assert_eq!(open_connectors(&[], &[SIGNATURE]), Signature::NotChecked);
    assert_eq!(standard_webhooks(&[KEY], V1, 0), Signature::NotChecked);
}
