//! Two releases that watch one namespace: an instance is the first's while that one's Lease lives.

use std::time::Duration;

use super::{InstanceWork, Retry, Worker};
use crate::{
    api::{ConnectorInstance, reasons},
    operator::{
        cache::Group,
        lease::{Rival, Sight},
        notices::{Notice, Notices},
    },
};

/// How often another release is looked for: longer than a Lease lasts, so that the second look at
/// a dead one's finds it out.
pub(super) const PAUSE: Duration = Duration::from_secs(30);

impl Worker {
    /// Whether this release may act on the instance and its pollers.
    pub(super) async fn owns(&mut self, group: &Group) -> Result<bool, Retry> {
        let (Some(item), Some(work)) = (&group.instance, &self.instance) else {
            return Ok(true);
        };
        let Some(other) = work.other_owner(&self.shared.owner) else {
            return Ok(true);
        };
        let rival = match &mut self.rival {
            Some(rival) if rival.is(&other) => rival,
            rival => rival.insert(Rival::new(&other)),
        };
        let sight = rival.look(&self.shared.client).await;
        let sight =
            sight.map_err(|error| Retry(format!("the Lease of release {other}: {error}")))?;
        if let Some(note) = note(&other, sight).filter(|_| rival.is_news(sight)) {
            tracing::warn!(instance = %item.key, note);
            let subject = Notices::about::<ConnectorInstance, _>(item);
            self.shared
                .notices
                .publish(subject, Notice::warning(reasons::NOT_OWNED, note));
        }
        Ok(sight == Sight::Gone)
    }

    /// Leaves the instance to the release that has it; whose it is will be read anew, since a
    /// person may give it away by removing `status.controllerName`.
    pub(super) async fn leave(&mut self) {
        self.rest().await;
        self.instance = None;
    }
}

/// What to tell of another release, in the 250 characters that an event is sure to hold.
fn note(other: &str, sight: Sight) -> Option<String> {
    match sight {
        Sight::Gone => None,
        Sight::Lives => Some(format!(
            "release {other} has this instance: this one leaves it alone while that one's Lease lives"
        )),
        Sight::Hidden => Some(format!(
            "release {other} has this instance and may live, for its Lease may not be read: \
             grant this one get on that Lease or, if that release is gone, remove status.controllerName"
        )),
    }
}

impl InstanceWork {
    /// The release that has the instance, if it is not `own`.
    fn other_owner(&self, own: &str) -> Option<String> {
        self.writer
            .status()
            .controller_name
            .clone()
            .filter(|name| name != own)
    }
}
