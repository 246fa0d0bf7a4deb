//! What the operator writes of an object: its status, by one writer, fenced.

pub(super) mod conditions;
mod conflict;
mod request;
mod unread;
mod writer;

use kube::core::NamespaceResourceScope;
use serde::{Serialize, de::DeserializeOwned};

pub(super) use request::{FIELD_MANAGER, Refusal};
pub(super) use unread::{report_refused, report_unread};
pub(super) use writer::{OpenError, StatusWriter, WriteError};

use crate::api::{
    Checkpoint, ConnectorInstance, ConnectorInstanceStatus, PollerResource, PollerResourceStatus,
};

/// A kind whose status the operator writes.
pub(super) trait Reported:
    kube::Resource<DynamicType = (), Scope = NamespaceResourceScope>
{
    type Status: Clone + Default + DeserializeOwned + PartialEq + Send + Serialize + Sync + 'static;

    /// The part that tells whether somebody else has written: a poller's checkpoint. `None` where
    /// nothing in the status is worth more than the newest writer's word.
    fn checkpoint(status: &Self::Status) -> Option<&Checkpoint>;
}

impl Reported for PollerResource {
    type Status = PollerResourceStatus;

    fn checkpoint(status: &Self::Status) -> Option<&Checkpoint> {
        status.checkpoint.as_ref()
    }
}

impl Reported for ConnectorInstance {
    type Status = ConnectorInstanceStatus;

    fn checkpoint(_: &Self::Status) -> Option<&Checkpoint> {
        None
    }
}
