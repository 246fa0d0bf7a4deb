//! Where a credential stands in a request.

use http::{HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use reqwest::Request;

/// What a form leaves as it is (`application/x-www-form-urlencoded` of the URL standard); a space
/// becomes a plus.
const FORM: AsciiSet = NON_ALPHANUMERIC
    .remove(b'*')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b' ');

/// The part of a request that carries a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Header(HeaderName),
    /// A parameter of the query.
    Query(String),
}

impl Place {
    /// Puts a credential there, in place of what stands there: a next link may repeat the one that it
    /// was asked with.
    pub(in crate::provider) fn put(&self, request: &mut Request, credential: &HeaderValue) {
        match self {
            Self::Header(name) => {
                request.headers_mut().insert(name, credential.clone());
            }
            Self::Query(name) => {
                let credential = query_encoded(credential.to_str().unwrap_or_default());
                let own = format!("{}={credential}", query_encoded(name));
                // The others keep their spelling, which matters to some providers.
                let query = request.url().query().unwrap_or_default();
                let others = query
                    .split('&')
                    .filter(|pair| !pair.is_empty() && name_of(pair) != *name);
                let query = others.chain([own.as_str()]).collect::<Vec<_>>().join("&");
                request.url_mut().set_query(Some(&query));
            }
        }
    }
}

/// A text as it stands in the query of a request.
pub(super) fn query_encoded(text: &str) -> String {
    utf8_percent_encode(text, &FORM)
        .to_string()
        .replace(' ', "+")
}

/// The name of a parameter.
fn name_of(pair: &str) -> String {
    let name = pair.split('=').next().unwrap_or_default().replace('+', " ");
    percent_decode_str(&name).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use reqwest::Method;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::alone("", "api+key=k%26+%2By")]
    #[case::beside("?a=b%20c&d=%5E", "a=b%20c&d=%5E&api+key=k%26+%2By")]
    #[case::repeated(
        "?api+key=k&a=1&api%20key=k2&api%20keys=3&api+key",
        "a=1&api%20keys=3&api+key=k%26+%2By"
    )]
    fn a_key_stands_once_in_the_query(#[case] query: &str, #[case] expected: &str) {
        let url = format!("https://acme.example/list{query}").parse().unwrap();
        let mut request = Request::new(Method::GET, url);
        let key = HeaderValue::from_static("k& +y");
        Place::Query("api key".to_owned()).put(&mut request, &key);
        assert_eq!(request.url().query(), Some(expected));
    }

    #[test]
    fn a_key_is_encoded_as_forms_are() {
        let url: reqwest::Url = "https://acme.example/".parse().unwrap();
        for text in ["k&y +%", "a*b-c.d_e~f", "\u{e9}=/?#'\"<>", ""] {
            let mut url = url.clone();
            url.query_pairs_mut().append_key_only(text);
            assert_eq!(Some(query_encoded(text).as_str()), url.query());
        }
    }
}
