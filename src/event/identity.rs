//! What the Open Connectors envelope shows of an instance.

use super::{Identity, digest::Digest};
use crate::api::OpenConnectorsIdentity;

impl Identity {
    /// What `given` (`spec.events.callback.openConnectors`) states, the rest derived from the
    /// instance's namespace and name: stable numbers, positive and below 2^53.
    #[must_use]
    pub fn new(namespace: &str, instance: &str, given: Option<&OpenConnectorsIdentity>) -> Self {
        let given = given.cloned().unwrap_or_default();
        let derived = |field: &str| Digest::of(field).text(namespace).text(instance).number();
        Self {
            instance_id: given.instance_id.unwrap_or_else(|| derived("instanceId")),
            account_id: given.account_id.unwrap_or_else(|| derived("accountId")),
            company_id: given.company_id.unwrap_or_else(|| derived("companyId")),
            user_id: given.user_id.unwrap_or_else(|| derived("userId")),
            instance_name: given.instance_name.unwrap_or_else(|| instance.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_numbers_are_the_same_in_every_release() {
        let identity = Identity::new("helpdesk", "servicenow-prod", None);
        let expected = Identity {
            instance_id: 6_828_541_237_444_042,
            account_id: 4_048_357_715_315_064,
            company_id: 1_125_876_906_050_846,
            user_id: 7_684_113_708_099_813,
            instance_name: "servicenow-prod".to_owned(),
        };
        assert_eq!(identity, expected);
    }

    #[test]
    fn instances_and_fields_have_numbers_of_their_own() {
        let identities = [("a", "b"), ("a", "c"), ("ab", ""), ("c", "b")]
            .map(|(namespace, name)| Identity::new(namespace, name, None));
        let mut numbers: Vec<i64> = identities
            .iter()
            .flat_map(|i| [i.instance_id, i.account_id, i.company_id, i.user_id])
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 16);
    }

    #[test]
    fn what_the_spec_states_stands() {
        let given = OpenConnectorsIdentity {
            instance_id: Some(7_950_647),
            account_id: Some(874),
            company_id: Some(291),
            user_id: Some(2749),
            instance_name: Some("Local netsuite".to_owned()),
        };
        let identity = Identity::new("a", "b", Some(&given));
        let expected = Identity {
            instance_id: 7_950_647,
            account_id: 874,
            company_id: 291,
            user_id: 2749,
            instance_name: "Local netsuite".to_owned(),
        };
        assert_eq!(identity, expected);
    }
}
