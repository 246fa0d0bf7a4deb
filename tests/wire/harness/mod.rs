//! A provider, a receiver and a folder of manifests between them, and the binary run on it.

mod manifests;
mod process;
mod tls;
mod world;

use std::time::Duration;

pub(crate) use manifests::Manifests;
pub(crate) use process::{Ended, Pollen};
pub(crate) use tls::{Authority, Tls};
pub(crate) use world::World;

/// Longer than anything takes that is going to happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
