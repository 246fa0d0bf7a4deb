//! How a command that runs for long is stopped.

use std::{io, process};

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Cancels `stop` with the first SIGTERM or SIGINT, after `tell`; a second one ends the process, after
/// `tell_end`.
///
/// # Errors
///
/// The signals cannot be received.
pub(super) fn stop_on_signals(
    stop: CancellationToken,
    tell: impl FnOnce() + Send + 'static,
    tell_end: impl FnOnce() + Send + 'static,
) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        tell();
        stop.cancel();
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        tell_end();
        process::exit(1);
    });
    Ok(())
}
