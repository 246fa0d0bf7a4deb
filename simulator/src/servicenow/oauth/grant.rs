//! What a request for tokens is granted, or why not.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};

use super::{Login, Tokens, end, lives};
use crate::servicenow::Settings;

/// The parameters of a request for tokens.
#[derive(Clone, Debug)]
pub(in crate::servicenow) struct Form(pub(in crate::servicenow) Vec<(String, String)>);

impl Form {
    pub(in crate::servicenow) fn get(&self, name: &str) -> &str {
        self.0
            .iter()
            .find_map(|(key, value)| (key == name).then_some(value.as_str()))
            .unwrap_or_default()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::servicenow) struct Issued {
    pub(in crate::servicenow) access_token: String,
    /// A client that acts for itself gets none.
    pub(in crate::servicenow) refresh_token: Option<String>,
    pub(in crate::servicenow) expires_in: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::servicenow) enum Refusal {
    Client,
    /// The code, the refresh token or the user; ServiceNow doesn't tell which.
    Denied,
    Grant,
}

/// Whether the verifier is the one of the challenge (RFC 7636 §4.6, S256).
fn is_answered(challenge: &str, form: &Form) -> bool {
    let digest = Sha256::digest(form.get("code_verifier"));
    challenge.is_empty() || challenge == URL_SAFE_NO_PAD.encode(digest)
}

impl Tokens {
    /// Carries out a request for tokens.
    pub(in crate::servicenow) fn grant(
        &mut self,
        form: &Form,
        settings: &Settings,
        now: DateTime<Utc>,
    ) -> Result<Issued, Refusal> {
        let client = (form.get("client_id"), form.get("client_secret"));
        if client != (&settings.client_id, &settings.client_secret) {
            return Err(Refusal::Client);
        }
        let login = match form.get("grant_type") {
            "authorization_code" => self.redeem(form, settings, now)?,
            "refresh_token" => self.refresh(form.get("refresh_token"), settings, now)?,
            "password" => {
                let user = (form.get("username"), form.get("password"));
                if user != (&settings.username, &settings.password) {
                    return Err(Refusal::Denied);
                }
                self.log_in("password", settings, now)
            }
            "client_credentials" => self.log_in("client_credentials", settings, now),
            _ => return Err(Refusal::Grant),
        };
        Ok(Issued {
            access_token: login.access,
            refresh_token: login.refresh,
            // A real instance counts down from its answer and says 1799.
            expires_in: settings
                .access_token_lifetime
                .as_secs()
                .saturating_sub(1)
                .max(1),
        })
    }

    fn redeem(
        &mut self,
        form: &Form,
        settings: &Settings,
        now: DateTime<Utc>,
    ) -> Result<Login, Refusal> {
        let code = form.get("code");
        let consent = self.codes.get(code);
        if consent.is_some_and(|consent| !is_answered(&consent.code_challenge, form)) {
            return Err(Refusal::Denied);
        }
        let demanded = match consent {
            Some(consent) => Some(consent.redirect_uri.as_str()),
            None if code == settings.code => settings.redirect_uri.as_deref(),
            None => return Err(Refusal::Denied),
        };
        if demanded.is_some_and(|uri| uri != form.get("redirect_uri")) {
            return Err(Refusal::Denied);
        }
        if !self.used_codes.insert(code.to_owned()) {
            return Err(Refusal::Denied);
        }
        Ok(Login {
            access: self.issue_access(settings, now),
            refresh: Some(self.issue_refresh(settings, now)),
        })
    }

    /// The refresh token stays, and so does its end, unless the instance rotates.
    fn refresh(
        &mut self,
        token: &str,
        settings: &Settings,
        now: DateTime<Utc>,
    ) -> Result<Login, Refusal> {
        if !lives(&self.refresh, token, now) {
            return Err(Refusal::Denied);
        }
        let refresh = if settings.rotate_refresh_tokens {
            self.retire(token, settings, now);
            self.issue_refresh(settings, now)
        } else {
            token.to_owned()
        };
        Ok(Login {
            access: self.issue_access(settings, now),
            refresh: Some(refresh),
        })
    }

    /// A token that was used ends when its grace does, and using it again does not put that off.
    fn retire(&mut self, token: &str, settings: &Settings, now: DateTime<Utc>) {
        if self.rotated.insert(token.to_owned()) {
            let end = end(now, settings.rotation_grace);
            self.refresh.insert(token.to_owned(), end);
        } else {
            self.served_in_grace += 1;
        }
    }

    fn log_in(&mut self, grant: &'static str, settings: &Settings, now: DateTime<Utc>) -> Login {
        let last = self.logins.get(grant).cloned();
        let access = last.as_ref().map(|login| login.access.clone());
        let access = access
            .filter(|token| lives(&self.access, token, now))
            .unwrap_or_else(|| self.issue_access(settings, now));
        self.extend_access(&access, settings, now);
        let refresh = (grant == "password").then(|| {
            let refresh = last
                .and_then(|login| login.refresh)
                .filter(|token| lives(&self.refresh, token, now))
                .unwrap_or_else(|| self.issue_refresh(settings, now));
            self.extend_refresh(&refresh, settings, now);
            refresh
        });
        let login = Login { access, refresh };
        self.logins.insert(grant, login.clone());
        login
    }
}
