//! Log lines on standard error, as text or JSON.

use std::io::{IsTerminal as _, stderr};

use tracing_subscriber::{
    EnvFilter, Layer as _, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

/// The form of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for collectors.
    Json,
}

/// Logging that could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error(
        "log filter {filter:?}: {reason}; write a level such as info, or target=level pairs such as info,pollen=debug"
    )]
    Filter { filter: String, reason: String },
    #[error("logging is set up already")]
    AlreadySet,
}

/// What a condition or a line of the report says better; a filter can ask for it again.
const TOLD_OTHERWISE: &str = "rustls_platform_verifier=off";

/// A client that quotes a whole answer it cannot read, which may be a Secret; no filter asks for it again.
const NEVER_TOLD: &str = "kube_client::client=error";

/// Sends the process's log lines to standard error. `filter` is a level or `target=level` pairs
/// joined by commas (`info,pollen=debug`).
///
/// # Errors
///
/// The filter cannot be read, or logging was set up before.
pub fn init(filter: &str, format: LogFormat) -> Result<(), LogError> {
    let chosen = chosen(filter)?;
    let lines = match format {
        LogFormat::Text => fmt::layer()
            .with_ansi(coloured())
            .with_writer(stderr)
            .boxed(),
        LogFormat::Json => fmt::layer()
            .json()
            .flatten_event(true)
            .with_writer(stderr)
            .boxed(),
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(chosen))
        .try_init()
        .map_err(|_| LogError::AlreadySet)
}

fn chosen(filter: &str) -> Result<EnvFilter, LogError> {
    let directives = format!("{TOLD_OTHERWISE},{filter},{NEVER_TOLD}");
    EnvFilter::try_new(directives).map_err(|error| LogError::Filter {
        filter: filter.to_owned(),
        reason: error.to_string(),
    })
}

/// Collectors keep escape codes as they are; <https://no-color.org> is for people.
fn coloured() -> bool {
    stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_cannot_be_read_is_named() {
        let error = init("pollen=loud", LogFormat::Text).unwrap_err();
        assert!(
            error.to_string().starts_with("log filter \"pollen=loud\""),
            "{error}"
        );
    }

    #[test]
    fn no_filter_shows_an_answer_of_the_api_server_that_cannot_be_read() {
        for filter in ["trace", "kube_client=trace", "kube_client::client=trace"] {
            let directives = chosen(filter).unwrap().to_string();
            let of_client = directives
                .split(',')
                .filter(|directive| directive.starts_with("kube_client::client"));
            assert_eq!(of_client.collect::<Vec<_>>(), [NEVER_TOLD], "{filter}");
        }
    }
}
