/// What the contract's tests compare their pages with.
#[path = "../../../tests/contract/page.rs"]
mod page;

use std::{fmt::Write as _, ops::RangeInclusive};

use rstest::rstest;

use super::*;

/// All that HTTP has; others are none, and refuse as those below 200 do.
const STATUSES: RangeInclusive<u16> = 200..=599;

impl Verdict {
    const ALL: [Self; 6] = [
        Self::Acknowledged,
        Self::Retry,
        Self::Rejected,
        Self::Misdirected,
        Self::TooLarge,
        Self::Gone,
    ];

    /// What else than a status is understood so.
    const fn besides(self) -> &'static str {
        match self {
            Self::Retry => {
                ", no connection, a connection that breaks off, no answer within `timeout`"
            }
            Self::Gone => ", or any answer with the header `webhook-delivery: disable`",
            _ => "",
        }
    }

    const fn says(self) -> &'static str {
        match self {
            Self::Acknowledged => "acknowledged",
            Self::Retry => "unavailable",
            Self::Rejected => "rejected",
            Self::Misdirected => "rejected, whatever is posted",
            Self::TooLarge => "too large",
            Self::Gone => "gone",
        }
    }

    const fn follows(self) -> &'static str {
        match self {
            Self::Acknowledged => "the events are settled",
            Self::Retry => {
                "the same bytes are sent again; then the instance's pollers wait, and one of them probes"
            }
            Self::Rejected => {
                "a notification of several events is sent again in halves, down to the event that is refused; that one \
                 follows `onRejected`"
            }
            Self::Misdirected => {
                "address, method or credentials are wrong, and no event is: the poller waits, as with `Block`, \
                 whatever `onRejected` says"
            }
            Self::TooLarge => "the same in halves; a single event is rejected",
            Self::Gone => {
                "nothing more is sent, and nothing is probed, until the callback's spec changes or a person resumes it; \
                 a 2xx with the header still acknowledges"
            }
        }
    }

    /// The codes of this meaning, as ranges.
    fn codes(self) -> String {
        let means = |code: &u16| verdict(StatusCode::from_u16(*code).unwrap()) == self;
        let mut ranges: Vec<(u16, u16)> = Vec::new();
        for code in STATUSES.filter(means) {
            match ranges.last_mut() {
                Some((_, last)) if *last + 1 == code => *last = code,
                _ => ranges.push((code, code)),
            }
        }
        let ranges = ranges.into_iter().map(|(first, last)| match last - first {
            0 => format!("{first}"),
            _ => format!("{first}–{last}"),
        });
        ranges.collect::<Vec<_>>().join(", ")
    }
}

fn table() -> String {
    let mut table = String::from("| answer | meaning | what follows |\n|---|---|---|\n");
    for verdict in Verdict::ALL {
        let (codes, besides) = (verdict.codes(), verdict.besides());
        let (says, follows) = (verdict.says(), verdict.follows());
        writeln!(table, "| {codes}{besides} | {says} | {follows} |").unwrap();
    }
    table
}

#[test]
fn the_documented_answers_are_those_that_are_told_apart() {
    page::assert_current(
        "docs/delivery.md",
        "answers",
        &table(),
        "cargo test --lib callback::response",
    );
}

#[rstest]
#[case(100..=199, Verdict::Rejected)]
#[case(200..=299, Verdict::Acknowledged)]
#[case(300..=399, Verdict::Misdirected)]
#[case(400..=400, Verdict::Rejected)]
#[case(401..=401, Verdict::Misdirected)]
#[case(402..=402, Verdict::Rejected)]
#[case(403..=405, Verdict::Misdirected)]
#[case(406..=406, Verdict::Rejected)]
#[case(407..=407, Verdict::Misdirected)]
#[case(408..=409, Verdict::Retry)]
#[case(410..=410, Verdict::Gone)]
#[case(411..=412, Verdict::Rejected)]
#[case(413..=413, Verdict::TooLarge)]
#[case(414..=428, Verdict::Rejected)]
#[case(429..=429, Verdict::Retry)]
#[case(430..=499, Verdict::Rejected)]
#[case(500..=599, Verdict::Retry)]
#[case(600..=999, Verdict::Rejected)]
fn every_status_has_its_meaning(#[case] statuses: RangeInclusive<u16>, #[case] expected: Verdict) {
    for status in statuses {
        assert_eq!(
            verdict(StatusCode::from_u16(status).unwrap()),
            expected,
            "{status}"
        );
    }
}

#[rstest]
#[case(Some("disable"), true)]
#[case(Some(" Disable "), true)]
#[case(Some("abort-message"), false)]
#[case(Some("enable"), false)]
#[case(None, false)]
fn a_receiver_can_ask_that_nothing_more_be_sent(
    #[case] value: Option<&str>,
    #[case] expected: bool,
) {
    let mut headers = HeaderMap::new();
    headers.extend(value.map(|value| (WEBHOOK_DELIVERY, value.parse().unwrap())));
    assert_eq!(disables(&headers), expected);
}
