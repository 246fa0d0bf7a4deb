//! Reading what a reconcile works from.

use std::sync::Arc;

use futures::{StreamExt as _, stream};

use super::{InstanceWork, PollerWork, Retry, Worker};
use crate::{
    fleet,
    operator::{
        cache::{Group, InstanceItem, PollerItem},
        ledger::Ledger,
        named_secrets::NamedSecrets,
        shared::Shared,
        status::{OpenError, StatusWriter},
    },
};

/// Statuses of one instance's pollers that are read at once.
const OPENING: usize = 8;

impl Worker {
    /// The objects from the cache, and what is stored of them. What is gone is let go of first.
    ///
    /// The second answer tells of pollers that could not be opened yet; they hold up no other.
    pub(super) async fn dereference(&mut self) -> Result<(Group, Result<(), Retry>), Retry> {
        let group = self.shared.cache.group(&self.key);
        self.let_go(&group).await;
        let stop = self.stop.clone();
        let read = async {
            if let Some(item) = &group.instance {
                self.open_instance(item).await?;
                self.read_credentials(item).await?;
            }
            Ok(self.open_pollers(&group).await)
        };
        let opened = stop.run_until_cancelled(read).await;
        let opened = opened.unwrap_or_else(|| Err(Retry("stopping".to_owned())))?;
        Ok((group, opened))
    }

    /// Stops the work of objects that are gone, or whose names others have taken.
    async fn let_go(&mut self, group: &Group) {
        let instance_uid = group.instance.as_ref().map(|item| item.uid.as_str());
        if self
            .instance
            .as_ref()
            .is_some_and(|work| Some(work.uid()) != instance_uid)
        {
            self.stop_pollers().await;
            self.instance = None;
            self.credentials = None;
        }
        let gone: Vec<_> = self
            .pollers
            .iter()
            .filter(|(name, work)| {
                let item = group.pollers.get(*name);
                work.is_outdated() || item.is_none_or(|item| item.uid != work.uid())
            })
            .map(|(name, _)| name.clone())
            .collect();
        for name in gone {
            if let Some(mut work) = self.pollers.remove(&name) {
                work.rest(&self.shared).await;
            }
        }
    }

    async fn open_instance(&mut self, item: &Arc<InstanceItem>) -> Result<(), Retry> {
        if self.instance.is_some() {
            return Ok(());
        }
        let _permit = self.shared.reads.acquire().await;
        let shared = &self.shared;
        let (client, budget) = (shared.client.clone(), shared.budget.clone());
        match StatusWriter::open(
            client,
            budget,
            &item.key.namespace,
            &item.key.name,
            &item.uid,
        )
        .await
        {
            Ok(writer) => {
                self.instance = Some(InstanceWork::new(item.uid.clone(), writer));
                Ok(())
            }
            Err(error) => Err(Retry(format!("ConnectorInstance {}: {error}", item.key))),
        }
    }

    async fn read_credentials(&mut self, item: &InstanceItem) -> Result<(), Retry> {
        let names = fleet::secret_names(&item.spec);
        let edited = self
            .instance
            .as_ref()
            .is_none_or(|work| !work.has_seen(item));
        if !self.wake.take_secrets_changed() && !edited && self.credentials.is_some() {
            return Ok(());
        }
        let _permit = self.shared.reads.acquire().await;
        match NamedSecrets::read(&self.shared.client, &item.key.namespace, &names).await {
            Ok(credentials) => {
                self.credentials = Some(credentials);
                Ok(())
            }
            Err(error) => {
                self.wake
                    .0
                    .secrets_changed
                    .store(true, std::sync::atomic::Ordering::SeqCst);
                Err(Retry(format!(
                    "the Secrets of ConnectorInstance {}: {error}",
                    item.key
                )))
            }
        }
    }

    /// Opens the records of new pollers; one that cannot be opened delays no other.
    async fn open_pollers(&mut self, group: &Group) -> Result<(), Retry> {
        let new = group
            .pollers
            .values()
            .filter(|item| !self.pollers.contains_key(&item.key.name));
        // Futures that own what they use: through a borrowing closure the worker's own future would
        // not be Send (rust-lang/rust#100013).
        let opening: Vec<_> = new
            .map(|item| open(Arc::clone(&self.shared), Arc::clone(item)))
            .collect();
        let opened: Vec<_> = stream::iter(opening)
            .buffer_unordered(OPENING)
            .collect()
            .await;
        let mut failure = Ok(());
        for (item, ledger) in opened {
            if let Err(error) = self.adopt(&item, ledger) {
                failure = Err(Retry(format!("PollerResource {}: {error}", item.key)));
            }
        }
        failure
    }

    fn adopt(
        &mut self,
        item: &PollerItem,
        ledger: Result<Ledger, OpenError>,
    ) -> Result<(), OpenError> {
        let work = match ledger {
            Ok(ledger) => PollerWork::new(item, ledger),
            Err(OpenError::Gone) => return Ok(()),
            Err(error @ OpenError::Unavailable(_)) => return Err(error),
            Err(error) => PollerWork::unreadable(item, error),
        };
        self.pollers.insert(item.key.name.clone(), work);
        Ok(())
    }
}

async fn open(
    shared: Arc<Shared>,
    item: Arc<PollerItem>,
) -> (Arc<PollerItem>, Result<Ledger, OpenError>) {
    let _permit = shared.reads.acquire().await;
    let ledger = Ledger::open(
        shared.client.clone(),
        shared.budget.clone(),
        shared.clock,
        &item,
    )
    .await;
    (item, ledger)
}
