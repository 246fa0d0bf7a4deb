//! What one renewal leaves for the next, as long as the process lives.

use chrono::{DateTime, Utc};

use super::{EarlierToken, StoredToken, access_token::AccessToken};

/// What one renewal leaves for the next.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// What the store would not take: the only copy of a rotated token.
    pub(super) unsaved: Option<Unsaved>,
    /// The life of the refresh token in use.
    pub(super) refresh_life: Option<RefreshLife>,
    /// From what the tokens in use grow; nothing for grants that have none.
    grown_from: Option<String>,
    /// What a code that is recorded keeps beside it.
    pub(super) earlier: Option<EarlierToken>,
    /// What the last exchange of the code came to.
    pub(super) failed_exchange: Option<String>,
    /// The store shows others that a refresh runs.
    pub(super) is_marked: bool,
    /// Somebody sees to it that what is unsaved gets stored.
    pub(super) is_saved_for: bool,
}

impl Held {
    /// Forgets what concerns another tree alone. What is unsaved stays: there is no other copy.
    pub(super) fn turn_to(&mut self, grown_from: Option<&str>) {
        if self.grown_from.as_deref() != grown_from {
            self.grown_from = grown_from.map(str::to_owned);
            self.refresh_life = None;
            self.failed_exchange = None;
        }
    }

    /// Whether everything that was issued is stored.
    pub(super) const fn is_stored(&self) -> bool {
        self.unsaved.is_none()
    }

    /// Whether what is unsaved is of the tree in use.
    pub(super) fn is_own(&self) -> bool {
        let unsaved = self.unsaved.as_ref();
        unsaved.map(|unsaved| &unsaved.token.grown_from) == self.grown_from.as_ref()
    }
}

#[derive(Debug)]
pub(super) struct Unsaved {
    pub(super) token: StoredToken,
    pub(super) access: Option<AccessToken>,
}

/// From when to when a refresh token is valid.
#[derive(Clone, Copy, Debug)]
pub(super) struct RefreshLife {
    pub(super) issued_at: DateTime<Utc>,
    pub(super) expires_at: DateTime<Utc>,
}

impl RefreshLife {
    /// That of the refresh token in `token`, where its end is known.
    pub(super) fn of(token: &StoredToken) -> Option<Self> {
        token.refresh_token.as_ref()?;
        Some(Self {
            issued_at: token.issued_at,
            expires_at: token.expires_at?,
        })
    }
}
