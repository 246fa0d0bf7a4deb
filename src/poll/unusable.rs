//! Checkpoints that no poll can go on from.

use super::{End, segment::DamagedSegment};
use crate::api::CHECKPOINT_VERSION;

/// A checkpoint that cannot be used, in words for a condition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unusable {
    #[error(
        "the checkpoint has format {0} and this build of Pollen writes {CHECKPOINT_VERSION}: \
         upgrade Pollen, or restore the checkpoint that belongs to this version"
    )]
    TooNew(i32),
    #[error(
        "the checkpoint cannot be read ({0}): restore status.checkpoint from a backup, or delete \
         and create the poller with startFrom set to the instant to go on from"
    )]
    Damaged(String),
    #[error(
        "a part of the checkpoint cannot be read ({0}): restore it from a backup (in a cluster the \
         PollerWindow whose name ends so, else that file below segments/ in the state folder), or \
         delete and create the poller with startFrom set to the instant to go on from"
    )]
    Segment(DamagedSegment),
    #[error(
        "the checkpoint belongs to the poller with uid {0}, not to this one: delete and create \
         the poller with startFrom set to the instant to go on from"
    )]
    Foreign(String),
    #[error(
        "more than {0} versions share one unit of the updated date, more than one checkpoint can \
         hold: poll the resource with a filter that splits it"
    )]
    WindowTooLarge(usize),
    #[error(
        "records of any date come again with filterByUpdatedDate: false, and these are more than {0} \
         versions, more than one checkpoint can hold: set filterByUpdatedDate: true, or poll the \
         resource with a filter that splits it"
    )]
    EveryDateTooLarge(usize),
}

impl From<Unusable> for End {
    fn from(unusable: Unusable) -> Self {
        let why = unusable.to_string();
        match unusable {
            Unusable::WindowTooLarge(_) | Unusable::EveryDateTooLarge(_) => {
                Self::WindowTooLarge(why)
            }
            _ => Self::Unusable(why),
        }
    }
}
