//! The contract: the kinds, their status, conditions and reasons, and the CRDs made from them.
//!
//! The types are the one source: schema, documentation (`kubectl explain`) and admission rules
//! stand beside the fields, `crds/*.yaml` is generated from them, and [`manifest`] applies the same
//! rules where there is no API server.

pub mod annotations;
mod authentication;
mod callback;
mod checkpoint;
pub mod conditions;
mod connector_instance;
mod crds;
mod dates;
mod deletes;
mod duration;
mod events;
mod handshake;
mod headers;
pub mod manifest;
mod patterns;
mod poller_resource;
mod poller_window;
pub mod reasons;
mod schema;
mod start;
pub mod time;
mod tls;
mod unknown_field;

pub use authentication::{Authentication, AuthenticationType, SecretRef};
pub use callback::{
    Callback, CallbackAuthentication, CallbackAuthenticationType, DeadLetter, EventFormat,
    OnRejected, OpenConnectorsIdentity, SignatureScheme, Signing,
};
pub use checkpoint::{
    CHECKPOINT_VERSION, Checkpoint, ChildProgress, IdList, IdSegment, KeyPosition, MAX_CHILDREN,
    MissingIds, Position, REPLAYS_REMEMBERED, Reconcile, ReplayProgress, RunningReplay, Stream,
    WHOLE_CHECKPOINT_VERSION, Window, WindowSegment,
};
pub use connector_instance::{
    ConnectorInstance, ConnectorInstanceSpec, ConnectorInstanceStatus, HeldCallback,
};
pub use crds::{crds, crds_manifest, crds_yaml};
pub use dates::{CreatedCheck, DatesConfiguration};
pub use deletes::{Deletes, DeletesMode, DeletesStatus, HeldDeletes, Subclasses};
pub use duration::{Duration, DurationError};
pub use events::Events;
pub use handshake::{Handshake, HandshakeMode};
pub use headers::RESERVED_HEADERS;
pub use poller_resource::{InstanceRef, PollerResource, PollerResourceSpec, PollerResourceStatus};
pub use poller_window::{POLLER_UID_LABEL, PollerWindow, PollerWindowSpec};
pub use start::{Replay, StartFrom};
pub use tls::Tls;
pub use unknown_field::unknown_field;
