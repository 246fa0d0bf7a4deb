use std::sync::Arc;

use super::*;
use crate::{
    category::Category,
    poll::{End, How, Remark, Topic},
    provider::FetchError,
};

/// A writer whose lines can be looked at.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    /// The lines without their time of day.
    fn shown(&self) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| line[10..].to_owned()).collect()
    }
}

fn report() -> (Report, Lines, Lines) {
    let (output, errors) = (Lines::default(), Lines::default());
    let labels = ["accounts", "contacts-of-customers"];
    let streams = Streams::to(Box::new(output.clone()), Box::new(errors.clone()));
    let report = Report::new(Clock::system(), labels.into_iter(), streams);
    (report, output, errors)
}

fn outcome(end: End, progress: Progress) -> Outcome {
    Outcome {
        progress,
        ..Outcome::of(end)
    }
}

fn failed() -> Outcome {
    let message = "GET https://acme.service-now.com answered 401";
    let error = FetchError::new(Category::Authentication, message);
    outcome(End::ProviderFailed(error), Progress::default())
}

fn well(created: u64, updated: u64) -> Outcome {
    outcome(
        End::Complete,
        Progress {
            created,
            updated,
            ..Progress::default()
        },
    )
}

#[test]
fn a_poll_with_events_is_one_aligned_line_and_one_without_is_none() {
    let (report, output, errors) = report();
    report.polled("accounts", &well(2, 1), false);
    report.polled("accounts", &well(0, 0), false);
    report.polled("contacts-of-customers", &well(1, 0), false);
    assert_eq!(
        output.shown(),
        [
            "accounts               3 events delivered (2 created, 1 updated)",
            "contacts-of-customers  1 event delivered (1 created)",
        ]
    );
    assert_eq!(errors.shown(), [""; 0]);
    assert_eq!(report.events(), 4);
}

#[test]
fn a_problem_is_said_once_with_what_to_do_and_so_is_its_end() {
    let (report, _, errors) = report();
    report.polled("accounts", &failed(), false);
    report.polled("accounts", &failed(), false);
    report.polled("accounts", &well(0, 0), false);
    report.polled("accounts", &well(0, 0), false);
    assert_eq!(
        errors.shown(),
        [
            "accounts               error: provider: GET https://acme.service-now.com answered 401; \
             the entries of spec.authentication.secretRef may be out of date",
            "accounts               well again",
        ]
    );
}

#[test]
fn a_poller_that_has_said_its_error_waits_without_another_line() {
    let (report, _, errors) = report();
    for _ in 0..2 {
        report.polled("accounts", &failed(), false);
        report.waiting("accounts", "the answer was 401");
    }
    report.waiting("contacts-of-customers", "the answer was 401");
    let shown = errors.shown();
    assert_eq!(shown.len(), 2, "{shown:?}");
    assert_eq!(
        shown[1],
        "contacts-of-customers  warning: waits: the answer was 401"
    );
}

#[test]
fn bad_records_are_a_warning_that_names_them() {
    let (report, _, errors) = report();
    let progress = Progress {
        bad_records: 1,
        bad_samples: vec!["record 7: no id".into()],
        ..Progress::default()
    };
    report.polled("accounts", &outcome(End::Complete, progress), false);
    let shown = errors.shown();
    assert!(
        shown[0].contains("warning: 1 record has no event (record 7: no id)"),
        "{}",
        shown[0]
    );
}

#[test]
fn each_event_that_is_set_aside_is_told_and_is_no_failure_to_recover_from() {
    let (report, _, errors) = report();
    let set_aside = |object_id: &str, how| SetAside {
        object_id: object_id.to_owned(),
        how,
        status: 422,
        message: "the callback answered 422".to_owned(),
    };
    let progress = Progress {
        skipped: 3,
        dead_lettered: 1,
        set_aside: vec![
            set_aside("7", How::Skipped),
            set_aside("8", How::DeadLettered),
        ],
        ..Progress::default()
    };
    for _ in 0..2 {
        report.polled("accounts", &outcome(End::Complete, progress.clone()), false);
    }
    report.polled(
        "accounts",
        &outcome(End::Complete, Progress::default()),
        false,
    );
    let shown = errors.shown();
    assert_eq!(shown.len(), 6, "{shown:?}");
    for (line, told) in [
        (
            0,
            "warning: the event of record \"7\" was refused, and it was dropped",
        ),
        (
            1,
            "warning: the event of record \"8\" was refused, and it was posted to",
        ),
        (2, "warning: 2 other events were refused too"),
    ] {
        assert!(shown[line].contains(told), "{}", shown[line]);
    }
}

#[test]
fn what_a_good_poll_found_is_a_warning() {
    let (report, _, errors) = report();
    let findings = vec!["the callback is plain http".to_owned()];
    report.polled(
        "accounts",
        &Outcome {
            findings,
            ..Outcome::of(End::Complete)
        },
        false,
    );
    assert_eq!(
        errors.shown(),
        ["accounts               warning: the callback is plain http"]
    );
}

#[test]
fn an_order_that_cannot_be_relied_on_is_a_warning_also_where_the_poll_is_not_done() {
    let (report, _, errors) = report();
    let progress = || Progress {
        unordered: Some("the provider ignores the order".into()),
        ..Progress::default()
    };
    report.polled("accounts", &outcome(End::Complete, progress()), false);
    let unfinished = End::Unfinished("pages remain".into());
    report.polled(
        "contacts-of-customers",
        &outcome(unfinished, progress()),
        false,
    );
    assert_eq!(
        errors.shown(),
        [
            "accounts               warning: the provider ignores the order",
            "contacts-of-customers  warning: pages remain; the next poll goes on from there; \
             the provider ignores the order",
        ]
    );
}

#[test]
fn a_stop_is_no_recovery() {
    let (report, _, errors) = report();
    report.polled("accounts", &failed(), false);
    report.polled("accounts", &Outcome::of(End::Stopped), false);
    assert_eq!(errors.shown().len(), 1, "{:?}", errors.shown());
}

#[test]
fn what_is_told_once_is_nothing_to_recover_from() {
    let (report, _, errors) = report();
    let edited = Remark {
        topic: Topic::Query,
        text: "what is asked was edited".into(),
    };
    let progress = Progress {
        remarks: vec![edited],
        ..Progress::default()
    };
    report.polled("accounts", &outcome(End::Complete, progress), false);
    report.polled("accounts", &well(0, 0), false);
    assert_eq!(
        errors.shown(),
        ["accounts               warning: what is asked was edited"]
    );
}

/// A poll without events tries no callback.
#[test]
fn a_poller_that_found_nothing_is_not_well_while_its_instance_is_held() {
    let (report, _, errors) = report();
    for _ in 0..2 {
        report.waiting("accounts", "the callback answered 503");
        report.polled("accounts", &well(0, 0), true);
    }
    assert_eq!(
        errors.shown(),
        ["accounts               warning: waits: the callback answered 503"]
    );
    report.polled("accounts", &well(0, 0), false);
    assert_eq!(errors.shown()[1], "accounts               well again");
}

#[test]
fn a_poller_that_is_well_again_still_says_what_it_found() {
    let (report, _, errors) = report();
    report.polled("accounts", &failed(), false);
    let progress = Progress {
        unordered: Some("the provider ignores the order".into()),
        ..Progress::default()
    };
    report.polled("accounts", &outcome(End::Complete, progress), false);
    assert_eq!(
        errors.shown()[1..],
        [
            "accounts               well again",
            "accounts               warning: the provider ignores the order",
        ]
    );
}

/// A delivery may go on for long, and its poll's end is told only then.
#[tokio::test(start_paused = true)]
async fn a_refused_event_is_told_while_the_delivery_goes_on_and_not_again_at_its_end() {
    let (report, _, errors) = report();
    let refused = |ids: &[&str]| Progress {
        skipped: ids.len() as u64,
        set_aside: ids
            .iter()
            .map(|id| SetAside {
                object_id: (*id).to_owned(),
                how: crate::poll::How::Skipped,
                status: 422,
                message: "422".to_owned(),
            })
            .collect(),
        ..Progress::default()
    };
    report.progressed("accounts", &refused(&["a"]));
    assert_eq!(errors.shown().len(), 1);
    report.progressed("accounts", &refused(&["a", "b"]));
    assert_eq!(errors.shown().len(), 1, "no more than once a minute");
    let outcome = outcome(End::Complete, refused(&["a", "b", "c"]));
    report.polled("accounts", &outcome, false);
    let shown = errors.shown();
    assert_eq!(shown.len(), 3, "{shown:?}");
    for (line, id) in shown.iter().zip(["a", "b", "c"]) {
        assert!(line.contains(&format!("{id:?}")), "{line}");
    }
}
