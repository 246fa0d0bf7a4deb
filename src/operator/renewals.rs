//! What outlasts the workers of instances that live on refresh tokens.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::time::timeout;

use super::item::Key;
use crate::{fleet::RENEWAL_GRACE, provider::auth::Renewals};

/// The renewals of every instance that this process has had at work.
///
/// They outlast a term of leadership: what the API server would not take before it ended is the only copy
/// of a rotated token, and a renewal that is still under way keeps the next term's waiting. They go by
/// name, as the token Secrets do: an instance that is made again shares its token with the one before.
#[derive(Clone, Default)]
pub(super) struct KeptRenewals(Arc<Mutex<HashMap<Key, Renewals>>>);

impl KeptRenewals {
    /// Those of one instance.
    pub(super) fn of(&self, instance: &Key) -> Renewals {
        self.lock().entry(instance.clone()).or_default().clone()
    }

    /// Waits until those of one instance have come to [rest](Renewals::rest), [`RENEWAL_GRACE`] at most.
    pub(super) async fn rest(&self, instance: &Key) {
        let renewals = self.lock().get(instance).cloned();
        if let Some(renewals) = renewals {
            let _ = timeout(RENEWAL_GRACE, renewals.rest()).await;
        }
    }

    /// Forgets those of instances that are gone, unless there is something in them to be kept.
    pub(super) fn sweep(&self, exists: impl Fn(&Key) -> bool) {
        self.lock()
            .retain(|key, renewals| exists(key) || !renewals.are_at_rest());
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Renewals>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_of_an_instance_that_is_gone_are_forgotten_once_nobody_uses_them() {
        let (kept, key) = (KeptRenewals::default(), Key::new("helpdesk", "prod"));
        let used = kept.of(&key);
        kept.sweep(|_| false);
        assert_eq!(kept.lock().len(), 1, "a renewal may be under way");
        drop(used);
        kept.sweep(|_| true);
        assert_eq!(kept.lock().len(), 1);
        kept.sweep(|_| false);
        assert!(kept.lock().is_empty());
    }
}
