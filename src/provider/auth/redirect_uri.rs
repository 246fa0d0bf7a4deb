//! A redirect URI in the very letters in which it is registered.

use std::{fmt, ops::Range, str::FromStr};

use reqwest::Url;

/// Where a provider's answer is to go. Providers compare it letter by letter, so it is sent as it was
/// written: a URL that was read and written again may have another slash, port or case.
#[derive(Clone, Debug)]
pub struct RedirectUri {
    text: String,
    url: Url,
}

impl RedirectUri {
    /// What it leads to.
    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.url
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The port that it names, be it the scheme's own.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        let named = self.text.get(self.port_range()).unwrap_or_default();
        (!named.trim_start_matches(':').is_empty())
            .then(|| self.url.port_or_known_default())
            .flatten()
    }

    /// The same with this port, and else letter by letter.
    #[must_use]
    pub fn with_port(mut self, port: u16) -> Self {
        let range = self.port_range();
        self.text.replace_range(range, &format!(":{port}"));
        // Only an address without a host refuses a port.
        let _ = self.url.set_port(Some(port));
        self
    }

    /// Where the port stands in the text, with its colon, or would stand.
    fn port_range(&self) -> Range<usize> {
        let begin = self.text.find("://").map_or(0, |scheme| scheme + 3);
        let rest = self.text.get(begin..).unwrap_or_default();
        let length = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let authority = rest.get(..length).unwrap_or_default();
        // The colons of a name and password, or of an IPv6 address, precede these.
        let host = authority.rfind(['@', ']']).map_or(0, |place| place + 1);
        let behind = authority.get(host..).unwrap_or_default();
        let port = behind.find(':').map_or(length, |colon| host + colon);
        begin + port..begin + length
    }
}

impl FromStr for RedirectUri {
    type Err = <Url as FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim().to_owned();
        text.parse().map(|url| Self { text, url })
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("http://127.0.0.1/cb", None, "http://127.0.0.1:8400/cb")]
    #[case("http://127.0.0.1", None, "http://127.0.0.1:8400")]
    #[case::empty("http://127.0.0.1:/cb", None, "http://127.0.0.1:8400/cb")]
    #[case::the_schemes_own("http://127.0.0.1:80/cb", Some(80), "http://127.0.0.1:8400/cb")]
    #[case::upper_case(
        "https://LocalHost:443?a=b:c",
        Some(443),
        "https://LocalHost:8400?a=b:c"
    )]
    #[case::ipv6("http://[::1]/cb", None, "http://[::1]:8400/cb")]
    #[case::ipv6_with_a_port("http://[::1]:8000/cb", Some(8000), "http://[::1]:8400/cb")]
    #[case::colon_in_the_path("http://localhost/a:1", None, "http://localhost:8400/a:1")]
    fn a_uri_stays_as_it_is_written_but_for_a_port_that_is_filled_in(
        #[case] text: &str,
        #[case] port: Option<u16>,
        #[case] filled: &str,
    ) {
        let uri: RedirectUri = text.parse().unwrap();
        assert_eq!((uri.as_str(), uri.port()), (text, port));
        let uri = uri.with_port(8400);
        assert_eq!((uri.as_str(), uri.url().port()), (filled, Some(8400)));
    }
}
