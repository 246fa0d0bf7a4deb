//! Two releases that watch one namespace: an instance is the first's while that one's Lease lives.

use std::time::Duration;

use super::{InstanceWork, Retry, Worker};
use crate::{
    api::{ConnectorInstance, reasons},
    operator::{
        cache::Group,
        lease::Rival,
        notices::{Notice, Notices},
    },
};

/// How often another release is looked for: longer than a Lease lasts, so that the second look at
/// a dead one's finds it out.
pub(super) const PAUSE: Duration = Duration::from_secs(30);

impl Worker {
    /// Whether this release may act on the instance and its pollers.
    pub(super) async fn owns(&mut self, group: &Group) -> Result<bool, Retry> {
        let (Some(item), Some(work)) = (&group.instance, &mut self.instance) else {
            return Ok(true);
        };
        let Some(other) = work.other_owner(&self.shared.owner) else {
            return Ok(true);
        };
        let known = work.rival.as_ref().is_some_and(|rival| rival.is(&other));
        let rival = match &mut work.rival {
            Some(rival) if known => rival,
            rival => rival.insert(Rival::new(&other)),
        };
        let gone = rival.is_gone(&self.shared.client).await;
        let gone = gone.map_err(|error| Retry(format!("the Lease of release {other}: {error}")))?;
        if !gone && !known {
            let note = format!(
                "release {other} has this instance: this one leaves it alone while that one's Lease lives"
            );
            tracing::warn!(instance = %item.key, note);
            let subject = Notices::about::<ConnectorInstance, _>(item);
            self.shared
                .notices
                .publish(subject, Notice::warning(reasons::NOT_OWNED, note));
        }
        Ok(gone)
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
