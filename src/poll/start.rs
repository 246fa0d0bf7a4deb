//! Where a poller starts: resolved once, at the provider's first answer, and stored before it sweeps.

use tokio_util::sync::CancellationToken;

use super::{CheckpointStore, End, Plan, Progress, run::fetch, state::State};
use crate::{
    api::Checkpoint,
    clock::Clock,
    provider::{Ask, PageSource, Step},
};

/// Resolves and stores the first checkpoint of a poller.
///
/// A start of our own clock is corrected by the provider's, which the first answer shows, and
/// rounded down to the unit in which dates are asked for, so that nothing falls between the moment
/// the poller was created and its first poll.
///
/// # Errors
///
/// How a poll ends that could not begin: the provider or the store failed, or `stop` was asked.
pub async fn start<S: PageSource, K: CheckpointStore>(
    plan: &Plan,
    source: &S,
    store: &mut K,
    clock: &Clock,
    stop: &CancellationToken,
) -> Result<Checkpoint, End> {
    let now = clock.now();
    let guess = source.bound(plan.start_instant(now, now));
    let page = fetch(
        source,
        &Ask {
            bound: guess,
            until: None,
            step: Step::First,
        },
        stop,
    )
    .await?;
    let now = clock.now();
    let provider_now = page.server_time.unwrap_or(now);
    let started_at = source.bound(plan.start_instant(now, provider_now)).instant;
    let checkpoint = State::starting(plan, started_at, provider_now);
    store
        .save(&checkpoint, &[], &Progress::default())
        .await
        .map_err(End::StoreFailed)?;
    Ok(checkpoint)
}

/// The checkpoint that [`start`] would store if the provider's clock were ours.
pub(super) fn start_at<S: PageSource>(plan: &Plan, source: &S, clock: &Clock) -> Checkpoint {
    let now = clock.now();
    State::starting(
        plan,
        source.bound(plan.start_instant(now, now)).instant,
        now,
    )
}
