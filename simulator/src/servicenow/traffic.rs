//! The requests that came, and what tests do between them.

use std::{fmt, sync::Arc};

use chrono::{DateTime, Utc};

use super::Instance;

/// A request as it came, answered or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    pub path: String,
    /// The decoded parameters in their order.
    pub query: Vec<(String, String)>,
    /// By the instance's clock.
    pub at: DateTime<Utc>,
}

impl Request {
    /// The first parameter of this name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find_map(|(key, value)| (key == name).then_some(value.as_str()))
    }

    fn is_of_table_api(&self) -> bool {
        [
            "/api/now/table/",
            "/api/now/v1/table/",
            "/api/now/v2/table/",
        ]
        .iter()
        .any(|prefix| self.path.starts_with(prefix))
    }
}

type Hook = Box<dyn FnOnce(&Instance) + Send>;

type Watch = Arc<dyn Fn(&Instance, &Request) + Send + Sync>;

/// What came so far, and what is to happen before what comes.
#[derive(Default)]
pub(super) struct Traffic {
    requests: Vec<Request>,
    /// How many requests of the Table API came, forgotten ones too.
    tables: usize,
    /// Each with the number of the request that it precedes.
    hooks: Vec<(usize, Hook)>,
    watch: Option<Watch>,
}

impl Traffic {
    fn record(&mut self, request: Request) -> Vec<Hook> {
        let is_table = request.is_of_table_api();
        self.requests.push(request);
        if !is_table {
            return Vec::new();
        }
        self.tables += 1;
        let due = self.tables;
        self.hooks
            .extract_if(.., |(number, _)| *number == due)
            .map(|(_, hook)| hook)
            .collect()
    }
}

impl fmt::Debug for Traffic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Traffic")
            .field("requests", &self.requests)
            .field("hooks", &self.hooks.len())
            .finish_non_exhaustive()
    }
}

impl Instance {
    /// Every request since the last [`clear_requests`](Self::clear_requests), in order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.state().traffic.requests.clone()
    }

    /// Those of the Table API.
    #[must_use]
    pub fn table_requests(&self) -> Vec<Request> {
        let mut requests = self.requests();
        requests.retain(Request::is_of_table_api);
        requests
    }

    pub fn clear_requests(&self) {
        self.state().traffic.requests.clear();
    }

    /// Does something just before the n-th request of the Table API from now is answered: 1 is the next one.
    pub fn before_table_request(&self, n: usize, hook: impl FnOnce(&Self) + Send + 'static) {
        let mut state = self.state();
        let number = state.traffic.tables + n;
        state.traffic.hooks.push((number, Box::new(hook)));
    }

    /// Does something just before each request of the Table API is answered, from now on; what was to be done so
    /// far is forgotten.
    pub fn before_table_requests(&self, hook: impl Fn(&Self, &Request) + Send + Sync + 'static) {
        self.state().traffic.watch = Some(Arc::new(hook));
    }

    /// Keeps a request and does what was to be done before it.
    pub(super) fn meet(&self, request: Request) {
        let watch = self.state().traffic.watch.clone();
        if let Some(watch) = watch.filter(|_| request.is_of_table_api()) {
            watch(self, &request);
        }
        let due = self.state().traffic.record(request);
        // The lock is free again: a hook changes the instance.
        for hook in due {
            hook(self);
        }
    }
}
