//! The signals that end a run.

use std::io;

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// How often an end was asked for: by Ctrl-C, by SIGTERM, or by closing the terminal.
#[derive(Clone)]
pub(super) struct Stop(watch::Receiver<u32>);

impl Stop {
    pub(super) fn on_signals() -> io::Result<Self> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hangup = signal(SignalKind::hangup())?;
        let (sender, count) = watch::channel(0);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                    _ = hangup.recv() => {}
                }
                sender.send_modify(|count| *count += 1);
            }
        });
        Ok(Self(count))
    }

    /// Returns when an end has been asked for `times` times.
    pub(super) async fn asked(&self, times: u32) {
        let mut count = self.0.clone();
        let _ = count.wait_for(|count| *count >= times).await.is_ok();
    }
}
