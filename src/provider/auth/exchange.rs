//! Exchanging a code, which works once: what is recorded of it before it goes out and behind.

use chrono::TimeDelta;
use tokio::time::Instant;

use super::{
    StoredToken, access_token::AccessToken, answer::RefusalKind, held::Held, tokens::Tokens, words,
};
use crate::provider::FetchError;

/// A code whose fate is unknown is sent again for so long: none lives longer (RFC 6749 §4.1.2).
const CODE_LIFE: TimeDelta = TimeDelta::minutes(10);

impl Tokens {
    /// Exchanges a code that was never sent. That it goes out is recorded before, so that whatever
    /// happens next it does not do so for ever.
    pub(super) async fn exchange(
        &self,
        grown_from: &str,
        held: &mut Held,
    ) -> Result<AccessToken, FetchError> {
        let sent = StoredToken {
            expires_at: self.clock.now().checked_add_signed(CODE_LIFE),
            ..self.code(grown_from, held)
        };
        let stored = self.store.store(sent).await;
        stored.map_err(|error| self.unstored(&error))?;
        self.send(grown_from, held).await
    }

    /// Exchanges a code that was sent before, while it may live.
    pub(super) async fn exchange_again(
        &self,
        sent: &StoredToken,
        held: &mut Held,
    ) -> Result<AccessToken, FetchError> {
        match sent.expires_at {
            Some(end) if self.clock.now() < end => self.send(&sent.grown_from, held).await,
            Some(_) => {
                let why = held.failed_exchange.as_deref();
                Err(words::code_lapsed(&self.endpoint, why))
            }
            None => Err(words::code_used(&self.endpoint)),
        }
    }

    /// Sends the code. One whose answer was lost or makes no sense may not have been looked at: it is
    /// sent again, and where it was, its refusal settles that.
    async fn send(&self, grown_from: &str, held: &mut Held) -> Result<AccessToken, FetchError> {
        self.begin(held).await?;
        let asked_at = Instant::now();
        match self.ask("").await {
            Ok(issued) => {
                let access = self.access_token(&issued, asked_at);
                let mut token = self.grown(&issued, grown_from);
                if token.refresh_token.is_none() {
                    token.earlier.clone_from(&held.earlier);
                }
                self.keep(token, access, held).await
            }
            Err(refusal) if refusal.kind == RefusalKind::Grant => {
                self.keep_alone(self.code(grown_from, held), held).await?;
                Err(words::code_refused(&self.endpoint, refusal))
            }
            Err(refusal) => {
                self.salvage(&refusal, None, grown_from, held).await?;
                let error = self.explain(refusal);
                held.failed_exchange = Some(error.message.clone());
                Err(error)
            }
        }
    }

    /// The mark of a code of which nothing more is to come.
    fn code(&self, grown_from: &str, held: &Held) -> StoredToken {
        StoredToken {
            earlier: held.earlier.clone(),
            ..self.stored_as(None, None, grown_from)
        }
    }
}
