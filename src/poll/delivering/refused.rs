//! What becomes of an event that the callback refuses.

use super::{Delivering, Flight, Range, Settle};
use crate::{
    api::OnRejected,
    callback::{Callback, Delivery, Refused, Rejection, Unavailable},
    poll::{End, How},
};

const LETTERS_GONE: &str = "the receiver of dead letters answered 410 Gone";

impl<C: Callback> Delivering<'_, C> {
    /// A notification was refused: one of several events goes again in halves.
    pub(super) async fn refuse(
        &mut self,
        range: Range,
        rejection: Rejection,
        ledger: &mut impl Settle,
    ) {
        let is_of_event = rejection.of != Refused::Everything;
        if is_of_event && range.len() > 1 {
            if rejection.of == Refused::Size {
                self.most = self.most.min(range.len().div_ceil(2));
            }
            return self.again.halve(&range);
        }
        match self.plan.on_rejected {
            OnRejected::Skip if is_of_event => {
                self.set_aside(range, How::Skipped, &rejection, ledger)
                    .await;
            }
            OnRejected::DeadLetter if is_of_event => self.letters.push_back(Flight {
                range,
                letter: Some(rejection),
            }),
            _ => self.block(&range, rejection, None),
        }
    }

    /// Takes the answer to a dead letter. While it is not acknowledged, its event is not settled.
    pub(super) async fn land_letter(
        &mut self,
        range: Range,
        rejection: Rejection,
        delivery: Delivery,
        ledger: &mut impl Settle,
    ) {
        let refused = |message| Unavailable {
            message,
            retry_after: None,
        };
        let why = match delivery {
            Delivery::Acknowledged | Delivery::AcknowledgedLast => {
                let how = How::DeadLettered;
                return self.set_aside(range, how, &rejection, ledger).await;
            }
            Delivery::Unavailable(unavailable) => unavailable,
            Delivery::Rejected(rejection) => refused(rejection.message),
            Delivery::Gone => refused(LETTERS_GONE.to_owned()),
        };
        self.block(&range, rejection, Some(why));
    }

    /// The poller waits at an event.
    fn block(&mut self, range: &Range, rejection: Rejection, dead_letter: Option<Unavailable>) {
        let change = self.changes.get(range.start);
        self.fail(End::Blocked {
            object_id: change.map(|change| change.id.clone()).unwrap_or_default(),
            rejection,
            dead_letter,
        });
    }

    async fn set_aside(
        &mut self,
        range: Range,
        how: How,
        rejection: &Rejection,
        ledger: &mut impl Settle,
    ) {
        for index in range {
            if let Some(change) = self.changes.get(index) {
                self.settled.insert(index);
                ledger.set_aside(change, how, rejection);
            }
        }
        self.have_settled(ledger).await;
    }
}
