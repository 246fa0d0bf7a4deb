//! One process: its parts, how they are put together, and how they stop.

use std::{sync::Arc, time::Duration};

use tokio::{sync::mpsc, task::JoinSet};
use tokio_util::sync::CancellationToken;

use super::{
    OperatorError, Settings,
    budget::WriteBudget,
    cache::Cache,
    connect::Clients,
    controller::Controller,
    lease::Membership,
    notices::Notices,
    renewals::KeptRenewals,
    shared::Shared,
    tokens::TokenSecrets,
    watch::{Change, Watch},
    worker,
};
use crate::{
    api::{ConnectorInstance, ConnectorInstanceSpec, PollerResource, PollerResourceSpec},
    callback::RetryPolicy,
    catalog::Catalog,
    clock::Clock,
    fleet::Environment,
    network,
    telemetry::{Board, Metrics, Readiness, Served, serve},
};

/// How long the workers may take to stop when the process ends: within the chart's
/// `terminationGracePeriodSeconds`, and with some seconds left to release the Lease. Who upgrades waits so
/// long only where a token service is slow.
const GRACE: Duration = Duration::from_secs(worker::GRACE.as_secs() + 1);

/// How a notification is repeated within a poll; a callback that is down for longer holds its
/// instance, and one poll probes it.
const RETRY: RetryPolicy = RetryPolicy {
    first: Duration::from_secs(1),
    max: Duration::from_secs(10),
    give_up_after: Duration::from_secs(20),
};

/// The parts of one process.
pub(super) struct Process {
    controller: Controller,
    membership: Membership,
    readiness: Readiness,
    metrics: Metrics,
    /// How long the polls may take to stop when leadership is lost: two thirds of the Lease have
    /// passed by then, and the next owner begins at its end.
    handover: Duration,
    /// What runs as long as the process.
    background: JoinSet<Result<(), OperatorError>>,
}

impl Process {
    pub(super) fn assemble(
        settings: &Settings,
        catalog: Catalog,
        proxies: network::Proxies,
        clients: &Clients,
    ) -> Self {
        let (clock, metrics, readiness) =
            (Clock::system(), Metrics::default(), Readiness::default());
        let budget = WriteBudget::new(settings.api_writes_per_second, metrics.clone());
        let (notices, publisher) = Notices::new(
            clients.requests.clone(),
            &settings.controller_name,
            &settings.identity,
            budget.clone(),
        );
        let environment = environment(settings, catalog, proxies, clock);
        let shared = Arc::new(share(
            settings,
            clients,
            environment,
            &metrics,
            budget.clone(),
            notices,
        ));
        let (changes, changed) = mpsc::unbounded_channel();
        let mut background = JoinSet::new();
        background.spawn(forever(budget.dispense()));
        background.spawn(forever(publisher.run()));
        watch_all(
            settings,
            clients,
            &shared,
            &changes,
            &readiness,
            &mut background,
        );
        let served = Served {
            registry: Arc::new(metrics.registry(&shared.board)),
            readiness: readiness.clone(),
            board: shared.board.clone(),
        };
        let http = serve(settings.http_address, served, CancellationToken::new());
        background.spawn(async move { Ok(http.await?) });
        Self {
            controller: Controller::new(shared, changed),
            membership: Membership::new(clients.lease.clone(), settings, clock),
            readiness,
            metrics,
            handover: settings.lease_duration / 4,
            background,
        }
    }

    /// Runs until `stop`, or until a part fails; either way the polls are stopped in order.
    pub(super) async fn run(self, stop: CancellationToken) -> Result<(), OperatorError> {
        let Self {
            mut controller,
            membership,
            readiness,
            metrics,
            handover,
            mut background,
        } = self;
        let working = stop.child_token();
        // The claim is renewed until the last poll has stopped.
        let election = CancellationToken::new();
        let work = async {
            if working
                .run_until_cancelled(readiness.ready())
                .await
                .is_some()
            {
                let terms = async {
                    terms(&mut controller, &membership, &metrics, handover, &working).await;
                    election.cancel();
                };
                tokio::join!(membership.take_part(&election), terms);
            }
        };
        let mut work = std::pin::pin!(work);
        let result = tokio::select! {
            () = &mut work => Ok(()),
            error = first_failure(&mut background) => {
                working.cancel();
                work.await;
                Err(error)
            }
        };
        membership.release().await;
        result
    }
}

/// Leads whenever this process holds the Lease, until `stop`.
async fn terms(
    controller: &mut Controller,
    membership: &Membership,
    metrics: &Metrics,
    handover: Duration,
    stop: &CancellationToken,
) {
    let mut leads = membership.leads();
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => return,
            () = controller.idle() => return,
            _ = async { leads.wait_for(|leads| *leads).await.is_ok() } => {}
        }
        tracing::info!("this process leads");
        metrics.leader.set(1);
        let term = stop.child_token();
        let lost = async {
            let _ = leads.wait_for(|leads| !*leads).await.is_ok();
            term.cancel();
        };
        let (workers, ()) = tokio::join!(controller.lead(&term), async {
            let _ = term.run_until_cancelled(lost).await;
        });
        let grace = if stop.is_cancelled() {
            controller.lift_budget();
            GRACE
        } else {
            handover
        };
        workers.stop(grace).await;
        metrics.leader.set(0);
        tracing::info!("this process leads no more");
    }
}

fn share(
    settings: &Settings,
    clients: &Clients,
    environment: Environment,
    metrics: &Metrics,
    budget: WriteBudget,
    notices: Notices,
) -> Shared {
    let clock = environment.clock;
    let tokens = TokenSecrets {
        client: clients.requests.clone(),
        namespace: settings.own_namespace.clone(),
        release: settings.controller_name.clone(),
        watched: settings.namespaces.clone(),
        identity: settings.identity.clone(),
        clock,
        budget: budget.clone(),
    };
    Shared {
        client: clients.requests.clone(),
        owner: format!("{}/{}", settings.own_namespace, settings.lease_name),
        cache: Cache::default(),
        budget,
        clock,
        environment,
        metrics: metrics.clone(),
        board: Board::default(),
        notices,
        tokens,
        renewals: KeptRenewals::default(),
        reads: Shared::reads(),
    }
}

fn environment(
    settings: &Settings,
    catalog: Catalog,
    proxies: network::Proxies,
    clock: Clock,
) -> Environment {
    Environment {
        clock,
        catalog: Arc::new(catalog),
        clients: Arc::new(network::Clients::new(
            Arc::new(settings.addresses.clone()),
            network::ClientOptions {
                proxies: Arc::new(proxies),
                ..network::ClientOptions::default()
            },
        )),
        retry: RETRY,
    }
}

fn watch_all(
    settings: &Settings,
    clients: &Clients,
    shared: &Shared,
    changes: &mpsc::UnboundedSender<Change>,
    readiness: &Readiness,
    background: &mut JoinSet<Result<(), OperatorError>>,
) {
    let namespaces: Vec<_> = if settings.namespaces.is_empty() {
        vec![None]
    } else {
        settings.namespaces.iter().cloned().map(Some).collect()
    };
    for namespace in namespaces {
        let watch = || Watch {
            client: clients.watches.clone(),
            cache: shared.cache.clone(),
            changes: changes.clone(),
            namespace: namespace.clone(),
            unsynced: readiness.expect_cache(),
        };
        background.spawn(forever(
            watch().objects::<ConnectorInstance, ConnectorInstanceSpec>(),
        ));
        background.spawn(forever(
            watch().objects::<PollerResource, PollerResourceSpec>(),
        ));
        background.spawn(forever(watch().secrets()));
    }
}

async fn first_failure(background: &mut JoinSet<Result<(), OperatorError>>) -> OperatorError {
    match background.join_next().await {
        Some(Ok(Err(error))) => error,
        Some(Ok(Ok(()))) | None => OperatorError::Ended("no error was given".to_owned()),
        Some(Err(error)) => OperatorError::Ended(error.to_string()),
    }
}

async fn forever(part: impl Future<Output = ()>) -> Result<(), OperatorError> {
    part.await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_has_time_to_store_a_token_that_is_being_renewed_and_to_release_its_lease() {
        let deployment = include_str!("../../charts/pollen/templates/deployment.yaml");
        let (_, period) = deployment
            .split_once("terminationGracePeriodSeconds: ")
            .unwrap();
        let period: u64 = period.lines().next().unwrap().parse().unwrap();
        // A request that hangs is given up after a sixth of the Lease (15 s by default).
        let release = Duration::from_secs(3);
        assert!(GRACE + release <= Duration::from_secs(period));
    }
}
