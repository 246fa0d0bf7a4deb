//! From a poller's spec to the plan that its polls go by.

use std::{collections::HashMap, time::Duration};

use chrono::TimeDelta;

use super::{Instance, PollerSettings, deletes};
use crate::{
    api::{self, DeletesMode, PollerResourceSpec, StartFrom},
    category::ConfigurationError,
    event::{Format, Origin},
    poll::{Plan, Reconciliation, Replay, Start},
    provider::ResourceSource,
};

/// Where neither the poller nor its instance say how often to poll: as Open Connectors does.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(15 * 60);
const DEFAULT_EVENTS: usize = 10;
const RECONCILE_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);
const MAX_SHARE_PERCENT: i32 = 10;

/// The resource of a poller: the objectType of its events.
pub(super) fn resource<'a>(spec: &'a PollerResourceSpec, name: &'a str) -> &'a str {
    spec.resource.as_deref().unwrap_or(name)
}

/// How often a poller polls.
pub(super) fn interval(instance: &Instance, spec: &PollerResourceSpec) -> Duration {
    let inherited = instance
        .spec
        .events
        .as_ref()
        .and_then(|events| events.refresh_interval);
    spec.refresh_interval
        .or(inherited)
        .map_or(DEFAULT_INTERVAL, |interval| interval.0)
}

/// The plan of a poller, but for its children, which are known when it polls.
///
/// # Errors
///
/// A field is out of its range.
pub(super) fn plan(
    instance: &Instance,
    settings: &PollerSettings,
    source: &ResourceSource,
) -> Result<Plan, ConfigurationError> {
    let spec = &settings.spec;
    let callback = instance
        .spec
        .events
        .as_ref()
        .and_then(|events| events.callback.as_ref());
    let count = |given: Option<i32>, default: usize| {
        given
            .and_then(|count| usize::try_from(count).ok())
            .filter(|count| *count > 0)
            .unwrap_or(default)
    };
    let unit = source.unit().duration();
    let reach = reach(spec, source.overlap())?.max(unit);
    Ok(Plan {
        uid: settings.uid.clone(),
        origin: origin(instance, settings),
        query_fingerprint: source.fingerprint().to_owned(),
        start: start(settings, source),
        start_from: spec.start_from.unwrap_or_default(),
        unit,
        reach,
        created_check: spec.created_check.unwrap_or_default(),
        created_tolerance: seconds("spec.createdCheckTolerance", spec.created_check_tolerance)?,
        content: source.content().map(str::to_owned),
        drop_before_bound: spec.filter_by_updated_date.unwrap_or(true),
        drop_after_clock: spec.filter_by_current_date.unwrap_or(false),
        excluded_classes: spec.exclude_classes.iter().cloned().collect(),
        children: Vec::new(),
        gone: HashMap::new(),
        deletions: deletes::plan(source, spec, reach),
        replay: spec.replay.as_ref().map(replay),
        reconcile: reconcile(settings, source)?,
        max_events: Format::new(callback.and_then(|callback| callback.format)).max_events(count(
            callback.and_then(|callback| callback.max_events_per_notification),
            DEFAULT_EVENTS,
        )),
        in_flight: count(callback.and_then(|callback| callback.max_in_flight), 1),
        on_rejected: callback
            .and_then(|callback| callback.on_rejected)
            .unwrap_or_default(),
    })
}

/// How the poller finds deletions by comparing lists of ids, if it does.
fn reconcile(
    settings: &PollerSettings,
    source: &ResourceSource,
) -> Result<Option<Reconciliation>, ConfigurationError> {
    let deletes = settings.spec.deletes.as_ref();
    let Some(deletes) = deletes.filter(|deletes| deletes.mode == Some(DeletesMode::Reconcile))
    else {
        return Ok(None);
    };
    let interval = deletes
        .reconcile_interval
        .map_or(RECONCILE_INTERVAL, |interval| interval.0);
    let interval = TimeDelta::from_std(interval).map_err(|_| {
        ConfigurationError::new(
            "spec.deletes.reconcileInterval",
            "it is too long: write a duration such as 24h",
        )
    })?;
    let share = deletes.max_share_percent.unwrap_or(MAX_SHARE_PERCENT);
    Ok(Some(Reconciliation {
        interval,
        max_share_percent: u32::try_from(share).unwrap_or_default(),
        place: source.place(),
        confirmed: settings.confirmed_deletes.clone(),
    }))
}

fn origin(instance: &Instance, settings: &PollerSettings) -> Origin {
    let connector = instance.connection.connector();
    Origin {
        namespace: instance.namespace.clone(),
        instance: instance.name.clone(),
        resource: resource(&settings.spec, &settings.name).to_owned(),
        connector: connector.key.clone(),
        hub: connector.hub.clone().unwrap_or_default(),
        tags: instance.spec.tags.clone(),
        identity: instance.identity.clone(),
    }
}

fn replay(asked: &api::Replay) -> Replay {
    Replay {
        id: asked.id.clone(),
        from: asked.from,
        to: asked.to,
    }
}

fn start(settings: &PollerSettings, source: &ResourceSource) -> Start {
    match settings.spec.start_from.unwrap_or_default() {
        StartFrom::Now => Start::Created(settings.created_at),
        StartFrom::Beginning => Start::At(source.earliest()),
        StartFrom::At(instant) => Start::At(instant),
    }
}

/// How far behind the watermark a sweep reads again; `known` is the connector's overlap.
fn reach(spec: &PollerResourceSpec, known: TimeDelta) -> Result<TimeDelta, ConfigurationError> {
    let overlap = match spec.overlap {
        Some(overlap) => TimeDelta::from_std(overlap.0).map_err(|_| {
            ConfigurationError::new(
                "spec.overlap",
                "it is too long: write a duration such as 30s",
            )
        })?,
        None => known,
    };
    Ok(overlap.max(seconds("spec.pollDelay", spec.poll_delay)?))
}

fn seconds(field: &str, given: Option<i64>) -> Result<TimeDelta, ConfigurationError> {
    let seconds = given.unwrap_or_default();
    TimeDelta::try_seconds(seconds)
        .filter(|_| seconds >= 0)
        .ok_or_else(|| {
            ConfigurationError::new(
                field,
                format!("{seconds} is no number of seconds: write 0 or more"),
            )
        })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case(json!({}), 30)]
    #[case(json!({"pollDelay": 5}), 30)]
    #[case(json!({"pollDelay": 90}), 90)]
    #[case(json!({"pollDelay": 90, "overlap": "2m"}), 120)]
    fn each_poll_reads_back_by_the_longer_of_overlap_and_poll_delay(
        #[case] mut spec: serde_json::Value,
        #[case] seconds: i64,
    ) {
        spec["instanceRef"] = json!({"name": "prod"});
        let spec = serde_json::from_value(spec).unwrap();
        let reach = reach(&spec, TimeDelta::seconds(30)).unwrap();
        assert_eq!(reach, TimeDelta::seconds(seconds));
    }
}
