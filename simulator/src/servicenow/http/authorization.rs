//! Who may ask: the bearer of an access token, or the user by name and password.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, header::AUTHORIZATION};

use crate::servicenow::Instance;

pub(super) fn is_granted(instance: &Instance, headers: &HeaderMap) -> bool {
    let header = headers.get(AUTHORIZATION);
    let Some((scheme, credentials)) = header
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
    else {
        return false;
    };
    let state = instance.state();
    if scheme.eq_ignore_ascii_case("bearer") {
        return state.tokens.is_valid(credentials, state.clock.now());
    }
    let user = format!("{}:{}", state.settings.username, state.settings.password);
    scheme.eq_ignore_ascii_case("basic") && credentials == STANDARD.encode(user)
}
