//! Another release that has an instance: it keeps it while its Lease lives.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, Client};
use tokio::time::Instant;

use super::{
    election::{Election, Move},
    held,
};

/// How long a Lease lives that does not say it.
const DURATION: Duration = Duration::from_secs(15);

/// How long an API server keeps an event by default.
const EVENT_LASTS: Duration = Duration::from_secs(3_600);

/// What is known of another release, from what its Lease showed so far.
#[derive(Debug)]
pub(in crate::operator) struct Rival {
    /// `NAMESPACE/NAME` of its Lease, as it stands in `status.controllerName`.
    name: String,
    seen: Election,
    told: Option<(Sight, Instant)>,
}

/// What a look at another release's Lease shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::operator) enum Sight {
    /// The Lease is gone, or was released, or was seen unchanged for its whole duration.
    Gone,
    Lives,
    /// The Lease may not be read; its release counts as alive.
    Hidden,
}

impl Rival {
    pub(in crate::operator) fn new(name: &str) -> Self {
        // No holder has an empty name, so that every claim is another's.
        Self {
            name: name.to_owned(),
            seen: Election::new(String::new(), DURATION),
            told: None,
        }
    }

    pub(in crate::operator) fn is(&self, name: &str) -> bool {
        self.name == name
    }

    /// Whether to tell of what was seen: once, and again as events expire where a person must act.
    pub(in crate::operator) fn is_news(&mut self, sight: Sight) -> bool {
        let known = self.told.is_some_and(|(told, at)| {
            told == sight && (sight != Sight::Hidden || at.elapsed() < EVENT_LASTS)
        });
        if !known {
            self.told = Some((sight, Instant::now()));
        }
        !known
    }

    /// Looks whether the release lives.
    pub(in crate::operator) async fn look(
        &mut self,
        client: &Client,
    ) -> Result<Sight, kube::Error> {
        let Some((namespace, name)) = self.name.split_once('/') else {
            return Ok(Sight::Gone);
        };
        let leases: Api<Lease> = Api::namespaced(client.clone(), namespace);
        let lease = match leases.get_opt(name).await {
            Ok(lease) => lease.map(|lease| held(&lease, DURATION)),
            Err(kube::Error::Api(status)) if status.is_forbidden() => {
                return Ok(Sight::Hidden);
            }
            Err(error) => return Err(error),
        };
        Ok(match self.seen.observe(lease.as_ref(), Instant::now()) {
            Move::Claim => Sight::Gone,
            _ => Sight::Lives,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::operator::fake_api::FakeApi;

    const PATH: &str = "/apis/coordination.k8s.io/v1/namespaces/other/leases/pollen";

    fn renewed(api: &FakeApi, holder: &str) {
        let spec = json!({"holderIdentity": holder, "leaseDurationSeconds": 15});
        api.insert(PATH, json!({"metadata": {"name": "pollen"}, "spec": spec}));
    }

    #[tokio::test(start_paused = true)]
    async fn a_release_lives_while_its_lease_is_renewed() {
        let api = FakeApi::default();
        let mut rival = Rival::new("other/pollen");
        for _ in 0..3 {
            renewed(&api, "pollen-0");
            assert_eq!(rival.look(&api.client()).await.unwrap(), Sight::Lives);
            tokio::time::advance(Duration::from_secs(10)).await;
        }
        assert_eq!(
            rival.look(&api.client()).await.unwrap(),
            Sight::Lives,
            "unchanged, but not for long"
        );
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(rival.look(&api.client()).await.unwrap(), Sight::Gone);
    }

    #[tokio::test(start_paused = true)]
    async fn a_release_without_a_lease_or_with_a_released_one_is_gone() {
        let api = FakeApi::default();
        let mut rival = Rival::new("other/pollen");
        assert_eq!(rival.look(&api.client()).await.unwrap(), Sight::Gone);
        renewed(&api, "");
        assert_eq!(rival.look(&api.client()).await.unwrap(), Sight::Gone);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_that_may_not_be_read_is_told_again_once_the_event_has_expired() {
        let api = FakeApi::default();
        api.forbid(PATH);
        let mut rival = Rival::new("other/pollen");
        let hidden = rival.look(&api.client()).await.unwrap();
        assert_eq!(hidden, Sight::Hidden);
        assert!(rival.is_news(hidden));
        assert!(!rival.is_news(hidden));
        tokio::time::advance(EVENT_LASTS).await;
        assert!(rival.is_news(hidden));
    }
}
