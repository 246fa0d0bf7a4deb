//! The one writer of an object's status.

use std::time::Duration;

use kube::Client;
use serde_json::Value;

use super::{
    Refusal, Reported,
    conflict::{Fence, Resolution, resolve},
    request::{Failed, Found, Target},
};
use crate::{
    api::{CHECKPOINT_VERSION, unknown_field},
    operator::budget::{Write, WriteBudget},
    poll::StoreError,
};

/// Attempts at one write before its failure is reported.
const ATTEMPTS: u32 = 4;
/// The pause after the first failed attempt; it doubles.
const PAUSE: Duration = Duration::from_millis(250);

/// Writes one object's status, and knows what is stored without reading it again.
///
/// Every write is fenced by the resourceVersion that the last read or write returned.
pub(in crate::operator) struct StatusWriter<K: Reported> {
    client: Client,
    budget: WriteBudget,
    target: Target,
    version: String,
    status: K::Status,
    /// Earlier attempts that may have been stored although no answer said so.
    in_doubt: Vec<Fence>,
}

/// An object whose status cannot be taken over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::operator) enum OpenError {
    #[error("the object is gone, or another one has its name")]
    Gone,
    /// A newer release wrote the checkpoint, in this format.
    #[error(
        "the checkpoint has format {0}, which is newer than this release: run the release that wrote it, or a later one"
    )]
    CheckpointTooNew(i64),
    /// A newer release wrote a field of the checkpoint, which this one would drop.
    #[error(
        "this release does not know the field {0}, and would drop it: run the release that wrote it, or a later one"
    )]
    UnknownField(String),
    #[error(
        "the status is not one that this release can read: {0}; restore it from a backup, or delete and create the \
         object (a poller with startFrom set to the instant to go on from)"
    )]
    Unreadable(String),
    /// The API server could not be reached.
    #[error("{0}")]
    Unavailable(String),
}

/// A write that is not stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::operator) enum WriteError {
    /// Another writer has the object, or it is gone.
    #[error("{0}")]
    Lost(String),
    #[error("{}", .0.message)]
    Refused(Refusal),
    /// The API server could not be reached; whether the write is stored is not known.
    #[error("{0}")]
    Unavailable(String),
}

impl From<WriteError> for StoreError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Lost(message) => Self::ClaimLost(message),
            WriteError::Refused(refusal) => Self::Refused(refusal.message),
            WriteError::Unavailable(message) => Self::Unavailable(message),
        }
    }
}

impl<K: Reported> StatusWriter<K> {
    /// Reads the object's status as it is stored; the cache of a watch may be behind another
    /// replica's last write.
    pub(in crate::operator) async fn open(
        client: Client,
        budget: WriteBudget,
        namespace: &str,
        name: &str,
        uid: &str,
    ) -> Result<Self, OpenError> {
        let target = Target {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            uid: uid.to_owned(),
        };
        let found = target
            .get::<K>(&client)
            .await
            .map_err(OpenError::Unavailable)?
            .ok_or(OpenError::Gone)?;
        if found.metadata.uid.as_deref() != Some(uid) {
            return Err(OpenError::Gone);
        }
        let (version, status) = read::<K>(found)?;
        Ok(Self {
            client,
            budget,
            target,
            version,
            status,
            in_doubt: Vec::new(),
        })
    }

    /// The status as it is stored.
    pub(in crate::operator) const fn status(&self) -> &K::Status {
        &self.status
    }

    /// Stores `next` unless it is what is stored already.
    pub(in crate::operator) async fn write(
        &mut self,
        next: K::Status,
        what: Write,
    ) -> Result<(), WriteError> {
        if next == self.status {
            return Ok(());
        }
        self.budget.acquire(what).await;
        self.write_granted(next).await
    }

    /// Like [`write`](Self::write), for a caller that holds the budget's grant already.
    pub(in crate::operator) async fn write_granted(
        &mut self,
        next: K::Status,
    ) -> Result<(), WriteError> {
        let mut pause = PAUSE;
        let mut problem = String::new();
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            match self.attempt(&next).await {
                Ok(version) => {
                    self.stored(version, next);
                    return Ok(());
                }
                Err(Attempt::Failed(error)) => return Err(error),
                Err(Attempt::Again) => {}
                Err(Attempt::Unreachable(message)) => problem = message,
            }
        }
        Err(WriteError::Unavailable(problem))
    }

    async fn attempt(&mut self, next: &K::Status) -> Result<String, Attempt> {
        match self
            .target
            .put::<K>(&self.client, &self.version, next)
            .await
        {
            Ok(version) => Ok(version),
            Err(Failed::Refused(refusal)) => Err(Attempt::Failed(WriteError::Refused(refusal))),
            Err(Failed::InDoubt(message)) => {
                tracing::debug!(status = %self.target, message, "a status write is in doubt");
                self.look(next, message).await
            }
        }
    }

    /// Reads what is stored after a write whose success is in doubt.
    async fn look(&mut self, carried: &K::Status, message: String) -> Result<String, Attempt> {
        let found = match self.target.get::<K>(&self.client).await {
            Ok(Some(found)) => found,
            Ok(None) => return Err(Attempt::lost("the object is gone")),
            Err(_) => {
                self.doubt(carried);
                return Err(Attempt::Unreachable(message));
            }
        };
        if found.metadata.uid.as_deref() != Some(&self.target.uid) {
            return Err(Attempt::lost("another object has its name"));
        }
        let (version, stored) = read::<K>(found)
            .map_err(|_| Attempt::lost("a newer release has written its status"))?;
        let mut ours = self.in_doubt.clone();
        ours.push(Fence::of::<K>(&self.status));
        match resolve::<K>(&stored, carried, &ours) {
            Resolution::Done => Ok(version),
            Resolution::Lost => Err(Attempt::lost("another writer has stored a checkpoint")),
            // The same version: the write did not arrive, and the server says why.
            Resolution::Again if version == self.version => Err(Attempt::Unreachable(message)),
            Resolution::Again => {
                self.version = version;
                Err(Attempt::Again)
            }
        }
    }

    fn doubt(&mut self, carried: &K::Status) {
        let fence = Fence::of::<K>(carried);
        if !self.in_doubt.contains(&fence) {
            self.in_doubt.push(fence);
        }
    }

    fn stored(&mut self, version: String, status: K::Status) {
        self.version = version;
        self.status = status;
        self.in_doubt.clear();
    }
}

/// What became of one attempt that stored nothing for certain.
enum Attempt {
    Failed(WriteError),
    Again,
    Unreachable(String),
}

impl Attempt {
    fn lost(message: &str) -> Self {
        Self::Failed(WriteError::Lost(message.to_owned()))
    }
}

fn read<K: Reported>(found: Found) -> Result<(String, K::Status), OpenError> {
    let version = found.metadata.resource_version.unwrap_or_default();
    let Some(status) = found.status else {
        return Ok((version, K::Status::default()));
    };
    let format = status
        .pointer("/checkpoint/version")
        .and_then(Value::as_i64);
    if let Some(newer) = format.filter(|format| *format > i64::from(CHECKPOINT_VERSION)) {
        return Err(OpenError::CheckpointTooNew(newer));
    }
    if is_cut(&status) {
        let missing =
            "status.checkpoint is missing, though status.lastSettled shows that it was there";
        return Err(OpenError::Unreadable(missing.to_owned()));
    }
    let read: K::Status = serde_json::from_value(status.clone())
        .map_err(|error| OpenError::Unreadable(error.to_string()))?;
    match unknown_field(&status, &read).filter(|field| field.starts_with("checkpoint.")) {
        Some(field) => Err(OpenError::UnknownField(format!("status.{field}"))),
        None => Ok((version, read)),
    }
}

/// Whether a poller's status has lost its checkpoint, without which it would begin anew.
fn is_cut(status: &Value) -> bool {
    let has = |field: &str| status.get(field).is_some_and(|value| !value.is_null());
    has("lastSettled") && !has("checkpoint")
}

#[cfg(test)]
mod tests;
