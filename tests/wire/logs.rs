//! What the log tells of polls, and what it must not.

use crate::harness::World;

#[tokio::test]
async fn a_poll_says_in_one_line_whose_it_is_and_what_it_found() {
    let world = World::with_incidents().await;
    world.instance.create("incident", &[("number", "INC1")]);
    let ended = world.run(&["--once", "--log", "pollen::poll=debug"]).await;
    let lines: Vec<_> = ended.errors.lines().collect();
    assert_eq!(lines.len(), 1, "{ended:?}");
    for text in [
        "poll{namespace=\"helpdesk\" poller=\"incident\"}",
        "polled",
        "result=\"complete\"",
        "changed=1",
        "created=1",
    ] {
        assert!(lines[0].contains(text), "{text} is not in {}", lines[0]);
    }
}

#[tokio::test]
async fn a_trace_names_records_and_events_and_shows_no_content() {
    let world = World::with_incidents().await;
    let incident = world
        .instance
        .create("incident", &[("short_description", "salary of Ann")]);
    let ended = world.run(&["--once", "--log", "pollen=trace"]).await;
    let event = world.receiver.acknowledged().pop().unwrap();
    let traced = ended.errors.lines().find(|line| line.contains(&incident));
    let traced = traced.unwrap_or_else(|| panic!("{incident} in {ended:?}"));
    for text in ["outcome=\"changed\"", "poller=\"incident\""] {
        assert!(traced.contains(text), "{text} is not in {traced}");
    }
    assert_eq!(event.object_id, incident);
    for hidden in ["salary", "demo-secret", "demo-password"] {
        assert!(!ended.errors.contains(hidden), "{hidden}");
    }
}
