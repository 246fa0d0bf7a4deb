//! `PollerWindow`: a segment of a poller's checkpoint that is too large for its status.

#![expect(
    unreachable_pub,
    reason = "KubeSchema repeats the struct inside a function"
)]

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

/// The metadata.uid of the poller that a PollerWindow belongs to.
pub const POLLER_UID_LABEL: &str = "pollen.dev/poller-uid";

/// One immutable segment.
#[derive(Clone, CustomResource, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "pollen.dev",
    version = "v1alpha1",
    kind = "PollerWindow",
    doc = "A part of a PollerResource's checkpoint that is too large for its status, which names it by its digest. Pollen writes it, never changes it, and deletes it when no checkpoint needs it. A backup of pollers includes these.",
    namespaced,
    printcolumn(
        name = "Poller",
        type_ = "string",
        json_path = ".metadata.ownerReferences[0].name"
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    )
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("self == oldSelf", "cannot change, for a checkpoint names it by its digest: delete it and create another"))]
pub struct PollerWindowSpec {
    /// The segment, up to 512 KiB, in base64; the end of metadata.name is its SHA-256.
    #[schemars(length(max = 699_052))]
    pub content: String,
}
