//! What a cluster stores of pollers, as `kubectl get pollers -o yaml` prints it.

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{
    folder::Document,
    memory::Memory,
    object,
    problem::{ObjectName, Problem},
    state::FileCheckpointStore,
};
use crate::{
    api::Checkpoint,
    poll::{CheckpointStore, Progress, Segment, SegmentName, StoreError},
};

/// A poller as a cluster has it.
#[derive(Clone, Debug)]
pub(super) struct Live {
    uid: String,
    created_at: DateTime<Utc>,
    pub(super) checkpoint: Option<Checkpoint>,
    /// Why and how far it is ready, where that is not plainly so.
    pub(super) condition: Option<String>,
}

/// The pollers among `documents` that come out of a cluster; a checkpoint that cannot be read is a
/// problem, and its poller is missing.
pub(super) fn read(documents: &[Document]) -> (BTreeMap<ObjectName, Live>, Vec<Problem>) {
    let (mut all, mut problems) = (BTreeMap::new(), Vec::new());
    for document in documents {
        let Some(name) = object::name_of("PollerResource", &document.value) else {
            continue;
        };
        match Live::read(&document.value) {
            Ok(live) => all.extend(live.map(|live| (name, live))),
            Err(error) => problems.push(Problem {
                place: document.at("status.checkpoint"),
                message: format!("PollerResource {name}: status.checkpoint: {error}"),
            }),
        }
    }
    (all, problems)
}

impl Live {
    /// `None` for a manifest that was never in a cluster.
    fn read(document: &Value) -> Result<Option<Self>, serde_json::Error> {
        let text = |pointer| document.pointer(pointer).and_then(Value::as_str);
        let Some(uid) = text("/metadata/uid") else {
            return Ok(None);
        };
        let created_at = text("/metadata/creationTimestamp").and_then(|text| text.parse().ok());
        let checkpoint = document.pointer("/status/checkpoint").cloned();
        Ok(Some(Self {
            uid: uid.to_owned(),
            created_at: created_at.unwrap_or_default(),
            checkpoint: checkpoint.map(serde_json::from_value).transpose()?,
            condition: condition(document),
        }))
    }

    /// Puts what the cluster knows in the place of what a state folder would.
    pub(super) fn recall(&self, name: &ObjectName, memory: &mut Memory) {
        memory.learn(name, |record| {
            record.uid.clone_from(&self.uid);
            record.first_seen = self.created_at;
            record.checkpoint.clone_from(&self.checkpoint);
        });
    }
}

fn condition(document: &Value) -> Option<String> {
    let conditions = document.pointer("/status/conditions")?.as_array()?;
    let ready = conditions
        .iter()
        .find(|condition| condition["type"] == "Ready")?;
    let text = |field: &str| ready.get(field).and_then(Value::as_str).unwrap_or_default();
    (text("reason") != "Succeeded").then(|| {
        format!(
            "Ready={} {}: {}",
            text("status"),
            text("reason"),
            text("message")
        )
    })
}

/// A checkpoint to look at.
#[derive(Debug)]
pub(super) enum LiveStore {
    /// As a cluster shows it, or none yet.
    Shown(Option<Box<Checkpoint>>),
    InFile(FileCheckpointStore),
}

impl CheckpointStore for LiveStore {
    fn window_capacity(&self) -> usize {
        usize::MAX
    }

    fn known_capacity(&self) -> usize {
        usize::MAX
    }

    async fn load(&mut self) -> Result<Option<Checkpoint>, StoreError> {
        match self {
            Self::Shown(checkpoint) => Ok(checkpoint.as_deref().cloned()),
            Self::InFile(store) => store.load().await,
        }
    }

    async fn load_segment(&mut self, name: &SegmentName) -> Result<Option<Bytes>, StoreError> {
        match self {
            Self::Shown(_) => Err(StoreError::Refused(
                "its window stands in objects of its own, which `kubectl get pollers` does not \
                 show: look for the record in the log at trace level"
                    .to_owned(),
            )),
            Self::InFile(store) => store.load_segment(name).await,
        }
    }

    async fn save(
        &mut self,
        _checkpoint: &Checkpoint,
        _segments: &[Segment],
        _progress: &Progress,
    ) -> Result<(), StoreError> {
        Err(StoreError::Refused(
            "a checkpoint that is only looked at is not written".to_owned(),
        ))
    }
}
