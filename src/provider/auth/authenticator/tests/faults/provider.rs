//! A token service in memory, by the rules that providers have.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use rand::{RngExt as _, rngs::StdRng};
use serde_json::{Value, json};

/// How a provider treats the refresh token that was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rule {
    /// It stays (ServiceNow).
    Never,
    /// It is replaced now and then, and the old one is dead (Intuit).
    Sometimes,
    /// It is replaced each time, and the old one serves for a while yet (Okta, Xero).
    AlwaysWithGrace,
    /// It is replaced each time, and whoever uses the old one again loses all (Sage, RFC 9700 §4.14).
    Always,
}

impl Rule {
    pub(super) const ALL: [Self; 4] = [
        Self::Never,
        Self::Sometimes,
        Self::AlwaysWithGrace,
        Self::Always,
    ];
}

const GRACE: TimeDelta = TimeDelta::minutes(10);
const CODE_LIFE: TimeDelta = TimeDelta::minutes(10);

pub(super) const CODE: &str = "the-code";
/// Passwords.
pub(super) const RIGHT: &str = "the-password";
pub(super) const WRONG: &str = "mistyped";
pub(super) const LIFETIME: u64 = 1_800;

/// The token service.
pub(super) struct Provider {
    rule: Rule,
    random: StdRng,
    /// Every refresh token that is taken, with its end where it has one.
    refresh: BTreeMap<String, Option<DateTime<Utc>>>,
    replaced: BTreeSet<String>,
    access: BTreeSet<String>,
    code_ends: DateTime<Utc>,
    code_used: bool,
    issued: usize,
    pub(super) codes_received: usize,
    pub(super) failed_logins: Vec<DateTime<Utc>>,
}

impl Provider {
    pub(super) fn new(rule: Rule, random: StdRng, now: DateTime<Utc>) -> Self {
        Self {
            rule,
            random,
            refresh: BTreeMap::new(),
            replaced: BTreeSet::new(),
            access: BTreeSet::new(),
            code_ends: now + CODE_LIFE,
            code_used: false,
            issued: 0,
            codes_received: 0,
            failed_logins: Vec::new(),
        }
    }

    /// A refresh token that the user obtained elsewhere.
    pub(super) fn issue_refresh(&mut self) -> String {
        self.issued += 1;
        let token = format!("refresh-{}", self.issued);
        self.refresh.insert(token.clone(), None);
        token
    }

    /// Whether a request with this code or refresh token would be granted.
    pub(super) fn takes(&self, credential: &str, now: DateTime<Utc>) -> bool {
        if credential == CODE {
            return !self.code_used && now < self.code_ends;
        }
        let end = self.refresh.get(credential);
        end.is_some_and(|end| end.is_none_or(|end| now < end))
    }

    pub(super) fn takes_access(&self, header: &str) -> bool {
        header
            .strip_prefix("Bearer ")
            .is_some_and(|token| self.access.contains(token))
    }

    /// Ends an access token, as providers do without a word.
    pub(super) fn refuse_access(&mut self, header: &str) {
        self.access.remove(header.trim_start_matches("Bearer "));
    }

    /// Carries out a request for tokens.
    pub(super) fn grant(
        &mut self,
        form: &BTreeMap<String, String>,
        now: DateTime<Utc>,
    ) -> (u16, Value) {
        let refresh = match form["grant_type"].as_str() {
            "authorization_code" => self.redeem(now),
            "refresh_token" => self.rotate(&form["refresh_token"], now),
            "password" => self.log_in(&form["password"], now),
            other => panic!("{other} is no grant of these runs"),
        };
        let Some(refresh) = refresh else {
            return (400, json!({"error": "invalid_grant"}));
        };
        self.issued += 1;
        let access = format!("access-{}", self.issued);
        self.access.insert(access.clone());
        let body =
            json!({"access_token": access, "expires_in": LIFETIME, "refresh_token": refresh});
        (200, body)
    }

    fn log_in(&mut self, password: &str, now: DateTime<Utc>) -> Option<String> {
        if password != RIGHT {
            self.failed_logins.push(now);
            return None;
        }
        Some(self.issue_refresh())
    }

    fn redeem(&mut self, now: DateTime<Utc>) -> Option<String> {
        self.codes_received += 1;
        if !self.takes(CODE, now) {
            // RFC 6749 §4.1.2: what came of a code that is used twice is revoked.
            self.refresh.clear();
            return None;
        }
        self.code_used = true;
        Some(self.issue_refresh())
    }

    fn rotate(&mut self, token: &str, now: DateTime<Utc>) -> Option<String> {
        if !self.takes(token, now) {
            if self.rule == Rule::Always && self.replaced.contains(token) {
                self.refresh.clear();
            }
            return None;
        }
        let replaces = match self.rule {
            Rule::Never => false,
            Rule::Sometimes => self.random.random(),
            Rule::AlwaysWithGrace | Rule::Always => true,
        };
        if !replaces {
            return Some(token.to_owned());
        }
        let is_first_use = self.replaced.insert(token.to_owned());
        match self.rule {
            Rule::AlwaysWithGrace if is_first_use => {
                _ = self.refresh.insert(token.to_owned(), Some(now + GRACE))
            }
            Rule::AlwaysWithGrace => {}
            _ => _ = self.refresh.remove(token),
        }
        Some(self.issue_refresh())
    }
}
