//! The handle of a simulated instance.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::Router;

use super::{Settings, http, state::State};
use crate::Served;

/// A ServiceNow instance; clones are handles of the same one.
#[derive(Clone, Debug)]
pub struct Instance {
    state: Arc<Mutex<State>>,
}

impl Default for Instance {
    fn default() -> Self {
        Self::new()
    }
}

impl Instance {
    /// An instance with the tables that Pollen's connector names, and no records.
    #[must_use]
    pub fn new() -> Self {
        Self::by_clock(crate::Clock::system())
    }

    /// The same, whose time runs with `clock`.
    #[must_use]
    pub fn by_clock(clock: crate::Clock) -> Self {
        let state = Arc::new(Mutex::new(State::new(clock)));
        Self { state }
    }

    /// The endpoints, for who serves them in another way.
    pub fn router(&self) -> Router {
        http::router(self.clone())
    }

    /// Serves the instance; `127.0.0.1:0` takes a free port.
    ///
    /// # Errors
    ///
    /// The address cannot be bound.
    pub async fn listen(&self, address: &str) -> io::Result<Served> {
        Served::start(address, self.router()).await
    }

    #[must_use]
    pub fn settings(&self) -> Settings {
        self.state().settings.clone()
    }

    /// Changes the settings for the requests to come.
    pub fn configure(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.state().settings);
    }

    /// Adds a table, by itself or extending one.
    ///
    /// # Panics
    ///
    /// There is such a table already, or none to extend.
    pub fn add_table(&self, name: &str, extends: Option<&str>) {
        self.state().schema.add_table(name, extends);
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // A test that panicked with the lock held has failed already.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
