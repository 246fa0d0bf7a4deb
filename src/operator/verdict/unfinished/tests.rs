use super::*;
use crate::{
    operator::{status::conditions::status_of, verdict::of_poll},
    poll::Outcome,
};

const INTERVAL: Duration = Duration::from_secs(60);

/// A poller under an operator that may be restarted, and edited.
#[derive(Default)]
struct Poller {
    conditions: Vec<Condition>,
    unfinished: Unfinished,
    generation: i64,
}

impl Poller {
    /// A poll ends so many seconds after the epoch; answers what `Ready` says behind it.
    fn ends(&mut self, end: End, second: i64) -> String {
        let now = DateTime::from_timestamp(second, 0).unwrap();
        self.unfinished.note(&end);
        let lasts = self
            .unfinished
            .lasts(&self.conditions, self.generation, INTERVAL, now);
        let standing = of_poll(&Outcome::of(end), lasts).unwrap();
        standing.apply(&mut self.conditions, self.generation, now);
        status_of(&self.conditions, "Ready").unwrap().to_owned()
    }

    fn leaves_pages(&mut self, second: i64) -> String {
        self.ends(End::Unfinished("the links go on".to_owned()), second)
    }

    fn restart(&mut self) {
        self.unfinished = Unfinished::default();
    }
}

#[test]
fn a_sweep_that_never_ends_makes_its_poller_not_ready_until_one_does() {
    let mut poller = Poller::default();
    assert_eq!(poller.ends(End::Complete, 0), "True");
    for second in [60, 61, 63, 120, 239] {
        assert_eq!(poller.leaves_pages(second), "True", "after {second} s");
    }
    for second in [240, 300] {
        assert_eq!(poller.leaves_pages(second), "False", "after {second} s");
    }
    assert_eq!(poller.conditions[0].reason, "SweepUnfinished");
    assert!(poller.conditions[0].message.contains("the links go on"));
    assert_eq!(poller.ends(End::Complete, 360), "True");
    assert_eq!(status_of(&poller.conditions, "SweepComplete"), None);
    assert_eq!(
        poller.leaves_pages(420),
        "True",
        "it is counted anew, as from a first one"
    );
}

#[test]
fn a_single_sweep_that_takes_longer_than_three_intervals_is_not_one_that_never_ends() {
    let mut poller = Poller::default();
    assert_eq!(poller.ends(End::Complete, 0), "True");
    for second in [60, 1_000] {
        assert_eq!(poller.leaves_pages(second), "True");
    }
}

#[test]
fn a_failure_in_between_is_no_end_of_a_sweep() {
    let mut poller = Poller::default();
    assert_eq!(poller.ends(End::Complete, 0), "True");
    for second in [60, 120] {
        assert_eq!(poller.leaves_pages(second), "True");
        let down = End::CallbackUnavailable(crate::callback::Unavailable {
            message: "503".into(),
            retry_after: None,
        });
        assert_eq!(poller.ends(down, second + 1), "True");
    }
    assert_eq!(poller.leaves_pages(240), "False");
}

#[test]
fn a_restart_neither_ends_nor_excuses_it() {
    let mut poller = Poller::default();
    assert_eq!(poller.ends(End::Complete, 0), "True");
    poller.leaves_pages(60);
    poller.restart();
    for second in [120, 180] {
        assert_eq!(poller.leaves_pages(second), "True");
    }
    assert_eq!(
        poller.leaves_pages(240),
        "False",
        "its intervals count on from before the restart"
    );
    poller.restart();
    assert_eq!(poller.leaves_pages(241), "False");
}

#[test]
fn an_edit_may_have_mended_it_and_gives_it_its_time_anew() {
    let mut poller = Poller::default();
    assert_eq!(poller.ends(End::Complete, 0), "True");
    for second in [60, 120, 180] {
        poller.leaves_pages(second);
    }
    poller.generation += 1;
    for second in [240, 300, 360] {
        assert_eq!(poller.leaves_pages(second), "True");
    }
    assert_eq!(poller.leaves_pages(420), "False");
}

#[test]
fn polls_that_leave_pages_change_the_conditions_twice_and_no_more() {
    let mut poller = Poller::default();
    assert_eq!(poller.ends(End::Complete, 0), "True");
    let mut changes = 0;
    for poll in 1..20 {
        let before = poller.conditions.clone();
        poller.leaves_pages(poll * 60);
        changes += u32::from(before != poller.conditions);
    }
    assert_eq!(changes, 2);
}
