use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    UnparsedPublicKey, VerificationAlgorithm,
};
use rstest::rstest;
use rustls_pki_types::SubjectPublicKeyInfoDer;

use super::*;

/// Fails unless `signature` is that of `message` by the vectors' pair, as ring sees it, which is another
/// library than the one that signs.
pub(in crate::provider::auth) fn verify(
    algorithm: SigningAlgorithm,
    message: &[u8],
    signature: &[u8],
) {
    let rsa: &[u8] = include_bytes!("../../../../tests/vectors/keys/rsa-public.pem");
    let ec: &[u8] = include_bytes!("../../../../tests/vectors/keys/ec-public.pem");
    // ring wants the key without the identifier of its algorithm, whose length is known.
    let (scheme, pem, prefix): (&dyn VerificationAlgorithm, _, _) = match algorithm {
        SigningAlgorithm::Rs256 => (&RSA_PKCS1_2048_8192_SHA256, rsa, 24),
        SigningAlgorithm::Ps256 => (&RSA_PSS_2048_8192_SHA256, rsa, 24),
        SigningAlgorithm::Es256 => (&ECDSA_P256_SHA256_FIXED, ec, 26),
    };
    let key = SubjectPublicKeyInfoDer::from_pem_slice(pem).unwrap();
    let public = UnparsedPublicKey::new(scheme, &key.as_ref()[prefix..]);
    public
        .verify(message, signature)
        .expect("the signature is the key's");
}

/// A file of the vectors.
pub(in crate::provider::auth) fn pem(file: &str) -> SecretString {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/keys");
    std::fs::read_to_string(format!("{folder}/{file}.pem"))
        .unwrap()
        .into()
}

#[rstest]
#[case("rsa-pkcs8", SigningAlgorithm::Rs256)]
#[case("rsa-pkcs1", SigningAlgorithm::Rs256)]
#[case("rsa-pkcs8", SigningAlgorithm::Ps256)]
#[case("rsa-pkcs1", SigningAlgorithm::Ps256)]
#[case("ec-pkcs8", SigningAlgorithm::Es256)]
#[case("ec-sec1", SigningAlgorithm::Es256)]
fn a_key_in_each_form_signs_so_that_another_library_accepts_it(
    #[case] file: &str,
    #[case] algorithm: SigningAlgorithm,
) {
    let key = SigningKey::read(&pem(file), algorithm).unwrap();
    verify(algorithm, b"a message", &key.sign(b"a message").unwrap());
}

/// What `openssl dgst -sha256 -sign rsa-pkcs8.pem` makes of the same message: this scheme has no salt.
#[test]
fn a_signature_is_the_one_that_openssl_makes() {
    let expected = concat!(
        "UcjumNiZPzpYwDs1fNmEuZBsaxUIvgbV+vl/ekHh30lnDQesRHVIb8J5AJzFYkyrni+csITJsOaCslrcNuDnU2Oz1O7k",
        "8eWDzxQkhc4TdCYjv5gHkuBo8l5wL6cWISlBhLaDR/HKGxGse/JBc0VUFD+ubwT6pWyL5uetxchnGYMm/MboE0ThznEf",
        "hq9P3ONYk2NJflhDrIOQ33oT7jMZDVRdeoJyDFj0m1QwNu6BmoHkmL4PSXIuO+Gd7e9ecibtv0EWh/Iu+9K4XXHmLrIk",
        "02Iwr9LHjV/Y/24cJwo5x2dPZ/62CbWZhFp6qurjtq7oFz5ZRLZ9q/9A1xe0+RtJSw==",
    );
    let key = SigningKey::read(&pem("rsa-pkcs1"), SigningAlgorithm::Rs256).unwrap();
    let signature = key.sign(b"a message").unwrap();
    assert_eq!(STANDARD.encode(signature), expected);
}

#[rstest]
#[case(
    "rsa-encrypted",
    SigningAlgorithm::Rs256,
    "is encrypted with a password"
)]
#[case(
    "rsa-pkcs1-encrypted",
    SigningAlgorithm::Rs256,
    "is encrypted with a password"
)]
#[case(
    "rsa-public",
    SigningAlgorithm::Rs256,
    "is a certificate or a public key"
)]
#[case(
    "rsa-1024",
    SigningAlgorithm::Ps256,
    "is damaged, or not an RSA key of 2048 bits or more"
)]
#[case(
    "ec-p384",
    SigningAlgorithm::Es256,
    "is damaged, or not an EC key on the curve P-256"
)]
#[case(
    "ec-sec1",
    SigningAlgorithm::Rs256,
    "is an EC key, and the connector signs with RS256, which needs an RSA key"
)]
#[case(
    "rsa-pkcs8",
    SigningAlgorithm::Es256,
    "is an RSA key, and the connector signs with ES256, which needs an EC key"
)]
fn a_key_that_cannot_be_used_says_why(
    #[case] file: &str,
    #[case] algorithm: SigningAlgorithm,
    #[case] expected: &str,
) {
    let error = SigningKey::read(&pem(file), algorithm)
        .unwrap_err()
        .to_string();
    assert!(error.starts_with(expected), "{error}");
}

#[rstest]
#[case::nothing("")]
#[case::a_word("hunter2")]
#[case::one_line("-----BEGIN PRIVATE KEY----- MIIEvQIBADANBg -----END PRIVATE KEY-----")]
#[case::cut_off("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n")]
fn a_text_that_is_no_key_is_not_shown(#[case] text: &str) {
    let error = SigningKey::read(&text.into(), SigningAlgorithm::Rs256).unwrap_err();
    assert_eq!(error, KeyError::NoPem);
}

#[test]
fn a_key_shows_its_algorithm_alone() {
    let key = SigningKey::read(&pem("ec-sec1"), SigningAlgorithm::Es256).unwrap();
    assert_eq!(format!("{key:?}"), "SigningKey { algorithm: Es256, .. }");
}
