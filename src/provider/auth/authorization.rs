//! Asking a person to authorize a client (RFC 6749 §4.1, RFC 7636), and reading what comes back.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use super::RedirectUri;
use crate::network;

/// What an authorization request says.
pub struct AuthorizationTerms<'a> {
    /// Where the provider asks its users.
    pub authorize_url: Url,
    pub client_id: &'a SecretString,
    /// Where the answer is to go, as it is registered with the provider.
    pub redirect_uri: RedirectUri,
    pub scopes: &'a [String],
    /// What the connector's definition says besides.
    pub parameters: Vec<(&'a str, &'a str)>,
    /// Whether the code is bound to who asks for it.
    pub pkce: bool,
}

/// One attempt to have a client authorized. `Debug` shows neither its state nor its verifier.
pub struct AuthorizationRequest {
    url: Url,
    redirect_uri: RedirectUri,
    state: SecretString,
    verifier: Option<SecretString>,
}

/// An answer that brings no code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    #[error(
        "this is not where the provider leads to: that address begins with {0} and has a code and a state \
         in it; copy it whole from the browser's address bar"
    )]
    Elsewhere(String),
    #[error(
        "its state is not the one of this attempt: it is an older answer, or one that somebody else wants \
         you to use; open the address above again"
    )]
    OtherState,
    #[error("the provider did not authorize: {0}")]
    Denied(String),
}

impl AuthorizationRequest {
    /// A request with a new state, and a new verifier where there is to be one.
    #[must_use]
    pub fn new(terms: &AuthorizationTerms<'_>) -> Self {
        let state = random();
        let verifier = terms.pkce.then(random);
        let mut url = terms.authorize_url.clone();
        {
            let mut query = url.query_pairs_mut();
            query
                .append_pair("response_type", "code")
                .append_pair("client_id", terms.client_id.expose_secret())
                .append_pair("redirect_uri", terms.redirect_uri.as_str())
                .append_pair("state", state.expose_secret());
            if !terms.scopes.is_empty() {
                query.append_pair("scope", &terms.scopes.join(" "));
            }
            query.extend_pairs(&terms.parameters);
            if let Some(verifier) = &verifier {
                query
                    .append_pair("code_challenge", &challenge(verifier))
                    .append_pair("code_challenge_method", "S256");
            }
        }
        Self {
            url,
            redirect_uri: terms.redirect_uri.clone(),
            state,
            verifier,
        }
    }

    /// The address that a person opens.
    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.url
    }

    /// Where the answer goes.
    #[must_use]
    pub const fn redirect_uri(&self) -> &RedirectUri {
        &self.redirect_uri
    }

    /// What the code is exchanged with, where it was bound.
    #[must_use]
    pub const fn verifier(&self) -> Option<&SecretString> {
        self.verifier.as_ref()
    }

    /// The code in the address that the provider led the browser to.
    ///
    /// # Errors
    ///
    /// It is another address, of another attempt, or says why there is no code.
    pub fn code(&self, redirected: &str) -> Result<SecretString, AnswerError> {
        let elsewhere = || AnswerError::Elsewhere(self.redirect_uri.to_string());
        let url: Url = redirected.trim().parse().map_err(|_| elsewhere())?;
        let own = self.redirect_uri.url();
        if url.origin() != own.origin() || url.path() != own.path() {
            return Err(elsewhere());
        }
        let parameter = |name: &str| {
            let found = url.query_pairs().find(|(key, _)| key == name);
            found
                .map(|(_, value)| value.into_owned())
                .unwrap_or_default()
        };
        let (code, error) = (parameter("code"), parameter("error"));
        if code.is_empty() && error.is_empty() {
            return Err(elsewhere());
        }
        let expected = self.state.expose_secret().as_bytes();
        verify_slices_are_equal(parameter("state").as_bytes(), expected)
            .map_err(|_| AnswerError::OtherState)?;
        if !error.is_empty() {
            return Err(AnswerError::Denied(denied(
                &error,
                &parameter("error_description"),
            )));
        }
        Ok(code.into())
    }
}

impl fmt::Debug for AuthorizationRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationRequest")
            .field("redirect_uri", &self.redirect_uri.as_str())
            .finish_non_exhaustive()
    }
}

/// 256 bits, in the letters that RFC 7636 §4.1 allows for a verifier.
fn random() -> SecretString {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()).into()
}

fn challenge(verifier: &SecretString) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose_secret()))
}

/// RFC 6749 §4.1.2.1 in words for whoever administers the client.
fn denied(error: &str, description: &str) -> String {
    let said = network::excerpt(format!("{error} {description}").as_bytes(), &[]);
    let advice = match error {
        "access_denied" => "whoever was asked refused, or may not allow it: log in as another user",
        "invalid_scope" => "the client may not ask for these scopes: allow them at the provider",
        "unauthorized_client" | "unsupported_response_type" => {
            "the client may not use authorization codes: allow them at the provider"
        }
        "temporarily_unavailable" | "server_error" => "try again later",
        _ => "look at the client's registration at the provider",
    };
    format!("{said}; {advice}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rstest::rstest;

    use super::*;

    fn request(pkce: bool) -> AuthorizationRequest {
        AuthorizationRequest::new(&AuthorizationTerms {
            authorize_url: "https://id.example.com/authorize?tenant=7".parse().unwrap(),
            client_id: &"client 1".into(),
            redirect_uri: "http://127.0.0.1:8400/callback".parse().unwrap(),
            scopes: &["read".to_owned(), "offline_access".to_owned()],
            parameters: vec![("prompt", "consent")],
            pkce,
        })
    }

    fn parameters(request: &AuthorizationRequest) -> BTreeMap<String, String> {
        request.url().query_pairs().into_owned().collect()
    }

    #[test]
    fn the_address_says_all_that_the_provider_wants_to_know() {
        let request = request(false);
        let mut asked = parameters(&request);
        assert_eq!(asked.remove("state").unwrap().len(), 43);
        let expected = [
            ("client_id", "client 1"),
            ("prompt", "consent"),
            ("redirect_uri", "http://127.0.0.1:8400/callback"),
            ("response_type", "code"),
            ("scope", "read offline_access"),
            ("tenant", "7"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(asked, BTreeMap::from(expected));
    }

    /// Providers compare it letter by letter.
    #[test]
    fn the_redirect_uri_is_sent_as_it_is_written_and_its_answer_known_all_the_same() {
        let written = "https://MyCoolApp.com:443";
        let request = AuthorizationRequest::new(&AuthorizationTerms {
            authorize_url: "https://id.example.com/authorize".parse().unwrap(),
            client_id: &"client 1".into(),
            redirect_uri: written.parse().unwrap(),
            scopes: &[],
            parameters: Vec::new(),
            pkce: false,
        });
        assert_eq!(parameters(&request)["redirect_uri"], written);
        assert_eq!(request.redirect_uri().as_str(), written);
        let state = request.state.expose_secret();
        let answer = format!("https://mycoolapp.com/?code=c0&state={state}");
        assert_eq!(request.code(&answer).unwrap().expose_secret(), "c0");
    }

    #[test]
    fn a_bound_code_is_asked_for_by_the_digest_of_its_verifier() {
        let request = request(true);
        let asked = parameters(&request);
        assert_eq!(asked["code_challenge_method"], "S256");
        let verifier = request.verifier().unwrap();
        assert_ne!(asked["code_challenge"], verifier.expose_secret());
        assert_eq!(asked["code_challenge"], challenge(verifier));
    }

    /// RFC 7636, appendix B.
    #[test]
    fn the_challenge_is_that_of_the_standards_example() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".into();
        let expected = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert_eq!(challenge(&verifier), expected);
    }

    #[test]
    fn every_attempt_has_a_state_and_a_verifier_of_its_own() {
        let (one, other) = (request(true), request(true));
        assert_ne!(parameters(&one)["state"], parameters(&other)["state"]);
        let text =
            |request: &AuthorizationRequest| request.verifier().unwrap().expose_secret().to_owned();
        assert_ne!(text(&one), text(&other));
        assert!(!format!("{one:?}").contains(&text(&one)));
    }

    #[test]
    fn the_code_is_read_where_the_state_is_this_attempts() {
        let request = request(true);
        let state = request.state.expose_secret();
        let answer = format!(" http://127.0.0.1:8400/callback?code=c%2F0&state={state}\n");
        assert_eq!(request.code(&answer).unwrap().expose_secret(), "c/0");
    }

    #[rstest]
    #[case::of_an_older_attempt(
        "http://127.0.0.1:8400/callback?code=c0&state=older",
        "its state is not the one"
    )]
    #[case::without_a_state("http://127.0.0.1:8400/callback?code=c0", "its state is not the one")]
    #[case::an_error_of_another(
        "http://127.0.0.1:8400/callback?error=access_denied&state=x",
        "its state is not the one"
    )]
    #[case::of_another_host(
        "http://127.0.0.1:8401/callback?code=c0&state=STATE",
        "begins with http://127.0.0.1:8400/callback"
    )]
    #[case::of_another_path("http://127.0.0.1:8400/?code=c0&state=STATE", "begins with")]
    #[case::the_code_alone("c0", "copy it whole")]
    #[case::nothing("http://127.0.0.1:8400/callback", "copy it whole")]
    #[case::refused(
        "http://127.0.0.1:8400/callback?error=access_denied&state=STATE",
        "log in as another user"
    )]
    #[case::scope(
        "http://127.0.0.1:8400/callback?error=invalid_scope&error_description=no%20read&state=STATE",
        "invalid_scope no read; the client may not ask for these scopes"
    )]
    fn an_answer_without_a_code_for_this_attempt_says_what_it_is(
        #[case] answer: &str,
        #[case] expected: &str,
    ) {
        let request = request(false);
        let answer = answer.replace("STATE", request.state.expose_secret());
        let error = request.code(&answer).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
