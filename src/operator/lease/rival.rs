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

/// What is known of another release, from what its Lease showed so far.
#[derive(Debug)]
pub(in crate::operator) struct Rival {
    /// `NAMESPACE/NAME` of its Lease, as it stands in `status.controllerName`.
    name: String,
    seen: Election,
}

impl Rival {
    pub(in crate::operator) fn new(name: &str) -> Self {
        // No holder has an empty name, so that every claim is another's.
        Self {
            name: name.to_owned(),
            seen: Election::new(String::new(), DURATION),
        }
    }

    pub(in crate::operator) fn is(&self, name: &str) -> bool {
        self.name == name
    }

    /// Whether the release is gone: its Lease is, or was released, or was seen unchanged for its
    /// whole duration. A Lease that may not be read lives.
    pub(in crate::operator) async fn is_gone(
        &mut self,
        client: &Client,
    ) -> Result<bool, kube::Error> {
        let Some((namespace, name)) = self.name.split_once('/') else {
            return Ok(true);
        };
        let leases: Api<Lease> = Api::namespaced(client.clone(), namespace);
        let lease = match leases.get_opt(name).await {
            Ok(lease) => lease.map(|lease| held(&lease, DURATION)),
            Err(kube::Error::Api(status)) if status.is_forbidden() => return Ok(false),
            Err(error) => return Err(error),
        };
        Ok(self.seen.observe(lease.as_ref(), Instant::now()) == Move::Claim)
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
            assert!(!rival.is_gone(&api.client()).await.unwrap());
            tokio::time::advance(Duration::from_secs(10)).await;
        }
        assert!(
            !rival.is_gone(&api.client()).await.unwrap(),
            "unchanged, but not for long"
        );
        tokio::time::advance(Duration::from_secs(5)).await;
        assert!(rival.is_gone(&api.client()).await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn a_release_without_a_lease_or_with_a_released_one_is_gone() {
        let api = FakeApi::default();
        let mut rival = Rival::new("other/pollen");
        assert!(rival.is_gone(&api.client()).await.unwrap());
        renewed(&api, "");
        assert!(rival.is_gone(&api.client()).await.unwrap());
    }
}
