//! What the Open Connectors envelope shows of an instance.

use super::{Identity, digest::Digest};
use crate::api::OpenConnectorsIdentity;

impl Identity {
    /// What `given` (`spec.events.callback.openConnectors`) states, the rest derived: the
    /// instance's number from its namespace and name, those of its owner from the namespace, all
    /// stable, positive and below 2^53.
    #[must_use]
    pub fn new(namespace: &str, instance: &str, given: Option<&OpenConnectorsIdentity>) -> Self {
        let given = given.cloned().unwrap_or_default();
        let derived = |field: &str| Digest::of(field).text(namespace);
        let instance_id = || derived("instanceId").text(instance).end().number();
        let owner = |field: &str| derived(field).end().number();
        Self {
            instance_id: given.instance_id.unwrap_or_else(instance_id),
            account_id: given.account_id.unwrap_or_else(|| owner("accountId")),
            company_id: given.company_id.unwrap_or_else(|| owner("companyId")),
            user_id: given.user_id.unwrap_or_else(|| owner("userId")),
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
            account_id: 2_157_115_178_803_611,
            company_id: 3_038_477_811_699_585,
            user_id: 1_851_363_744_068_216,
            instance_name: "servicenow-prod".to_owned(),
        };
        assert_eq!(identity, expected);
    }

    #[test]
    fn instances_of_a_namespace_differ_in_their_own_number_alone() {
        let identity = |namespace, name| Identity::new(namespace, name, None);
        let owner = |i: &Identity| [i.account_id, i.company_id, i.user_id];
        let [one, sibling, stranger] =
            [("a", "b"), ("a", "c"), ("ab", "")].map(|(n, i)| identity(n, i));
        assert_ne!(one.instance_id, sibling.instance_id);
        assert_ne!(one.instance_id, stranger.instance_id);
        assert_eq!(owner(&one), owner(&sibling));
        assert!(
            owner(&one)
                .iter()
                .all(|number| !owner(&stranger).contains(number))
        );
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
