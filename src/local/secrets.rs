//! Credentials in a folder that change while its pollers poll.

use std::{
    collections::BTreeMap,
    os::unix::fs::MetadataExt as _,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use chrono::{DateTime, SecondsFormat, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{manifests::Manifests, problem::ObjectName, report::Report};
use crate::{
    fleet::{Environment, Instance},
    secrets::Secrets,
};

/// How often files are looked at: a change is to be taken within five seconds.
const EVERY: Duration = Duration::from_secs(2);

/// The Secret that one instance authenticates with.
pub(super) struct Followed {
    /// The instance's name.
    pub(super) name: ObjectName,
    pub(super) instance: Arc<Instance>,
    pub(super) secret: ObjectName,
    /// Where it is written.
    pub(super) file: PathBuf,
    pub(super) entries: BTreeMap<String, SecretString>,
    /// What else of the instance uses the Secret, which keeps what it was started with.
    pub(super) shared_with: Vec<&'static str>,
    /// The end of an authorization that was spoken of.
    pub(super) reminded: Option<DateTime<Utc>>,
}

/// The entries that nothing but an instance's authentication reads.
const OAUTH_ALONE: [&str; 5] = [
    "clientId",
    "clientSecret",
    "code",
    "codeVerifier",
    "refreshToken",
];

/// What tells two states of a file apart.
type Stamp = Option<(Option<SystemTime>, u64, u64)>;

/// Takes Secrets as they change, and has everybody poll with them, until `stop`.
pub(super) async fn follow(
    followed: Vec<Followed>,
    environment: Environment,
    report: Arc<Report>,
    poker: watch::Sender<u64>,
    stop: CancellationToken,
) {
    // What changed between the reading of the manifests and here is seen by the first look.
    let unseen = followed.into_iter().map(|secret| (None, secret));
    let mut followed: Vec<(Option<Stamp>, Followed)> = unseen.collect();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        for (seen, secret) in &mut followed {
            secret.remind(&report);
            let now = stamp(&secret.file);
            if seen.replace(now) != Some(now) && secret.take(&environment, &report).await {
                poker.send_modify(|count| *count = count.wrapping_add(1));
            }
        }
    }
}

fn stamp(file: &PathBuf) -> Stamp {
    let metadata = std::fs::metadata(file).ok()?;
    Some((metadata.modified().ok(), metadata.len(), metadata.ino()))
}

impl Followed {
    /// What a restart is needed for, where an entry has changed that is not the authentication's alone.
    fn left(&self, entries: &BTreeMap<String, SecretString>) -> Option<String> {
        let keys = self.entries.keys().chain(entries.keys());
        let shown = |entries: &BTreeMap<String, SecretString>, key: &str| {
            entries
                .get(key)
                .map(|value| value.expose_secret().to_owned())
        };
        let mut changed = keys.filter(|key| shown(&self.entries, key) != shown(entries, key));
        let is_left = changed.any(|key| !OAUTH_ALONE.contains(&key.as_str()));
        (is_left && !self.shared_with.is_empty()).then(|| {
            format!(
                "Secret {} is used by {} of ConnectorInstance {} too, which goes on with what it held: restart \
                 pollen local",
                self.secret,
                self.shared_with.join(" and "),
                self.name
            )
        })
    }

    /// Says once that somebody must authorize the instance again before long.
    pub(super) fn remind(&mut self, report: &Report) {
        let due = self.instance.reauthorization_due();
        if let Some(end) = due.filter(|_| due != self.reminded) {
            let end = end.to_rfc3339_opts(SecondsFormat::Secs, true);
            let Self { name, .. } = self;
            report.warn(&format!(
                "the authorization of ConnectorInstance {name} ends at {end}: run `pollen authorize` before, or put a \
                 new code or refresh token into Secret {}",
                self.secret
            ));
        }
        self.reminded = due;
    }

    /// Takes the Secret as it is written now; returns whether the instance has others by that.
    async fn take(&mut self, environment: &Environment, report: &Report) -> bool {
        let (manifests, _) = Manifests::read(std::slice::from_ref(&self.file), None);
        let secret = &self.secret;
        let Some(entries) = manifests.secret(secret) else {
            let file = self.file.display();
            report.warn(&format!(
                "Secret {secret} is not in {file} any more, or cannot be read there: its instance goes on with \
                 what it held; write it back"
            ));
            return false;
        };
        if is_same(entries, &self.entries) {
            return false;
        }
        let mut secrets = Secrets::default();
        secrets.insert(secret.name.clone(), entries.clone());
        match self.instance.renew(secrets, environment).await {
            Ok(()) => {
                report.say(&format!(
                    "Secret {secret} has changed, and is used from now on"
                ));
                if let Some(left) = self.left(entries) {
                    report.warn(&left);
                }
                self.entries = entries.clone();
                true
            }
            Err(error) => {
                report.warn(&format!(
                    "Secret {secret} has changed, and cannot be used: {error}"
                ));
                false
            }
        }
    }
}

fn is_same(one: &BTreeMap<String, SecretString>, other: &BTreeMap<String, SecretString>) -> bool {
    fn shown(entries: &BTreeMap<String, SecretString>) -> impl Iterator<Item = (&str, &str)> {
        entries
            .iter()
            .map(|(key, value)| (key.as_str(), value.expose_secret()))
    }
    shown(one).eq(shown(other))
}
