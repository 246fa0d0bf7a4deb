//! Objects that this release cannot read: they are left alone, and say so themselves.

use std::time::Duration;

use super::{
    item::Item,
    notices::{Notice, Notices},
    shared::Shared,
    status::{WriteError, conditions::Standing, report_unread},
};
use crate::api::{ConnectorInstance, PollerResource, reasons};

/// Attempts at writing the conditions: the last checkpoint of a poller that was at work may come
/// between.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_secs(2);

/// One of the two kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Instance,
    Poller,
}

/// An object that cannot be read, and why.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Malformed {
    pub(super) item: Item<()>,
    pub(super) error: String,
}

impl Malformed {
    pub(super) fn standing(&self) -> Standing {
        Standing::stalled(reasons::MALFORMED_OBJECT, self.message())
    }

    fn message(&self) -> String {
        format!(
            "this release cannot read the object and leaves it alone: {}",
            self.error
        )
    }
}

/// Writes the object's conditions, and a Kubernetes event where they say anything new.
pub(super) async fn tell(shared: &Shared, kind: Kind, malformed: &Malformed) {
    for _ in 0..ATTEMPTS {
        match report(shared, kind, malformed).await {
            Ok(is_new) => {
                if is_new {
                    publish(shared, kind, malformed);
                }
                return;
            }
            Err(error) => {
                tracing::warn!(object = %malformed.item.key, %error, "the conditions are not written");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn report(shared: &Shared, kind: Kind, malformed: &Malformed) -> Result<bool, WriteError> {
    let (client, budget, item) = (&shared.client, &shared.budget, &malformed.item);
    let (standing, now) = (malformed.standing(), shared.clock.now());
    match kind {
        Kind::Instance => {
            report_unread::<ConnectorInstance, _>(client, budget, item, &standing, now).await
        }
        Kind::Poller => {
            report_unread::<PollerResource, _>(client, budget, item, &standing, now).await
        }
    }
}

fn publish(shared: &Shared, kind: Kind, malformed: &Malformed) {
    let subject = match kind {
        Kind::Instance => Notices::about::<ConnectorInstance, _>(&malformed.item),
        Kind::Poller => Notices::about::<PollerResource, _>(&malformed.item),
    };
    let notice = Notice::warning(reasons::MALFORMED_OBJECT, malformed.message());
    shared.notices.publish(subject, notice);
}
