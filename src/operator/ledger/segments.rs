//! The segments of one poller's checkpoint: a PollerWindow each, owned by the poller.

mod object;

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use kube::{
    Api, Client, Error,
    api::{DeleteParams, ListParams},
};

use self::object::{Creation, Owner};
use crate::{
    api::{Checkpoint, POLLER_UID_LABEL, PollerWindow},
    operator::{
        budget::{Write, WriteBudget},
        item::Key,
        status::WriteError,
    },
    poll::{Segment, SegmentName, StoreError},
};

/// Attempts at one segment before its failure is reported.
const ATTEMPTS: u32 = 3;
/// The pause after the first failed attempt; it doubles.
const PAUSE: Duration = Duration::from_millis(250);
/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The segments of one poller, as the API server has them.
pub(super) struct SegmentObjects {
    reader: Reader,
    budget: WriteBudget,
    /// Segments of checkpoints that are not stored yet.
    unstored: Vec<Segment>,
    /// The objects of this poller, by name: those that were there when a checkpoint with segments
    /// was first written, and those created since. `None` until then.
    present: Option<BTreeSet<String>>,
}

/// So many objects that no checkpoint names may be left for later, or as many as it names.
const LEFT_FOR_LATER: usize = 16;

/// What reads segments, beside whoever writes.
#[derive(Clone)]
pub(super) struct Reader {
    client: Client,
    owner: Owner,
}

impl SegmentObjects {
    pub(super) fn new(client: Client, budget: WriteBudget, key: &Key, uid: &str) -> Self {
        let owner = Owner {
            namespace: key.namespace.clone(),
            name: key.name.clone(),
            uid: uid.to_owned(),
        };
        Self {
            reader: Reader { client, owner },
            budget,
            unstored: Vec::new(),
            present: None,
        }
    }

    pub(super) fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// These are to be stored with the next checkpoint that names them.
    pub(super) fn add(&mut self, segments: &[Segment]) {
        for segment in segments {
            if !self.unstored.contains(segment) {
                self.unstored.push(segment.clone());
            }
        }
    }

    /// Whoever added segments has lost its claim, and its checkpoint with it.
    pub(super) fn forget_unstored(&mut self) {
        self.unstored = Vec::new();
    }

    /// Looks once which objects there are, of which a crash may have left some behind.
    ///
    /// Before a write: what another process creates after it is then never taken for a leftover.
    pub(super) async fn look(&mut self) {
        if self.present.is_some() {
            return;
        }
        match self.reader.list().await {
            Ok(names) => self.present = Some(names),
            Err(error) => {
                let owner = &self.reader.owner;
                tracing::debug!(poller = %owner, %error, "its windows cannot be listed");
            }
        }
    }

    /// Creates what `checkpoint` names and the server has not.
    pub(super) async fn create(
        &mut self,
        checkpoint: Option<&Checkpoint>,
    ) -> Result<(), WriteError> {
        let named = named(checkpoint);
        self.unstored
            .retain(|segment| named.contains(segment.name().as_str()));
        while let Some(segment) = self.unstored.last() {
            self.budget.acquire(Write::Segment).await;
            self.reader.create(segment).await?;
            if let Some(present) = &mut self.present {
                present.insert(self.reader.owner.object_name(segment.name().as_str()));
            }
            self.unstored.pop();
        }
        Ok(())
    }

    /// Deletes what `checkpoint`, which is stored, doesn't name, as far as the budget has room; the
    /// rest with the next one. Where that has become much, it waits for room: else a budget that is
    /// always short would let them grow without end.
    pub(super) async fn remove_unnamed(&mut self, checkpoint: Option<&Checkpoint>) {
        let Some(present) = &mut self.present else {
            return;
        };
        let owner = &self.reader.owner;
        let named = named(checkpoint).into_iter();
        let named: BTreeSet<_> = named.map(|name| owner.object_name(name)).collect();
        let unnamed: Vec<_> = present.difference(&named).cloned().collect();
        let for_later = named.len().max(LEFT_FOR_LATER);
        for (done, name) in unnamed.iter().enumerate() {
            if !self.budget.try_acquire(Write::Removal) {
                if unnamed.len() - done <= for_later {
                    return;
                }
                self.budget.acquire(Write::Removal).await;
            }
            match self.reader.delete(name).await {
                Ok(()) => _ = present.remove(name),
                Err(error) => {
                    tracing::debug!(poller = %owner, name, %error, "a window is left behind");
                }
            }
        }
    }
}

fn named(checkpoint: Option<&Checkpoint>) -> BTreeSet<&str> {
    checkpoint
        .iter()
        .flat_map(|checkpoint| checkpoint.segments())
        .collect()
}

impl Reader {
    fn api(&self) -> Api<PollerWindow> {
        Api::namespaced(self.client.clone(), &self.owner.namespace)
    }

    /// The content of a segment; `None` where there is no such object.
    pub(super) async fn read(&self, name: &SegmentName) -> Result<Option<Bytes>, StoreError> {
        let name = self.owner.object_name(name.as_str());
        let found = answered(self.api().get(&name)).await;
        match found {
            Ok(object) => Ok(Some(object::content(&object))),
            Err(Error::Api(status)) if object::is_gone(&status) => Ok(None),
            Err(error) => Err(StoreError::Unavailable(format!(
                "reading the PollerWindow {}/{name}: {error}",
                self.owner.namespace
            ))),
        }
    }

    /// The names of all objects of this poller, as the server's cache has them.
    async fn list(&self) -> Result<BTreeSet<String>, Error> {
        let selector = format!("{POLLER_UID_LABEL}={}", self.owner.uid);
        let params = ListParams::default().labels(&selector).match_any();
        let api = self.api();
        let listed = answered(api.list_metadata(&params)).await?;
        Ok(listed
            .items
            .into_iter()
            .filter_map(|object| object.metadata.name)
            .collect())
    }

    async fn create(&self, segment: &Segment) -> Result<(), WriteError> {
        let object = self.owner.object(segment);
        let (api, params) = (self.api(), object::create_params());
        let mut pause = PAUSE;
        for attempt in 1.. {
            let created = answered(api.create(&params, &object)).await;
            match self.owner.stored(segment, created.err()) {
                Creation::Done => return Ok(()),
                Creation::Exists => return self.verify(segment).await,
                Creation::Refused(refusal) => return Err(WriteError::Refused(refusal)),
                Creation::InDoubt(message) if attempt == ATTEMPTS => {
                    return Err(WriteError::Unavailable(message));
                }
                Creation::InDoubt(_) => tokio::time::sleep(pause).await,
            }
            pause *= 2;
        }
        Ok(())
    }

    /// An object of that name must be what an earlier attempt stored.
    async fn verify(&self, segment: &Segment) -> Result<(), WriteError> {
        match self.read(segment.name()).await {
            Ok(Some(content)) if content == *segment.content() => Ok(()),
            Ok(Some(_)) => Err(WriteError::Refused(self.owner.taken(segment))),
            Ok(None) => Err(WriteError::Unavailable(
                "a window has just been deleted".to_owned(),
            )),
            Err(error) => Err(WriteError::Unavailable(error.to_string())),
        }
    }

    async fn delete(&self, name: &str) -> Result<(), Error> {
        let api = self.api();
        match answered(api.delete(name, &DeleteParams::default())).await {
            Ok(_) => Ok(()),
            Err(Error::Api(status)) if status.is_not_found() => Ok(()),
            Err(error) => Err(error),
        }
    }
}

async fn answered<T>(request: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let silent = |_| Error::Service("no answer within 10 s".into());
    tokio::time::timeout(TIMEOUT, request)
        .await
        .map_err(silent)?
}

#[cfg(test)]
mod tests;
