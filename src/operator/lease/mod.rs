//! The Lease that decides which replica polls (`coordination.k8s.io/v1`).
//!
//! The decision is [`election`]'s, a pure state machine; this module reads and writes the Lease.
//! A Lease is advice, not a lock: checkpoints are fenced by their resourceVersion besides.

mod election;
mod rival;

use std::time::Duration;

use chrono::{DateTime, Utc};
use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
};
use kube::{Api, Client, Resource as _, api::PostParams};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use self::election::{Election, Held, Move};
pub(super) use self::rival::{Rival, Sight};
use super::settings::Settings;
use crate::{api::time::to_kube, clock::Clock};

/// The Lease of this release, and this process's part in it.
pub(super) struct Membership {
    leases: Api<Lease>,
    name: String,
    identity: String,
    duration: Duration,
    clock: Clock,
    leads: watch::Sender<bool>,
}

impl Membership {
    /// `client` should be used for nothing else, so that no other request delays a renewal.
    pub(super) fn new(client: Client, settings: &Settings, clock: Clock) -> Self {
        Self {
            leases: Api::namespaced(client, &settings.own_namespace),
            name: settings.lease_name.clone(),
            identity: settings.identity.clone(),
            duration: settings.lease_duration,
            clock,
            leads: watch::Sender::new(false),
        }
    }

    /// Whether this process leads, as it changes.
    pub(super) fn leads(&self) -> watch::Receiver<bool> {
        self.leads.subscribe()
    }

    /// Takes part in the election until `stop`; then the claim stays until [`release`](Self::release).
    ///
    /// Leadership ends in time even while a request hangs.
    pub(super) async fn take_part(&self, stop: &CancellationToken) {
        let mut election = Election::new(self.identity.clone(), self.duration);
        while !stop.is_cancelled() {
            // A request that hangs is given up long before the claim runs out, and at the end.
            let round = timeout(self.duration / 6, self.round(&mut election));
            if let Some(Err(_)) = stop.run_until_cancelled(round).await {
                tracing::warn!(
                    lease = self.name,
                    "the Lease could not be read or written in time"
                );
            }
            self.announce(election.leads(Instant::now()));
            let pause = self.pause(&election);
            let _ = stop.run_until_cancelled(sleep(pause)).await;
            self.announce(election.leads(Instant::now()));
        }
    }

    /// Gives the claim up, so that another replica need not wait for its end.
    pub(super) async fn release(&self) {
        self.announce(false);
        let released = timeout(self.duration / 6, async {
            let Some(mut lease) = self.leases.get_opt(&self.name).await? else {
                return Ok(());
            };
            let spec = lease.spec.get_or_insert_default();
            if spec.holder_identity.as_deref() == Some(&self.identity) {
                spec.holder_identity = None;
                self.leases
                    .replace(&self.name, &PostParams::default(), &lease)
                    .await?;
            }
            Ok::<(), kube::Error>(())
        });
        match released.await {
            Ok(Ok(())) => tracing::info!(lease = self.name, "the Lease is released"),
            Ok(Err(error)) => {
                tracing::warn!(lease = self.name, %error, "the Lease could not be released")
            }
            Err(_) => tracing::warn!(lease = self.name, "the Lease could not be released in time"),
        }
    }

    /// One look at the Lease, and the claim if it is due.
    async fn round(&self, election: &mut Election) {
        let lease = match self.leases.get_opt(&self.name).await {
            Ok(lease) => lease,
            Err(error) => {
                return tracing::warn!(lease = self.name, %error, "the Lease could not be read");
            }
        };
        let held = lease.as_ref().map(|lease| held(lease, self.duration));
        let sent = Instant::now();
        if election.observe(held.as_ref(), sent) == Move::Wait {
            return;
        }
        match self.claim(lease).await {
            Ok(()) => election.claimed(sent),
            Err(kube::Error::Api(status)) if status.is_conflict() || status.is_already_exists() => {
                tracing::debug!(lease = self.name, "another replica was first");
            }
            Err(error) => {
                tracing::warn!(lease = self.name, %error, "the Lease could not be written")
            }
        }
    }

    /// Writes this process's claim; the resourceVersion that was read fences it.
    async fn claim(&self, read: Option<Lease>) -> Result<(), kube::Error> {
        let now = self.clock.now();
        match read {
            None => {
                let metadata = ObjectMeta {
                    name: Some(self.name.clone()),
                    ..ObjectMeta::default()
                };
                let lease = Lease {
                    metadata,
                    spec: Some(self.spec(None, now)),
                };
                self.leases.create(&PostParams::default(), &lease).await?;
            }
            Some(mut lease) => {
                lease.spec = Some(self.spec(lease.spec.as_ref(), now));
                self.leases
                    .replace(&self.name, &PostParams::default(), &lease)
                    .await?;
            }
        }
        Ok(())
    }

    fn spec(&self, before: Option<&LeaseSpec>, now: DateTime<Utc>) -> LeaseSpec {
        let renewal =
            before.is_some_and(|spec| spec.holder_identity.as_deref() == Some(&self.identity));
        let transitions = before
            .and_then(|spec| spec.lease_transitions)
            .unwrap_or_default();
        let renewed = MicroTime(to_kube(now).0);
        LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(self.duration.as_secs()).ok(),
            renew_time: Some(renewed.clone()),
            acquire_time: before
                .filter(|_| renewal)
                .and_then(|spec| spec.acquire_time.clone())
                .or(Some(renewed)),
            lease_transitions: Some(if renewal {
                transitions
            } else {
                transitions.saturating_add(1)
            }),
            ..LeaseSpec::default()
        }
    }

    /// Until the next look: a renewal each sixth of the duration, and the end of leadership on time.
    fn pause(&self, election: &Election) -> Duration {
        let round = self.duration / 6;
        let left = election
            .leads_until()
            .map(|until| until.saturating_duration_since(Instant::now()));
        left.filter(|left| !left.is_zero())
            .map_or(round, |left| left.min(round))
    }

    fn announce(&self, leads: bool) {
        self.leads
            .send_if_modified(|led| std::mem::replace(led, leads) != leads);
    }
}

/// What a Lease shows; `duration` where it states none.
fn held(lease: &Lease, duration: Duration) -> Held {
    let spec = lease.spec.as_ref();
    let seconds = spec
        .and_then(|spec| spec.lease_duration_seconds)
        .and_then(|seconds| u64::try_from(seconds).ok());
    let holder = spec.and_then(|spec| spec.holder_identity.clone());
    Held {
        holder: holder.filter(|holder| !holder.is_empty()),
        version: lease.meta().resource_version.clone().unwrap_or_default(),
        duration: seconds.map_or(duration, Duration::from_secs),
    }
}

#[cfg(test)]
mod tests;
