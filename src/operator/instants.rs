//! Kubernetes' instants are jiff's; everything else here speaks chrono.

use chrono::{DateTime, SubsecRound as _, Utc};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// The instant as Kubernetes' types hold it; outside years 1 to 9999 the epoch.
pub(super) fn to_timestamp(instant: DateTime<Utc>) -> Timestamp {
    let nanos = i32::try_from(instant.timestamp_subsec_nanos()).unwrap_or_default();
    Timestamp::new(instant.timestamp(), nanos).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The instant to the second, as conditions hold it.
pub(super) fn to_time(instant: DateTime<Utc>) -> Time {
    Time(to_timestamp(instant.trunc_subsecs(0)))
}

/// The instant that an object's metadata shows.
pub(super) fn from_time(time: &Time) -> DateTime<Utc> {
    let nanos = u32::try_from(time.0.subsec_nanosecond()).unwrap_or_default();
    DateTime::from_timestamp(time.0.as_second(), nanos).unwrap_or_default()
}
