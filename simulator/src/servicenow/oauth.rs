//! The tokens that the instance issues (ServiceNow's "OAuth API request parameters", RFC 6749).

mod grant;

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};

pub(super) use grant::{Form, Issued, Refusal};

use super::{Instance, Settings};

/// A request for tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRequest {
    /// Its `grant_type`.
    pub grant: String,
    /// By the instance's clock.
    pub at: DateTime<Utc>,
    /// Whether tokens were issued, even if the answer was lost.
    pub granted: bool,
}

/// Tokens, each with its end, and the codes that are used up.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    access: HashMap<String, DateTime<Utc>>,
    refresh: HashMap<String, DateTime<Utc>>,
    rotated: HashSet<String>,
    served_in_grace: usize,
    /// Codes of the authorization page, with what they were asked for with.
    codes: HashMap<String, Consent>,
    used_codes: HashSet<String>,
    /// By grant: a login that is repeated while its access token lives gets the same tokens.
    logins: HashMap<&'static str, Login>,
    requests: Vec<TokenRequest>,
}

/// What a code is bound to.
#[derive(Clone, Debug)]
struct Consent {
    redirect_uri: String,
    /// RFC 7636; empty where the client sent none.
    code_challenge: String,
}

#[derive(Clone, Debug)]
struct Login {
    access: String,
    refresh: Option<String>,
}

impl Tokens {
    pub(super) fn is_valid(&self, access_token: &str, now: DateTime<Utc>) -> bool {
        lives(&self.access, access_token, now)
    }

    pub(super) fn record(&mut self, request: TokenRequest) {
        self.requests.push(request);
    }

    /// A code for a user who consented, valid once.
    pub(super) fn issue_code(&mut self, asked: &Form) -> String {
        let code = random();
        let consent = Consent {
            redirect_uri: asked.get("redirect_uri").to_owned(),
            code_challenge: asked.get("code_challenge").to_owned(),
        };
        self.codes.insert(code.clone(), consent);
        code
    }

    fn issue_access(&mut self, settings: &Settings, now: DateTime<Utc>) -> String {
        let token = random();
        self.extend_access(&token, settings, now);
        token
    }

    fn issue_refresh(&mut self, settings: &Settings, now: DateTime<Utc>) -> String {
        let token = random();
        self.extend_refresh(&token, settings, now);
        token
    }

    fn extend_access(&mut self, token: &str, settings: &Settings, now: DateTime<Utc>) {
        let end = end(now, settings.access_token_lifetime);
        self.access.insert(token.to_owned(), end);
    }

    fn extend_refresh(&mut self, token: &str, settings: &Settings, now: DateTime<Utc>) {
        let end = end(now, settings.refresh_token_lifetime);
        self.refresh.insert(token.to_owned(), end);
    }
}

impl Instance {
    /// A refresh token as a login would bring it.
    #[must_use]
    pub fn issue_refresh_token(&self) -> String {
        let state = &mut *self.state();
        state
            .tokens
            .issue_refresh(&state.settings, state.clock.now())
    }

    /// Ends every access token.
    pub fn revoke_access_tokens(&self) {
        self.state().tokens.access.clear();
    }

    /// Ends every refresh token.
    pub fn revoke_refresh_tokens(&self) {
        self.state().tokens.refresh.clear();
    }

    /// How often a refresh token served that had been rotated before.
    #[must_use]
    pub fn served_in_grace(&self) -> usize {
        self.state().tokens.served_in_grace
    }

    /// Every request for tokens that reached the instance, in order of arrival.
    #[must_use]
    pub fn token_requests(&self) -> Vec<TokenRequest> {
        self.state().tokens.requests.clone()
    }
}

fn lives(tokens: &HashMap<String, DateTime<Utc>>, token: &str, now: DateTime<Utc>) -> bool {
    tokens.get(token).is_some_and(|end| now < *end)
}

fn end(now: DateTime<Utc>, lifetime: std::time::Duration) -> DateTime<Utc> {
    now + TimeDelta::from_std(lifetime).unwrap_or(TimeDelta::MAX)
}

/// As long as ServiceNow's own.
fn random() -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 64]>())
}

#[cfg(test)]
mod tests;
