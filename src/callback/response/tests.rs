/// What the contract's tests compare their pages with.
#[path = "../../../tests/contract/page.rs"]
mod page;

use std::{fmt::Write as _, ops::RangeInclusive};

use rstest::rstest;

use super::*;

/// All that HTTP ends an exchange with.
const STATUSES: RangeInclusive<u16> = 101..=599;

/// A row of the table of answers.
struct Row {
    is_meant: fn(Verdict) -> bool,
    /// What else than a status is understood so.
    besides: &'static str,
    says: &'static str,
    follows: &'static str,
}

const ROWS: [Row; 7] = [
    Row {
        is_meant: |verdict| verdict == Verdict::Acknowledged,
        besides: "",
        says: "acknowledged",
        follows: "the events are settled",
    },
    Row {
        is_meant: |verdict| verdict == Verdict::Retry,
        besides: ", what is no status of HTTP, no connection, a connection that breaks off, no answer within `timeout`",
        says: "unavailable",
        follows: "the same bytes are sent again; then the instance's pollers wait, and one of them probes",
    },
    Row {
        is_meant: |verdict| verdict == Verdict::Rejected,
        besides: "",
        says: "rejected",
        follows: "a notification of several events is sent again in halves, down to the event that is refused; that one \
                  follows `onRejected`",
    },
    Row {
        is_meant: |verdict| verdict == Verdict::Aborted,
        besides: "what is unavailable or rejected, with the header `webhook-delivery: abort-message`",
        says: "not to be sent again",
        follows: "rejected, as above; nothing is sent again but in halves",
    },
    Row {
        is_meant: |verdict| matches!(verdict, Verdict::Misdirected(_)),
        besides: ", and a 400 that a server in front of the receiver answers",
        says: "rejected, whatever is posted",
        follows: "how or where it is posted is wrong, and no event is: the poller waits, as with `Block`, whatever \
                  `onRejected` says",
    },
    Row {
        is_meant: |verdict| verdict == Verdict::TooLarge,
        besides: "",
        says: "too large",
        follows: "the same in halves; a single event is rejected",
    },
    Row {
        is_meant: |verdict| verdict == Verdict::Gone,
        besides: ", or any answer with the header `webhook-delivery: disable`",
        says: "gone",
        follows: "nothing more is sent, and nothing is probed, until the callback's spec changes or a person resumes it; \
                  a 2xx with the header still acknowledges",
    },
];

/// The codes of a meaning, as ranges.
fn codes(is_meant: impl Fn(Verdict) -> bool) -> String {
    let means = |code: &u16| is_meant(verdict(StatusCode::from_u16(*code).unwrap()));
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

fn table() -> String {
    let mut table = String::from("| answer | meaning | what follows |\n|---|---|---|\n");
    for row in ROWS {
        let (codes, besides) = (codes(row.is_meant), row.besides);
        let (says, follows) = (row.says, row.follows);
        writeln!(table, "| {codes}{besides} | {says} | {follows} |").unwrap();
    }
    table
}

/// What follows from [`Blame`] for a reader of the documentation.
impl Blame {
    const ALL: [Self; 14] = [
        Self::Redirected,
        Self::Credentials,
        Self::Forbidden,
        Self::Unpaid,
        Self::Path,
        Self::LongUrl,
        Self::Headers,
        Self::Format,
        Self::Server,
        Self::Protocol,
        Self::Https,
        Self::Certificate,
        Self::Demand,
        Self::Law,
    ];

    const fn besides(self) -> &'static str {
        match self {
            Self::Headers => ", or a 400 that says `Request Header Or Cookie Too Large` (nginx)",
            Self::Server => ", or a 400 that says `Invalid Hostname` (Windows)",
            Self::Https => {
                "a 400 that says that plain HTTP was sent to an HTTPS port (nginx, Go, Apache, Tomcat, load balancers of AWS)"
            }
            Self::Certificate => {
                "a 400 that says `No required SSL certificate was sent` or `The SSL certificate error` (nginx)"
            }
            _ => "",
        }
    }

    const fn why(self) -> &'static str {
        match self {
            Self::Redirected => {
                "another URL is to be asked, whatever is posted, and nobody named that one in the spec"
            }
            Self::Credentials => "they ask who is there, before anything is looked at",
            Self::Forbidden => {
                "a gateway refuses a wrong path, key or network so as often as a receiver an event"
            }
            Self::Unpaid => "the account has to pay, or has used up what it paid for",
            Self::Path => "nothing is there, or nothing that is posted to",
            Self::LongUrl => "the URL is the same with each notification",
            Self::Headers => "the headers are as long with each notification",
            Self::Format => "the content type is the same with each notification",
            Self::Server => "the server does not answer for the host in the URL",
            Self::Protocol => {
                "it wants to speak another protocol, or another version, with everybody"
            }
            Self::Https => "the URL says http, and the port speaks https",
            Self::Certificate => "TLS was agreed on without a certificate that it takes",
            Self::Demand => {
                "it misses a length, a condition or an `Expect` as it wants them, or will not hear TLS's early data \
                 ([RFC 8470](https://www.rfc-editor.org/rfc/rfc8470)): each notification is sent in the same way"
            }
            Self::Law => {
                "the place is closed to this network or country \
                 ([RFC 7725](https://www.rfc-editor.org/rfc/rfc7725)), as a rule to all that comes from there"
            }
        }
    }
}

fn table_of_blame() -> String {
    let mut table = String::from(
        "| answer | why no event is at fault | what the message says to do |\n|---|---|---|\n",
    );
    for blame in Blame::ALL {
        let codes = codes(|verdict| verdict == Verdict::Misdirected(blame));
        let (besides, why) = (blame.besides(), blame.why());
        let advice = blame.advice("`url`", "`tls`");
        writeln!(table, "| {codes}{besides} | {why} | {advice} |").unwrap();
    }
    table
}

/// Of one page by one test, which may write it.
#[test]
fn the_documented_answers_are_those_that_are_told_apart() {
    for (name, table) in [("answers", table()), ("blame", table_of_blame())] {
        page::assert_current(
            "docs/delivery.md",
            name,
            &table,
            "cargo test --lib callback::response",
        );
    }
}

#[rstest]
#[case(100..=199, Verdict::Misdirected(Blame::Protocol))]
#[case(200..=299, Verdict::Acknowledged)]
#[case(300..=399, Verdict::Misdirected(Blame::Redirected))]
#[case(400..=400, Verdict::Rejected)]
#[case(401..=401, Verdict::Misdirected(Blame::Credentials))]
#[case(402..=402, Verdict::Misdirected(Blame::Unpaid))]
#[case(403..=403, Verdict::Misdirected(Blame::Forbidden))]
#[case(404..=405, Verdict::Misdirected(Blame::Path))]
#[case(406..=406, Verdict::Rejected)]
#[case(407..=407, Verdict::Misdirected(Blame::Credentials))]
#[case(408..=409, Verdict::Retry)]
#[case(410..=410, Verdict::Gone)]
#[case(411..=411, Verdict::Misdirected(Blame::Demand))]
#[case(412..=412, Verdict::Rejected)]
#[case(413..=413, Verdict::TooLarge)]
#[case(414..=414, Verdict::Misdirected(Blame::LongUrl))]
#[case(415..=415, Verdict::Misdirected(Blame::Format))]
#[case(416..=416, Verdict::Rejected)]
#[case(417..=417, Verdict::Misdirected(Blame::Demand))]
#[case(418..=420, Verdict::Rejected)]
#[case(421..=421, Verdict::Misdirected(Blame::Server))]
#[case(422..=424, Verdict::Rejected)]
#[case(425..=425, Verdict::Misdirected(Blame::Demand))]
#[case(426..=426, Verdict::Misdirected(Blame::Protocol))]
#[case(427..=427, Verdict::Rejected)]
#[case(428..=428, Verdict::Misdirected(Blame::Demand))]
#[case(429..=429, Verdict::Retry)]
#[case(430..=430, Verdict::Rejected)]
#[case(431..=431, Verdict::Misdirected(Blame::Headers))]
#[case(432..=450, Verdict::Rejected)]
#[case(451..=451, Verdict::Misdirected(Blame::Law))]
#[case(452..=499, Verdict::Rejected)]
#[case(500..=599, Verdict::Retry)]
#[case(600..=999, Verdict::Retry)]
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
#[case(&["disable"], Wish::Disable)]
#[case(&[" Disable "], Wish::Disable)]
#[case(&["abort-message"], Wish::Abort)]
#[case(&["ABORT-message"], Wish::Abort)]
#[case(&["abort-message", "disable"], Wish::Disable)]
#[case(&["enable"], Wish::None)]
#[case(&[], Wish::None)]
fn a_receiver_can_ask_for_something_beside_the_status(
    #[case] values: &[&str],
    #[case] expected: Wish,
) {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(WEBHOOK_DELIVERY, value.parse().unwrap());
    }
    assert_eq!(Wish::of(&headers), expected);
}
