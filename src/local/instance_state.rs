//! What the next process must know of an instance: a provider's wish to be left alone, a callback
//! that is gone.

use std::path::PathBuf;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::state::{self, InstanceRecord, StateError};
use crate::{api::HeldCallback, fleet::InstanceState};

/// Keeps the record at `path` as the instance's state says, until `stop` or until the instance is
/// gone; `callback` is the digest of its callback.
///
/// # Errors
///
/// The file system refuses.
pub(super) async fn keep(
    path: PathBuf,
    mut record: InstanceRecord,
    callback: Option<String>,
    mut instance: watch::Receiver<InstanceState>,
    stop: CancellationToken,
) -> Result<(), StateError> {
    let mut written: Option<InstanceRecord> = state::read(&path)?;
    let mut last = false;
    loop {
        enter(
            &mut record,
            &instance.borrow_and_update(),
            callback.as_ref(),
        );
        if written.as_ref() != Some(&record) {
            // Rare and small: a deferral comes once in minutes.
            state::write(&path, &record)?;
            written = Some(record.clone());
        }
        if last {
            return Ok(());
        }
        last = tokio::select! {
            changed = instance.changed() => changed.is_err(),
            () = stop.cancelled() => true,
        };
    }
}

fn enter(record: &mut InstanceRecord, state: &InstanceState, callback: Option<&String>) {
    record.deferred_until = state.deferred_until;
    record.gone_callback = callback.filter(|_| state.callback_gone).cloned();
    let held = state.held.zip(callback.cloned());
    record.held_callback = held.map(|(held, callback)| HeldCallback {
        callback,
        until: held.until,
        asked: held.asked,
    });
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::fleet::CallbackHold;

    /// The record that an instance in this state leaves, over one that was resumed by `resume`.
    async fn left_by(state: InstanceState, resume: Option<&str>) -> InstanceRecord {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("prod.json");
        let mut record = InstanceRecord::new("servicenowoauth");
        record.gone_callback = Some("before".to_owned());
        state::write(&path, &record).unwrap();
        record.resume(resume.map(str::to_owned).as_ref());
        let (_sender, receiver) = watch::channel(state);
        let stop = CancellationToken::new();
        stop.cancel();
        let callback = Some("digest".to_owned());
        keep(path.clone(), record, callback, receiver, stop)
            .await
            .unwrap();
        state::read(&path).unwrap().unwrap()
    }

    #[tokio::test]
    async fn a_deferral_is_there_for_the_next_process() {
        let until = DateTime::from_timestamp(1_800_000_000, 0);
        let deferred = InstanceState {
            deferred_until: until,
            ..InstanceState::default()
        };
        assert_eq!(left_by(deferred, None).await.deferred_until, until);
    }

    #[tokio::test]
    async fn a_callback_that_failed_is_known_to_the_next_process_with_how_long_it_is_left_alone() {
        let until = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let failed = InstanceState {
            held: Some(CallbackHold { until, asked: true }),
            ..InstanceState::default()
        };
        let held = left_by(failed, None).await.held_callback.unwrap();
        assert_eq!(
            (held.callback.as_str(), held.until, held.asked),
            ("digest", until, true)
        );
    }

    #[tokio::test]
    async fn a_callback_that_is_gone_is_known_to_the_next_process() {
        let gone = InstanceState {
            callback_gone: true,
            ..InstanceState::default()
        };
        let record = left_by(gone, None).await;
        assert_eq!(record.gone_callback.as_deref(), Some("digest"));
    }

    /// Or the annotation's removal would bring the 410 back.
    #[tokio::test]
    async fn that_delivery_was_resumed_is_known_to_the_next_process() {
        let record = left_by(InstanceState::default(), Some("1")).await;
        assert_eq!(record.gone_callback, None);
        assert_eq!(record.last_handled_resume.as_deref(), Some("1"));
    }
}
