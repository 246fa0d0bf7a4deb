//! The contract: both kinds, their status, conditions and reasons.

mod authentication;
mod checkpoint;
mod connector_instance;
mod duration;
mod events;
mod poller_resource;

pub use authentication::{Authentication, AuthenticationType, SecretRef};
pub use checkpoint::{
    CHECKPOINT_VERSION, Checkpoint, KeyPosition, Position, Reconcile, ReplayProgress, Stream,
    Window,
};
pub use connector_instance::{ConnectorInstance, ConnectorInstanceSpec, ConnectorInstanceStatus};
pub use duration::Duration;
pub use events::{
    Callback, CallbackAuthentication, CallbackAuthenticationType, DeadLetter, EventFormat, Events,
    OnRejected, OpenConnectorsIdentity, SignatureScheme, Signing,
};
pub use poller_resource::{
    CreatedCheck, DatesConfiguration, Deletes, DeletesMode, DeletesStatus, HeldDeletes,
    InstanceRef, PollerResource, PollerResourceSpec, PollerResourceStatus, Replay, StartFrom,
    Subclasses,
};
