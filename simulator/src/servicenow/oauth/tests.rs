use std::time::Duration;

use super::*;

/// A request for tokens by the client, with further parameters.
fn ask(instance: &Instance, parameters: &[(&str, &str)]) -> Result<Issued, Refusal> {
    let client = [
        ("client_id", "demo-client"),
        ("client_secret", "demo-secret"),
    ];
    let form = parameters.iter().chain(&client);
    let form = form.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let state = &mut *instance.state();
    let now = state.clock.now();
    state
        .tokens
        .grant(&Form(form.collect()), &state.settings, now)
}

/// A code that was asked for with these parameters.
fn issue_code(instance: &Instance, asked: &[(&str, &str)]) -> String {
    let asked = asked
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    instance.state().tokens.issue_code(&Form(asked.collect()))
}

fn redeem(instance: &Instance, code: &str) -> Result<Issued, Refusal> {
    ask(
        instance,
        &[("grant_type", "authorization_code"), ("code", code)],
    )
}

fn refresh(instance: &Instance, token: &str) -> Result<Issued, Refusal> {
    ask(
        instance,
        &[("grant_type", "refresh_token"), ("refresh_token", token)],
    )
}

fn log_in(instance: &Instance) -> Issued {
    ask(
        instance,
        &[
            ("grant_type", "password"),
            ("username", "integration"),
            ("password", "demo-password"),
        ],
    )
    .unwrap()
}

fn is_valid(instance: &Instance, issued: &Issued) -> bool {
    let state = instance.state();
    state
        .tokens
        .is_valid(&issued.access_token, state.clock.now())
}

fn frozen() -> Instance {
    let instance = Instance::new();
    instance.freeze_at("2026-01-01T00:00:00Z".parse().unwrap());
    instance
}

#[test]
fn a_code_works_once_and_another_code_is_another() {
    let instance = frozen();
    let issued = redeem(&instance, "demo-code").unwrap();
    assert!(is_valid(&instance, &issued) && issued.refresh_token.is_some());
    assert_eq!(redeem(&instance, "demo-code"), Err(Refusal::Denied));
    instance.configure(|settings| settings.code = "second".to_owned());
    assert!(redeem(&instance, "second").is_ok());
    assert_eq!(redeem(&instance, "guessed"), Err(Refusal::Denied));
}

#[test]
fn a_code_is_bound_to_its_redirect_uri() {
    let instance = frozen();
    instance.configure(|settings| settings.redirect_uri = Some("https://a/cb".to_owned()));
    let with = |code: &str, uri: &str| {
        let grant = ("grant_type", "authorization_code");
        ask(&instance, &[grant, ("code", code), ("redirect_uri", uri)])
    };
    assert_eq!(redeem(&instance, "demo-code"), Err(Refusal::Denied));
    assert_eq!(with("demo-code", "https://b/cb"), Err(Refusal::Denied));
    assert!(with("demo-code", "https://a/cb").is_ok());
    let code = issue_code(&instance, &[("redirect_uri", "https://c/cb")]);
    assert_eq!(with(&code, "https://a/cb"), Err(Refusal::Denied));
    assert!(with(&code, "https://c/cb").is_ok());
}

/// The pair of RFC 7636, appendix B.
#[test]
fn a_code_that_was_asked_for_with_a_challenge_needs_its_verifier() {
    let instance = frozen();
    let challenge = (
        "code_challenge",
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    );
    let code = issue_code(&instance, &[challenge]);
    let with = |verifier: &str| {
        let grant = ("grant_type", "authorization_code");
        ask(
            &instance,
            &[grant, ("code", &code), ("code_verifier", verifier)],
        )
    };
    assert_eq!(with(""), Err(Refusal::Denied));
    assert_eq!(with("guessed"), Err(Refusal::Denied));
    assert!(with("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").is_ok());
}

#[test]
fn an_access_token_ends_with_its_lifetime() {
    let instance = frozen();
    instance.configure(|settings| settings.access_token_lifetime = Duration::from_secs(60));
    let issued = redeem(&instance, "demo-code").unwrap();
    assert_eq!(issued.expires_in, 59);
    instance.shift(TimeDelta::seconds(59));
    assert!(is_valid(&instance, &issued));
    instance.shift(TimeDelta::seconds(1));
    assert!(!is_valid(&instance, &issued));
}

#[test]
fn a_refresh_token_stays_and_its_end_does_not_move() {
    let instance = frozen();
    let token = instance.issue_refresh_token();
    instance.shift(TimeDelta::days(99));
    let issued = refresh(&instance, &token).unwrap();
    assert_eq!(issued.refresh_token.as_deref(), Some(token.as_str()));
    assert!(is_valid(&instance, &issued));
    instance.shift(TimeDelta::days(1));
    assert_eq!(refresh(&instance, &token), Err(Refusal::Denied));
}

#[test]
fn a_rotated_refresh_token_is_used_up() {
    let instance = frozen();
    instance.configure(|settings| settings.rotate_refresh_tokens = true);
    let first = instance.issue_refresh_token();
    let second = refresh(&instance, &first).unwrap().refresh_token.unwrap();
    assert_ne!(first, second);
    assert_eq!(refresh(&instance, &first), Err(Refusal::Denied));
    assert!(refresh(&instance, &second).is_ok());
}

#[test]
fn a_rotated_refresh_token_serves_until_its_grace_ends_however_often_it_is_used() {
    let instance = frozen();
    instance.configure(|settings| {
        settings.rotate_refresh_tokens = true;
        settings.rotation_grace = Duration::from_secs(60);
    });
    let first = instance.issue_refresh_token();
    for _ in 0..3 {
        assert!(refresh(&instance, &first).is_ok());
        instance.shift(TimeDelta::seconds(29));
    }
    assert_eq!(instance.served_in_grace(), 2);
    assert_eq!(refresh(&instance, &first), Err(Refusal::Denied));
}

#[test]
fn a_repeated_login_gets_the_same_tokens_with_later_ends() {
    let instance = frozen();
    let first = log_in(&instance);
    instance.shift(TimeDelta::minutes(20));
    let second = log_in(&instance);
    assert_eq!(first, second);
    instance.shift(TimeDelta::minutes(20));
    assert!(is_valid(&instance, &second));
    instance.shift(TimeDelta::minutes(20));
    let third = log_in(&instance);
    assert_ne!(third.access_token, second.access_token);
    assert_eq!(third.refresh_token, second.refresh_token);
}

#[test]
fn a_client_by_itself_gets_no_refresh_token() {
    let issued = ask(&frozen(), &[("grant_type", "client_credentials")]).unwrap();
    assert_eq!(issued.refresh_token, None);
}

#[test]
fn revoked_tokens_are_of_no_use() {
    let instance = frozen();
    let issued = log_in(&instance);
    instance.revoke_access_tokens();
    assert!(!is_valid(&instance, &issued));
    let again = log_in(&instance);
    assert!(is_valid(&instance, &again));
    instance.revoke_refresh_tokens();
    let refused = refresh(&instance, &issued.refresh_token.unwrap());
    assert_eq!(refused, Err(Refusal::Denied));
}

#[test]
fn each_refusal_says_whose_fault_it_is() {
    let instance = frozen();
    let wrong = |parameters: &[(&str, &str)]| ask(&instance, parameters).unwrap_err();
    assert_eq!(
        wrong(&[
            ("client_secret", "guessed"),
            ("grant_type", "client_credentials")
        ]),
        Refusal::Client
    );
    assert_eq!(wrong(&[("grant_type", "implicit")]), Refusal::Grant);
    assert_eq!(
        wrong(&[
            ("grant_type", "password"),
            ("username", "integration"),
            ("password", "guessed")
        ]),
        Refusal::Denied
    );
    assert_eq!(refresh(&instance, "").unwrap_err(), Refusal::Denied);
    assert_eq!(redeem(&instance, "").unwrap_err(), Refusal::Denied);
}
