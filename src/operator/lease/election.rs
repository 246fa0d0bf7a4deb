//! Who may lead, decided from what the Lease shows and this process's own monotonic clock.

use std::time::Duration;

use tokio::time::Instant;

/// What a Lease shows of its holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held {
    /// `None` when it was released or never taken.
    pub(super) holder: Option<String>,
    /// metadata.resourceVersion: it changes with every renewal.
    pub(super) version: String,
    /// How long the holder's claim lasts from its last renewal.
    pub(super) duration: Duration,
}

/// What to do with a Lease that was just read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// Write this process's claim over the version that was read.
    Claim,
    /// Another process holds it: look again later.
    Wait,
}

/// One process's view of the election. Clock times are passed in.
#[derive(Debug)]
pub(super) struct Election {
    identity: String,
    duration: Duration,
    /// When the last request that renewed this process's claim was sent.
    renewed_at: Option<Instant>,
    /// The other holder's claim as last seen, and since when it has been unchanged.
    seen: Option<(Held, Instant)>,
}

impl Election {
    pub(super) const fn new(identity: String, duration: Duration) -> Self {
        Self {
            identity,
            duration,
            renewed_at: None,
            seen: None,
        }
    }

    /// Takes note of the Lease as it was read (`None`: there is none) and says what to do.
    ///
    /// A claim of another process expires only when it was seen unchanged for its whole duration:
    /// its timestamps come from another machine's clock and are not looked at.
    pub(super) fn observe(&mut self, lease: Option<&Held>, now: Instant) -> Move {
        let Some(held) = lease.filter(|held| held.holder.is_some()) else {
            self.seen = None;
            return Move::Claim;
        };
        if held.holder.as_deref() == Some(&self.identity) {
            self.seen = None;
            return Move::Claim;
        }
        self.renewed_at = None;
        let since = match &self.seen {
            Some((seen, since)) if seen == held => *since,
            _ => now,
        };
        self.seen = Some((held.clone(), since));
        if now.duration_since(since) >= held.duration {
            Move::Claim
        } else {
            Move::Wait
        }
    }

    /// This process's claim was written by a request sent at `sent`.
    pub(super) fn claimed(&mut self, sent: Instant) {
        self.renewed_at = Some(sent);
        self.seen = None;
    }

    /// Until when this process may act as the leader: two thirds of the duration after the last
    /// renewal, which leaves a third for stopping before anyone else can begin.
    pub(super) fn leads_until(&self) -> Option<Instant> {
        self.renewed_at.map(|at| at + self.duration * 2 / 3)
    }

    /// Whether this process may act as the leader.
    pub(super) fn leads(&self, now: Instant) -> bool {
        self.leads_until().is_some_and(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DURATION: Duration = Duration::from_secs(15);

    fn held(holder: &str, version: &str) -> Held {
        Held {
            holder: Some(holder.into()),
            version: version.into(),
            duration: DURATION,
        }
    }

    fn election() -> (Election, Instant) {
        (Election::new("me".into(), DURATION), Instant::now())
    }

    #[test]
    fn a_missing_or_released_lease_is_claimed_at_once() {
        let (mut election, now) = election();
        assert_eq!(election.observe(None, now), Move::Claim);
        let released = Held {
            holder: None,
            ..held("", "1")
        };
        assert_eq!(election.observe(Some(&released), now), Move::Claim);
    }

    #[test]
    fn another_s_claim_is_taken_over_only_when_seen_unchanged_for_its_whole_duration() {
        let (mut election, now) = election();
        assert_eq!(election.observe(Some(&held("other", "1")), now), Move::Wait);
        let renewed = now + Duration::from_secs(14);
        assert_eq!(
            election.observe(Some(&held("other", "2")), renewed),
            Move::Wait
        );
        assert_eq!(
            election.observe(Some(&held("other", "2")), renewed + Duration::from_secs(14)),
            Move::Wait
        );
        assert_eq!(
            election.observe(Some(&held("other", "2")), renewed + DURATION),
            Move::Claim
        );
    }

    #[test]
    fn leadership_ends_at_two_thirds_of_the_duration_without_renewal() {
        let (mut election, now) = election();
        election.claimed(now);
        assert!(election.leads(now + Duration::from_secs(9)));
        assert!(!election.leads(now + Duration::from_secs(10)));
        election.claimed(now + Duration::from_secs(9));
        assert!(election.leads(now + Duration::from_secs(18)));
    }

    #[test]
    fn a_claim_taken_over_by_another_ends_leadership_at_once() {
        let (mut election, now) = election();
        election.claimed(now);
        assert_eq!(election.observe(Some(&held("other", "7")), now), Move::Wait);
        assert!(!election.leads(now));
    }

    #[test]
    fn a_process_that_finds_its_own_claim_renews_it() {
        let (mut election, now) = election();
        assert_eq!(election.observe(Some(&held("me", "3")), now), Move::Claim);
        assert!(
            !election.leads(now),
            "a claim counts only once this process has written it"
        );
    }
}
