//! What commands say, and with which exit code they end.

use std::{
    fmt::Display,
    io::{self, Write as _},
    process::ExitCode,
};

/// A poll, a delivery or the work itself failed.
pub(super) const FAILED: ExitCode = ExitCode::FAILURE;

/// A manifest or an argument is invalid.
#[must_use]
pub(super) fn invalid() -> ExitCode {
    ExitCode::from(2)
}

/// Prints to standard output.
///
/// A reader that has seen enough (`pollen crds | head`) is no failure.
pub(super) fn print(text: impl Display) -> ExitCode {
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            complain(format!("standard output: {error}"))
        }
        _ => ExitCode::SUCCESS,
    }
}

/// Prints an error to standard error.
pub(super) fn complain(text: impl Display) -> ExitCode {
    note("error", text);
    FAILED
}

/// Prints a line of the given kind to standard error.
pub(super) fn note(kind: &str, text: impl Display) {
    // There is nowhere left to say that standard error is closed.
    _ = writeln!(io::stderr(), "{kind}: {text}");
}
