//! Where an instance's provider is.

use std::collections::BTreeMap;

use reqwest::Url;

use crate::{
    catalog::{Connector, Parameter},
    category::ConfigurationError,
};

/// The base URL: `spec.baseUrl` of the instance, else the connector's with the instance's
/// parameters in it. Plain http is for addresses that `plain_http_allowed` says are.
///
/// # Errors
///
/// A parameter is missing or no host, or the URL is not one of a provider.
pub fn base_url(
    connector: &Connector,
    configuration: &BTreeMap<String, String>,
    override_url: Option<&str>,
    plain_http_allowed: impl Fn(&Url) -> bool,
) -> Result<Url, ConfigurationError> {
    let given = override_url.map(str::trim).filter(|url| !url.is_empty());
    let (field, text) = match given {
        Some(url) => ("spec.baseUrl", url.to_owned()),
        None => ("spec.configuration", fill(connector, configuration)?),
    };
    let example = "write one such as https://acme.example.com";
    let url = Url::parse(&text).map_err(|error| {
        ConfigurationError::new(field, format!("{text:?} is no URL ({error}); {example}"))
    })?;
    check(field, &url, example, plain_http_allowed)?;
    Ok(url)
}

/// The address that a definition states: an absolute one as it is, else a path below `base`.
#[must_use]
pub fn address(base: &Url, stated: &str) -> Url {
    if let Ok(url) = Url::parse(stated) {
        return url;
    }
    let (path, query) = match stated.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (stated, None),
    };
    let mut url = below(base, path);
    url.set_query(query);
    url
}

/// The base URL with a path behind its own.
pub(in crate::provider) fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!(
        "{}/{}",
        base.path().trim_end_matches('/'),
        path.trim_start_matches('/')
    ));
    url
}

fn check(
    field: &str,
    url: &Url,
    example: &str,
    plain_http_allowed: impl Fn(&Url) -> bool,
) -> Result<(), ConfigurationError> {
    let refuse = |message: String| Err(ConfigurationError::new(field, message));
    if url.host_str().is_none() || !matches!(url.scheme(), "https" | "http") {
        return refuse(format!(
            "{:?} is no address of a provider; {example}",
            url.scheme()
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse(
            "a user or password does not belong into the URL; put them into the instance's Secret"
                .into(),
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse(format!("the base URL ends before ? and #; {example}"));
    }
    if url.scheme() == "http" && !plain_http_allowed(url) {
        return refuse(
            "a provider is asked over https; write https, or allow the address (--allow-address)"
                .into(),
        );
    }
    Ok(())
}

fn fill(
    connector: &Connector,
    configuration: &BTreeMap<String, String>,
) -> Result<String, ConfigurationError> {
    let mut url = connector.base_url.clone();
    for (name, parameter) in &connector.parameters {
        let field = format!("spec.configuration[{name:?}]");
        let missing = || {
            let message = format!("missing: {} Or set spec.baseUrl", parameter.description);
            ConfigurationError::new(&field, message)
        };
        let value = configuration
            .get(name)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty());
        let value = resolve(&field, parameter, value.ok_or_else(missing)?)?;
        url = url.replace(&format!("{{{name}}}"), &value);
    }
    Ok(url)
}

fn resolve(field: &str, parameter: &Parameter, value: &str) -> Result<String, ConfigurationError> {
    let Some(domain) = &parameter.host_below else {
        return Ok(value.to_owned());
    };
    if !value.split('.').all(is_label) {
        let message = format!(
            "{value:?} is no name of a host; write acme or acme.{domain}, without https:// and slashes"
        );
        return Err(ConfigurationError::new(field, message));
    }
    Ok(if value.contains('.') {
        value.to_owned()
    } else {
        format!("{value}.{domain}")
    })
}

/// A label of a host name (RFC 1123).
fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    fn resolve(subdomain: Option<&str>, base: Option<&str>) -> Result<String, String> {
        let connector = Catalog::builtin().unwrap().get("servicenowoauth").unwrap();
        let configuration =
            subdomain.map(|value| ("servicenow.subdomain".to_owned(), value.to_owned()));
        let configuration = configuration.into_iter().collect();
        let allowed = |url: &Url| url.host_str() == Some("127.0.0.1");
        base_url(&connector, &configuration, base, allowed)
            .map(String::from)
            .map_err(|error| error.to_string())
    }

    #[rstest::rstest]
    #[case(Some("acme"), None, "https://acme.service-now.com/")]
    #[case(
        Some("acme.servicenowservices.com"),
        None,
        "https://acme.servicenowservices.com/"
    )]
    #[case(None, Some("https://it.example.com"), "https://it.example.com/")]
    #[case(
        Some("acme"),
        Some("http://127.0.0.1:8080/now"),
        "http://127.0.0.1:8080/now"
    )]
    fn the_base_is_the_parameters_or_the_override(
        #[case] subdomain: Option<&str>,
        #[case] base: Option<&str>,
        #[case] url: &str,
    ) {
        assert_eq!(resolve(subdomain, base).as_deref(), Ok(url));
    }

    #[rstest::rstest]
    #[case(
        "https://acme.example.com",
        "/oauth_token.do",
        "https://acme.example.com/oauth_token.do"
    )]
    #[case(
        "https://example.com/acme/",
        "/oauth_token.do",
        "https://example.com/acme/oauth_token.do"
    )]
    #[case(
        "https://example.com/acme",
        "token?v=2",
        "https://example.com/acme/token?v=2"
    )]
    #[case(
        "https://example.com/acme",
        "https://login.example.com/token",
        "https://login.example.com/token"
    )]
    fn a_definitions_address_is_absolute_or_below_the_base(
        #[case] base: &str,
        #[case] stated: &str,
        #[case] expected: &str,
    ) {
        assert_eq!(address(&base.parse().unwrap(), stated).as_str(), expected);
    }

    #[rstest::rstest]
    #[case(None, None, "spec.configuration[\"servicenow.subdomain\"]: missing")]
    #[case(Some(" "), None, "missing")]
    #[case(Some("acme/evil"), None, "no name of a host")]
    #[case(Some("acme@evil"), None, "no name of a host")]
    #[case(Some("-acme"), None, "no name of a host")]
    #[case(Some("https://acme.service-now.com"), None, "without https://")]
    #[case(None, Some("http://acme.example.com"), "over https")]
    #[case(None, Some("https://user:pw@acme.example.com"), "Secret")]
    #[case(None, Some("https://acme.example.com?a=b"), "before ?")]
    #[case(None, Some("ftp://acme.example.com"), "no address")]
    #[case(None, Some("acme.example.com"), "no URL")]
    fn what_is_no_address_of_a_provider_is_refused(
        #[case] subdomain: Option<&str>,
        #[case] base: Option<&str>,
        #[case] words: &str,
    ) {
        let error = resolve(subdomain, base).unwrap_err();
        assert!(error.contains(words), "{error}");
    }
}
