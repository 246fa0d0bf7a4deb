//! Deletes token Secrets thirty days after their instance.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api,
    api::{DeleteParams, ListParams, PostParams, Preconditions},
};

use super::{COMPONENT, INSTANCE, MANAGED_BY, RELEASE, TokenSecrets};
use crate::operator::{budget::Write, item::Key};

/// Since when the Secret's instance has been gone.
const ORPHANED_SINCE: &str = "pollen.dev/orphaned-since";
/// How long a token outlives its instance.
const KEPT: TimeDelta = TimeDelta::days(30);

/// What to do with a token Secret.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Keep,
    Mark,
    Unmark,
    Delete,
}

/// Looks at every token Secret once; `exists` tells whether there is an instance of that key.
pub(in crate::operator) async fn sweep(
    tokens: &TokenSecrets,
    exists: impl Fn(&Key) -> bool,
) -> Result<(), kube::Error> {
    let secrets: Api<Secret> = Api::namespaced(tokens.client.clone(), &tokens.namespace);
    let selector = format!(
        "{MANAGED_BY}=pollen,{COMPONENT}=token,{RELEASE}={}",
        tokens.release
    );
    let now = tokens.clock.now();
    for secret in secrets
        .list(&ListParams::default().labels(&selector))
        .await?
        .items
    {
        // Of a namespace that is not watched nothing is known.
        let exists = |key: &Key| !tokens.watches(&key.namespace) || exists(key);
        let verdict = judge(&secret, exists, now);
        if verdict != Verdict::Keep {
            tokens.budget.acquire(Write::Token).await;
            let name = secret.metadata.name.clone().unwrap_or_default();
            if let Err(error) = apply(&secrets, secret, verdict, now).await {
                tracing::warn!(secret = name, %error, "a token Secret could not be swept");
            }
        }
    }
    Ok(())
}

async fn apply(
    secrets: &Api<Secret>,
    mut secret: Secret,
    verdict: Verdict,
    now: DateTime<Utc>,
) -> Result<(), kube::Error> {
    let name = secret.metadata.name.clone().unwrap_or_default();
    let annotations = secret.metadata.annotations.get_or_insert_default();
    match verdict {
        Verdict::Keep => return Ok(()),
        Verdict::Delete => {
            tracing::info!(
                secret = name,
                "a token is deleted: its instance has been gone for thirty days"
            );
            let preconditions = Preconditions {
                resource_version: secret.metadata.resource_version.clone(),
                uid: secret.metadata.uid.clone(),
            };
            secrets
                .delete(&name, &DeleteParams::default().preconditions(preconditions))
                .await?;
            return Ok(());
        }
        Verdict::Mark => {
            annotations.insert(
                ORPHANED_SINCE.to_owned(),
                now.to_rfc3339_opts(SecondsFormat::Secs, true),
            );
        }
        Verdict::Unmark => {
            annotations.remove(ORPHANED_SINCE);
        }
    }
    secrets
        .replace(&name, &PostParams::default(), &secret)
        .await?;
    Ok(())
}

fn judge(secret: &Secret, exists: impl Fn(&Key) -> bool, now: DateTime<Utc>) -> Verdict {
    let annotation = |key| {
        secret
            .metadata
            .annotations
            .as_ref()
            .and_then(|all| all.get(key))
    };
    // A Secret that names no instance is not one of ours to delete.
    let Some((namespace, name)) = annotation(INSTANCE).and_then(|text| text.split_once('/')) else {
        return Verdict::Keep;
    };
    let since = annotation(ORPHANED_SINCE);
    match (exists(&Key::new(namespace, name)), since) {
        (true, Some(_)) => Verdict::Unmark,
        (true, None) => Verdict::Keep,
        (false, None) => Verdict::Mark,
        (false, Some(since)) => match since.parse::<DateTime<Utc>>() {
            Ok(since) if now - since >= KEPT => Verdict::Delete,
            Ok(_) => Verdict::Keep,
            Err(_) => Verdict::Mark,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::fake_api::Fault;

    fn secret(orphaned_since: Option<&str>) -> Secret {
        let mut secret = Secret::default();
        let annotations = secret.metadata.annotations.get_or_insert_default();
        annotations.insert(INSTANCE.into(), "helpdesk/prod".into());
        if let Some(since) = orphaned_since {
            annotations.insert(ORPHANED_SINCE.into(), since.into());
        }
        secret
    }

    #[test]
    fn a_token_outlives_its_instance_by_thirty_days() {
        let now: DateTime<Utc> = "2026-03-31T00:00:00Z".parse().unwrap();
        let gone = |_: &Key| false;
        assert_eq!(judge(&secret(None), gone, now), Verdict::Mark);
        assert_eq!(
            judge(&secret(Some("2026-03-02T00:00:00Z")), gone, now),
            Verdict::Keep
        );
        assert_eq!(
            judge(&secret(Some("2026-03-01T00:00:00Z")), gone, now),
            Verdict::Delete
        );
    }

    #[test]
    fn an_instance_that_came_back_keeps_its_token() {
        let now = DateTime::UNIX_EPOCH;
        let back = |key: &Key| *key == Key::new("helpdesk", "prod");
        assert_eq!(
            judge(&secret(Some("1960-01-01T00:00:00Z")), back, now),
            Verdict::Unmark
        );
        assert_eq!(judge(&secret(None), back, now), Verdict::Keep);
    }

    #[tokio::test]
    async fn a_token_of_a_namespace_that_is_watched_no_more_is_left_alone() {
        let api = crate::operator::fake_api::FakeApi::default();
        let path = "/api/v1/namespaces/pollen/secrets/pollen-token-1";
        let mut orphan = secret(None);
        orphan.metadata.name = Some("pollen-token-1".into());
        api.insert(path, serde_json::to_value(orphan).unwrap());
        let shared = crate::operator::fixtures::shared(&api);
        let mut tokens = shared.tokens.clone();
        tokens.watched = vec!["finance".to_owned()];
        sweep(&tokens, |_| false).await.unwrap();
        assert!(api.writes().is_empty());
        tokens.watched.push("helpdesk".to_owned());
        sweep(&tokens, |_| false).await.unwrap();
        assert_eq!(api.writes().len(), 1);
    }

    #[tokio::test]
    async fn a_secret_that_cannot_be_written_keeps_no_other_from_being_swept() {
        let api = crate::operator::fake_api::FakeApi::default();
        for name in ["pollen-token-1", "pollen-token-2"] {
            let mut orphan = secret(None);
            orphan.metadata.name = Some(name.into());
            let path = format!("/api/v1/namespaces/pollen/secrets/{name}");
            api.insert(&path, serde_json::to_value(orphan).unwrap());
        }
        let shared = crate::operator::fixtures::shared(&api);
        api.fail_next(Fault::Refused(500, "etcd".into()));
        sweep(&shared.tokens, |_| false).await.unwrap();
        let marked = &api.object("/api/v1/namespaces/pollen/secrets/pollen-token-2");
        assert!(!marked["metadata"]["annotations"][ORPHANED_SINCE].is_null());
    }

    #[test]
    fn a_secret_that_names_no_instance_is_left_alone() {
        assert_eq!(
            judge(&Secret::default(), |_| false, DateTime::UNIX_EPOCH),
            Verdict::Keep
        );
    }
}
