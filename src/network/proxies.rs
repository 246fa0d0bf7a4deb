//! The proxies that the environment names.

use std::fmt;

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::Url;

use super::proxy_fault::NamedProxy;

/// Through which proxy a host is reached, as `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`
/// say. `Debug` shows no password.
#[derive(Default)]
pub struct Proxies {
    http: Option<NamedProxy>,
    https: Option<NamedProxy>,
    /// Answers for the hosts that `NO_PROXY` leaves to a proxy.
    proxied: Option<Matcher>,
}

/// A variable that names no proxy; the text says what to write instead.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} names no proxy that speaks HTTP: write a URL such as http://proxy.example.com:3128")]
pub struct ProxyError(&'static str);

impl Proxies {
    /// The proxies of this process's environment.
    ///
    /// # Errors
    ///
    /// A variable names no proxy.
    pub fn from_environment() -> Result<Self, ProxyError> {
        Self::new(|name| std::env::var(name).ok())
    }

    /// The proxies of an environment in which a variable has the value that `variable` says. The
    /// upper-case name goes first; curl has it the other way round, and reads no `HTTP_PROXY`, which a
    /// CGI script would get from a request's header.
    ///
    /// # Errors
    ///
    /// A variable names no proxy.
    pub fn new(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ProxyError> {
        let value = |name: &str| {
            let names = [name.to_owned(), name.to_ascii_lowercase()];
            let (name, text) = names
                .into_iter()
                .find_map(|name| variable(&name).map(|text| (name, text)))?;
            let text = text.trim().to_owned();
            (!text.is_empty()).then_some((name, text))
        };
        let proxy = |name| {
            let Some((given, text)) = value(name) else {
                return Ok(None);
            };
            let url = parse(&text).ok_or(ProxyError(name))?;
            Ok(Some(NamedProxy::new(url, given)))
        };
        let all = proxy("ALL_PROXY")?;
        let except = value("NO_PROXY")
            .map(|(_, hosts)| hosts)
            .unwrap_or_default();
        // Which proxy it names is of no concern: it is asked for its exceptions.
        let proxied = Matcher::builder().all("http://proxy.invalid").no(except);
        Ok(Self {
            http: proxy("HTTP_PROXY")?.or_else(|| all.clone()),
            https: proxy("HTTPS_PROXY")?.or(all),
            proxied: Some(proxied.build()),
        })
    }

    /// Whether every host is reached directly.
    pub(super) const fn is_empty(&self) -> bool {
        self.http.is_none() && self.https.is_none()
    }

    /// The proxy through which the URL's host is reached.
    pub(super) fn of(&self, url: &Url) -> Option<&NamedProxy> {
        let proxy = match url.scheme() {
            "http" => self.http.as_ref(),
            "https" => self.https.as_ref(),
            _ => None,
        }?;
        let host: Uri = format!("http://{}/", url.host_str()?).parse().ok()?;
        let is_proxied = self.proxied.as_ref()?.intercept(&host).is_some();
        is_proxied.then_some(proxy)
    }
}

/// A proxy's URL, `http://` unless it says otherwise.
fn parse(text: &str) -> Option<Url> {
    let url = if text.contains("://") {
        Url::parse(text)
    } else {
        Url::parse(&format!("http://{text}"))
    };
    url.ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxies")
            .field("http", &self.http)
            .field("https", &self.https)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Result<Proxies, ProxyError> {
        Proxies::new(|name| {
            let variable = variables.iter().find(|(known, _)| *known == name);
            variable.map(|(_, value)| (*value).to_owned())
        })
    }

    const BOTH: &[(&str, &str)] = &[
        ("HTTPS_PROXY", "http://secure:3128"),
        ("HTTP_PROXY", "plain:8080"),
        ("NO_PROXY", "internal.example, .svc, 10.0.0.0/8, ::1"),
    ];

    #[rstest]
    #[case::https("https://api.example/", Some("http://secure:3128/"))]
    #[case::http("http://api.example/", Some("http://plain:8080/"))]
    #[case::excepted("https://internal.example/", None)]
    #[case::below_the_excepted("https://a.internal.example:8443/", None)]
    #[case::by_its_end("https://receiver.helpdesk.svc/", None)]
    #[case::only_alike("https://notinternal.example/", Some("http://secure:3128/"))]
    #[case::excepted_range("https://10.1.2.3/", None)]
    #[case::another_range("https://11.1.2.3/", Some("http://secure:3128/"))]
    #[case::excepted_v6("https://[::1]/", None)]
    fn a_host_is_reached_as_the_variables_say(#[case] url: &str, #[case] expected: Option<&str>) {
        let proxies = proxies(BOTH).unwrap();
        let url = Url::parse(url).unwrap();
        assert_eq!(proxies.of(&url).map(|proxy| proxy.url().as_str()), expected);
    }

    #[test]
    fn all_stands_in_for_both_and_lower_case_is_read_too() {
        let proxies = proxies(&[
            ("all_proxy", "https://every:1"),
            ("http_proxy", "plain:8080"),
        ])
        .unwrap();
        let of = |url: &str| {
            let proxy = proxies.of(&Url::parse(url).unwrap());
            proxy.map(|proxy| proxy.url().as_str())
        };
        assert_eq!(of("https://a.example/"), Some("https://every:1/"));
        assert_eq!(of("http://a.example/"), Some("http://plain:8080/"));
    }

    #[test]
    fn without_variables_every_host_is_reached_directly() {
        for proxies in [Proxies::default(), proxies(&[("NO_PROXY", "*")]).unwrap()] {
            assert!(proxies.is_empty());
            let url = Url::parse("https://a.example/").unwrap();
            assert!(proxies.of(&url).is_none());
        }
    }

    #[rstest]
    #[case("socks5://proxy:1080")]
    #[case("http://")]
    #[case("http://pro xy")]
    fn what_is_no_proxy_is_refused_with_its_variable(#[case] value: &str) {
        let error = proxies(&[("HTTPS_PROXY", value)]).unwrap_err();
        assert!(error.to_string().starts_with("HTTPS_PROXY names no proxy"));
    }

    /// It is the one to look for.
    #[rstest]
    #[case("HTTPS_PROXY")]
    #[case("https_proxy")]
    #[case("all_proxy")]
    fn a_proxy_is_told_by_the_variable_that_names_it(#[case] variable: &str) {
        let proxies = proxies(&[(variable, "http://ann:s3cr3t@proxy:3128")]).unwrap();
        let proxy = proxies.of(&Url::parse("https://a.example/").unwrap());
        let expected = format!("the proxy http://proxy:3128 that {variable} names");
        assert_eq!(proxy.unwrap().to_string(), expected);
    }

    #[test]
    fn a_password_is_not_shown() {
        let proxies = proxies(&[("HTTPS_PROXY", "http://ann:s3cr3t@proxy:3128")]).unwrap();
        assert!(!format!("{proxies:?}").contains("s3cr3t"));
        let error = self::proxies(&[("HTTPS_PROXY", "ftp://ann:s3cr3t@proxy")]).unwrap_err();
        assert!(!error.to_string().contains("s3cr3t"));
    }
}
