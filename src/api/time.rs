//! Between Kubernetes' instants, which are jiff's, and chrono's, which all else uses.

use chrono::{DateTime, Utc};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// The instant as Kubernetes' types carry it.
///
/// What lies beyond jiff's years −9999 to 9999 becomes the nearest instant inside.
#[must_use]
pub fn to_kube(instant: DateTime<Utc>) -> Time {
    let nanos = i32::try_from(instant.timestamp_subsec_nanos()).unwrap_or(0);
    let nearest = if instant.timestamp() < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    Time(Timestamp::new(instant.timestamp(), nanos).unwrap_or(nearest))
}

/// The instant of one of Kubernetes' types, such as `metadata.creationTimestamp`.
#[must_use]
pub fn from_kube(time: &Time) -> DateTime<Utc> {
    let since_epoch = time.0.as_duration();
    let delta = chrono::TimeDelta::new(since_epoch.as_secs(), 0).unwrap_or_default()
        + chrono::TimeDelta::nanoseconds(since_epoch.subsec_nanos().into());
    DateTime::UNIX_EPOCH
        .checked_add_signed(delta)
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn instants_beyond_jiffs_years_become_the_nearest() {
        assert_eq!(to_kube(DateTime::<Utc>::MAX_UTC).0, Timestamp::MAX);
        assert_eq!(to_kube(DateTime::<Utc>::MIN_UTC).0, Timestamp::MIN);
    }

    proptest! {
        #[test]
        fn an_instant_survives_both_ways(seconds in -62_135_596_800_i64..253_402_207_200, nanos in 0..1_000_000_000_u32) {
            let instant = DateTime::from_timestamp(seconds, nanos).unwrap();
            prop_assert_eq!(from_kube(&to_kube(instant)), instant);
        }
    }
}
