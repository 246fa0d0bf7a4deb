use super::*;

fn origin() -> Origin {
    Origin {
        namespace: "helpdesk".to_owned(),
        instance: "servicenow-prod".to_owned(),
        resource: "accounts".to_owned(),
        connector: "servicenowoauth".to_owned(),
        hub: "helpdesk".to_owned(),
        tags: Vec::new(),
        identity: Identity::new("helpdesk", "servicenow-prod", None),
    }
}

/// A receiver keeps ids to drop repeats, so they may not change with a release either.
#[test]
fn an_event_id_is_the_same_in_every_release() {
    let id = origin().event_id("46d44a23a9fe19810012d100cca80666", "2024-01-01 00:00:00/3");
    assert_eq!(id.as_str(), "a68daec3912a5e624e82d6ea293feceb");
}

#[test]
fn an_event_id_depends_on_everything_that_makes_a_change() {
    let ids = |origin: &Origin| origin.event_id("1", "a");
    let base = ids(&origin());
    let other = |edit: fn(&mut Origin)| {
        let mut other = origin();
        edit(&mut other);
        ids(&other)
    };
    let others = [
        other(|o| o.namespace.push('x')),
        other(|o| o.instance.push('x')),
        other(|o| o.resource.push('x')),
        origin().event_id("2", "a"),
        origin().event_id("1", "b"),
        origin().event_id("1a", ""),
    ];
    assert!(others.iter().all(|id| *id != base));
}

/// A renamed tag or connector would otherwise send every record again.
#[test]
fn an_event_id_does_not_depend_on_what_only_the_envelope_shows() {
    let mut other = origin();
    other.tags.push("production".to_owned());
    other.connector.push('x');
    other.identity.instance_id += 1;
    assert_eq!(other.event_id("1", "a"), origin().event_id("1", "a"));
}
