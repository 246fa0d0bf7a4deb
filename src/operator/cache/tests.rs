use super::*;
use crate::operator::fixtures::{instance, poller};

fn prod() -> Key {
    Key::new("helpdesk", "prod")
}

#[test]
fn an_instance_and_its_pollers_meet_in_whatever_order_they_arrive() {
    let cache = Cache::default();
    assert_eq!(poller("accounts", "prod").put(&cache), [prod()]);
    assert_eq!(instance("prod").put(&cache), [prod()]);
    let group = cache.group(&prod());
    assert!(group.instance.is_some());
    assert_eq!(group.pollers.keys().collect::<Vec<_>>(), ["accounts"]);
}

#[test]
fn a_write_to_the_status_changes_nothing() {
    let cache = Cache::default();
    poller("accounts", "prod").put(&cache);
    assert!(poller("accounts", "prod").put(&cache).is_empty());
}

#[test]
fn an_edit_a_new_command_and_a_new_object_of_the_name_are_changes() {
    let cache = Cache::default();
    let mut item = poller("accounts", "prod");
    item.clone().put(&cache);
    item.generation = 2;
    assert_eq!(item.clone().put(&cache), [prod()]);
    item.poll_requested_at = Some("now".into());
    assert_eq!(item.clone().put(&cache), [prod()]);
    item.uid = "another".into();
    assert_eq!(item.put(&cache), [prod()]);
}

#[test]
fn what_a_complete_list_does_not_show_is_gone_in_the_namespaces_that_it_covers() {
    let cache = Cache::default();
    poller("accounts", "prod").put(&cache);
    let none = HashSet::new();
    assert!(
        cache
            .retain::<PollerItem>(Some("elsewhere"), &none)
            .is_empty()
    );
    assert_eq!(cache.retain::<PollerItem>(None, &none), [prod()]);
    assert!(cache.groups().is_empty());
}

#[test]
fn a_poller_made_again_for_another_instance_leaves_the_first() {
    let cache = Cache::default();
    poller("accounts", "prod").put(&cache);
    let test = Key::new("helpdesk", "test");
    assert_eq!(
        poller("accounts", "test").put(&cache),
        [prod(), test.clone()]
    );
    assert_eq!(cache.groups(), [test]);
}

#[test]
fn a_secret_concerns_the_instances_of_its_namespace_that_name_it() {
    let cache = Cache::default();
    instance("prod").put(&cache);
    let names = |spec: &ConnectorInstanceSpec| vec![spec.authentication.secret_ref.name.clone()];
    assert_eq!(
        cache.users_of_secret(&Key::new("helpdesk", "oauth"), names),
        [prod()]
    );
    assert!(
        cache
            .users_of_secret(&Key::new("other", "oauth"), names)
            .is_empty()
    );
    assert!(
        cache
            .users_of_secret(&Key::new("helpdesk", "tls"), names)
            .is_empty()
    );
}
