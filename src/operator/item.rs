//! An object of one of the two kinds as far as the operator works from it.

use chrono::{DateTime, Utc};
use kube::core::{Object, ObjectMeta};
use serde::{Deserialize, Serialize};

use crate::api::{
    annotations::{CONFIRM_DELETES, POLL_REQUESTED_AT, RESUME_DELIVERY},
    time::from_kube,
};

/// A namespace and a name in it.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct Key {
    pub(super) namespace: String,
    pub(super) name: String,
}

impl Key {
    pub(super) fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
        }
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// A status that is dropped as it arrives: each object's own writer knows what is stored, and a
/// fleet's windows need not be kept twice.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Unread {}

/// An object as a watch delivers it.
pub(super) type Watched<S> = Object<S, Unread>;

/// An object of one of the two kinds: its identity, its spec, and the commands in its annotations.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Item<S> {
    pub(super) key: Key,
    pub(super) uid: String,
    pub(super) generation: i64,
    pub(super) created_at: DateTime<Utc>,
    pub(super) poll_requested_at: Option<String>,
    pub(super) resume_delivery: Option<String>,
    pub(super) confirm_deletes: Option<String>,
    pub(super) spec: S,
}

impl Item<()> {
    /// An object whose spec cannot be read.
    pub(super) fn unread(metadata: ObjectMeta) -> Self {
        Self::new(metadata, ())
    }
}

impl<S: Clone> Item<S> {
    /// `None` for an object that is being deleted.
    pub(super) fn from_watch(object: Watched<S>) -> Option<Self> {
        let is_deleted = object.metadata.deletion_timestamp.is_some();
        (!is_deleted).then(|| Self::new(object.metadata, object.spec))
    }
}

impl<S> Item<S> {
    fn new(metadata: ObjectMeta, spec: S) -> Self {
        let mut annotations = metadata.annotations.unwrap_or_default();
        Self {
            key: Key::new(
                metadata.namespace.unwrap_or_default(),
                metadata.name.unwrap_or_default(),
            ),
            uid: metadata.uid.unwrap_or_default(),
            generation: metadata.generation.unwrap_or_default(),
            created_at: metadata
                .creation_timestamp
                .as_ref()
                .map(from_kube)
                .unwrap_or_default(),
            poll_requested_at: annotations.remove(POLL_REQUESTED_AT),
            resume_delivery: annotations.remove(RESUME_DELIVERY),
            confirm_deletes: annotations.remove(CONFIRM_DELETES),
            spec,
        }
    }

    /// Whether nothing differs that the operator acts on; a write to the status changes none of it.
    fn same(&self, other: &Self) -> bool {
        self.uid == other.uid
            && self.generation == other.generation
            && self.poll_requested_at == other.poll_requested_at
            && self.resume_delivery == other.resume_delivery
            && self.confirm_deletes == other.confirm_deletes
    }

    /// Whether `other` asks for something new.
    pub(super) fn differs(before: Option<&Self>, after: &Self) -> bool {
        before.is_none_or(|before| !before.same(after))
    }
}
