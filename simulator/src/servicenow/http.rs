//! The instance's endpoints.

use axum::Router;

use super::Instance;

pub(super) fn router(instance: Instance) -> Router {
    Router::new().with_state(instance)
}
