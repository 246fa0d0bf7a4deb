//! The `Link` header (RFC 8288).

use http::HeaderMap;
use reqwest::Url;

/// The target of `rel="next"`, resolved against the request's URL.
pub(super) fn next(headers: &HeaderMap, request: &Url) -> Option<String> {
    let values = headers
        .get_all(http::header::LINK)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let target = values
        .flat_map(links)
        .find(|(_, parameters)| is_next(parameters))
        .map(|(target, _)| target)?;
    request.join(target).ok().map(String::from)
}

/// Targets with their parameters; commas occur inside targets too.
fn links(header: &str) -> Vec<(&str, &str)> {
    let mut links = Vec::new();
    let mut rest = header;
    while let Some((_, after)) = rest.split_once('<') {
        let Some((target, after)) = after.split_once('>') else {
            break;
        };
        let end = after.find('<').unwrap_or(after.len());
        let (parameters, more) = after.split_at(end);
        links.push((target, parameters.trim_end_matches([',', ' '])));
        rest = more;
    }
    links
}

fn is_next(parameters: &str) -> bool {
    parameters
        .split(';')
        .filter_map(|parameter| parameter.split_once('='))
        .any(|(name, value)| {
            let mut relations = value.trim().trim_matches('"').split_ascii_whitespace();
            name.trim().eq_ignore_ascii_case("rel")
                && relations.any(|relation| relation.eq_ignore_ascii_case("next"))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(header: &'static str) -> Option<String> {
        let headers = [(http::header::LINK, http::HeaderValue::from_static(header))]
            .into_iter()
            .collect();
        next(
            &headers,
            &Url::parse("https://acme.example.com/api/list?a=b").unwrap(),
        )
    }

    #[rstest::rstest]
    #[case(
        r#"<https://acme.example.com/x?o=2>;rel="next",<https://acme.example.com/x>;rel="first""#,
        "https://acme.example.com/x?o=2"
    )]
    #[case(r#"<https://acme.example.com/x>; rel="prev", <https://acme.example.com/x?f=a,b>; rel="next last""#, "https://acme.example.com/x?f=a,b")]
    #[case("</api/list?o=2>; rel=next", "https://acme.example.com/api/list?o=2")]
    #[case("<?o=2>;rel=\"next\"", "https://acme.example.com/api/list?o=2")]
    fn the_next_link_is_found_and_resolved(#[case] header: &'static str, #[case] url: &str) {
        assert_eq!(found(header).as_deref(), Some(url));
    }

    #[rstest::rstest]
    #[case(r#"<https://acme.example.com/x>;rel="prev""#)]
    #[case("<https://acme.example.com/x")]
    #[case("next")]
    fn other_headers_have_no_next_link(#[case] header: &'static str) {
        assert_eq!(found(header), None);
    }
}
