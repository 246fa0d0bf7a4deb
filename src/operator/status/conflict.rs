//! What a conflict or a lost answer means, told from what is stored.

use sha2::{Digest as _, Sha256};

use super::Reported;

/// A digest of a checkpoint (or of its absence), so that attempts whose fate is unknown cost
/// nothing to remember.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fence([u8; 32]);

impl Fence {
    pub(super) fn of<K: Reported>(status: &K::Status) -> Self {
        let text = serde_json::to_vec(&K::checkpoint(status)).unwrap_or_default();
        Self(Sha256::digest(text).into())
    }
}

/// What to do about a write whose success is in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resolution {
    /// It had succeeded.
    Done,
    /// Nobody else wrote a checkpoint: write again over what is stored.
    Again,
    /// Another writer has the object now.
    Lost,
}

/// Judges the write of `carried` by what is `stored`; `ours` are the fences of the status it
/// started from and of earlier attempts that may have been stored.
pub(super) fn resolve<K: Reported>(
    stored: &K::Status,
    carried: &K::Status,
    ours: &[Fence],
) -> Resolution {
    if same(stored, carried) {
        return Resolution::Done;
    }
    let fence = Fence::of::<K>(stored);
    if fence == Fence::of::<K>(carried) || ours.contains(&fence) {
        Resolution::Again
    } else {
        Resolution::Lost
    }
}

/// Compares as stored: some values (the instants of conditions) lose precision on the wire.
fn same<S: serde::Serialize>(left: &S, right: &S) -> bool {
    serde_json::to_value(left).ok() == serde_json::to_value(right).ok()
}
