//! The URL of a callback, which may itself be what the callback trusts.

use percent_encoding::percent_decode_str;
use reqwest::Url;
use secrecy::SecretString;

use crate::category::ConfigurationError;

/// The shortest part of a URL that is taken for a secret when it stands alone: words such as
/// `hooks` are shorter, and would blot out what a callback says.
const SHORTEST: usize = 8;

/// The URL that stands at `field`.
pub(super) fn parse(field: &str, text: &str) -> Result<Url, ConfigurationError> {
    let error = |message| ConfigurationError::new(field, message);
    let url: Url = text.parse().map_err(|problem| {
        error(format!(
            "this is no URL ({problem}): write one such as https://example.com/events"
        ))
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(error(
            "write a URL that begins with https:// or http://".to_owned(),
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let message = "write the URL without a user and password, and these into the Secret of \
                       spec.events.callback.authentication";
        return Err(error(message.to_owned()));
    }
    Ok(url)
}

/// Whether two URLs have the same scheme, host and port.
#[must_use]
pub fn is_same_origin(one: &str, other: &str) -> bool {
    let origin = |text: &str| Url::parse(text).ok().map(|url| url.origin());
    origin(one).is_some() && origin(one) == origin(other)
}

/// What a callback may repeat of its URL and nobody may read: path and query, and the longer parts
/// of them, as written and decoded.
pub(super) fn secrets(url: &Url) -> Vec<SecretString> {
    let segments = url.path_segments().into_iter().flatten();
    let pairs = url.query_pairs().map(|(_, value)| value.into_owned());
    let written = url.query().into_iter().flat_map(|query| query.split('&'));
    let written = written
        .filter_map(|pair| pair.split_once('='))
        .map(|(_, value)| value);
    let parts = segments
        .chain(written)
        .flat_map(as_written_and_decoded)
        .chain(pairs)
        .filter(|part| part.len() >= SHORTEST);
    let whole = [Some(url.path()).filter(|path| *path != "/"), url.query()];
    let whole = whole.into_iter().flatten().flat_map(as_written_and_decoded);
    whole.chain(parts).map(SecretString::from).collect()
}

fn as_written_and_decoded(text: &str) -> [String; 2] {
    let decoded = percent_decode_str(text).decode_utf8_lossy().into_owned();
    [text.to_owned(), decoded]
}
