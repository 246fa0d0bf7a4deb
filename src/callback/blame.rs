//! Answers that refuse whatever is posted: what they blame in place of an event.

use reqwest::StatusCode;

/// What is at fault where no event is, by RFC 9110 unless another is named: the next notification would be
/// answered alike.
///
/// 406, 412, 416 and 423 are none of these: Pollen sends nothing that they could blame by that RFC, so
/// that who answers with them means the content, as filters for attacks (406) and rules of a receiver do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blame {
    Redirected,
    Credentials,
    Forbidden,
    Unpaid,
    Path,
    LongUrl,
    Headers,
    Format,
    Server,
    Protocol,
    Https,
    Certificate,
    Demand,
    Law,
}

/// The longest page of a server that is searched for its words.
const LONGEST_PAGE: usize = 1024;

/// What servers write into a 400 before any receiver behind them has seen the request, in lower case and
/// without a full stop.
const PAGES: [(&str, Blame); 8] = [
    // nginx, and AWS's load balancers.
    (
        "the plain http request was sent to https port",
        Blame::Https,
    ),
    // Go.
    (
        "client sent an http request to an https server",
        Blame::Https,
    ),
    // Apache.
    (
        "speaking plain http to an ssl-enabled server port",
        Blame::Https,
    ),
    // Tomcat.
    (
        "this combination of host and port requires tls",
        Blame::Https,
    ),
    // nginx.
    ("no required ssl certificate was sent", Blame::Certificate),
    ("the ssl certificate error", Blame::Certificate),
    ("request header or cookie too large", Blame::Headers),
    // Windows (http.sys).
    ("bad request - invalid hostname", Blame::Server),
];

impl Blame {
    /// What a status blames; `None` where it is an event, or nothing.
    pub(super) const fn of_status(status: StatusCode) -> Option<Self> {
        Some(match status.as_u16() {
            100..=199 | 426 => Self::Protocol,
            300..=399 => Self::Redirected,
            401 | 407 => Self::Credentials,
            402 => Self::Unpaid,
            403 => Self::Forbidden,
            404 | 405 => Self::Path,
            411 | 417 | 425 | 428 => Self::Demand,
            414 => Self::LongUrl,
            415 => Self::Format,
            421 => Self::Server,
            431 => Self::Headers,
            451 => Self::Law,
            _ => return None,
        })
    }

    /// What the page of a 400 blames, where a server wrote it and no receiver.
    pub(super) fn of_page(status: StatusCode, page: &[u8]) -> Option<Self> {
        if status != StatusCode::BAD_REQUEST || page.len() > LONGEST_PAGE {
            return None;
        }
        let page = String::from_utf8_lossy(page).to_ascii_lowercase();
        let known = PAGES.iter().find(|(words, _)| is_page(&page, words));
        known.map(|(_, blame)| *blame)
    }

    /// What to check, where `url` is the field that names the receiver and `tls` its certificates.
    pub(super) fn advice(self, url: &str, tls: &str) -> String {
        match self {
            Self::Redirected => format!("write the URL it redirects to at {url} of the instance"),
            Self::Credentials | Self::Forbidden => {
                format!("check {url} of the instance, and the authentication and headers beside it")
            }
            Self::Unpaid => format!(
                "see whether the account at the receiver is paid for and not used up, and check {url} of the \
                 instance, and the authentication and headers beside it"
            ),
            Self::Path => format!("check {url} of the instance"),
            Self::LongUrl => format!("shorten {url} of the instance"),
            Self::Headers => {
                format!("shorten the headers and the authentication beside {url} of the instance")
            }
            Self::Format => format!(
                "check that {url} of the instance takes the content type of what is posted there, for events that of \
                 spec.events.callback.format"
            ),
            Self::Server | Self::Protocol => {
                format!("check scheme, host and port in {url} of the instance")
            }
            Self::Https => format!("write https:// at {url} of the instance"),
            Self::Certificate => format!(
                "put a certificate that it takes into a Secret as tls.crt and tls.key, and name the Secret at \
                 {tls}.secretRef of the instance"
            ),
            Self::Demand => format!(
                "check {url} of the instance, and the gateway in front of the receiver, which asks this of every request"
            ),
            Self::Law => format!(
                "ask whoever runs the receiver why it is closed to this network, and check {url} of the instance"
            ),
        }
    }
}

/// Whether a server's page says so: in HTML, or as a line of plain text.
///
/// A receiver may repeat what an event says, as those do that name a value they do not take. That decides
/// nothing, and stands in JSON, or among other words.
fn is_page(page: &str, words: &str) -> bool {
    if page.trim_start().starts_with('<') {
        return page.contains(words);
    }
    let mut lines = page.lines().map(|line| line.trim().trim_end_matches('.'));
    lines.any(|line| line == words)
}
