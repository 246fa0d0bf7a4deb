//! One poll of every poller, what happens meanwhile, and what must come of it.

use std::collections::BTreeMap;

use pollen::api::Duration;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::{CallbackAnswer, ExpectedEvents, Names, ProviderAnswer, Step};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Poll {
    /// What the callback must acknowledge meanwhile: these events, each once, and no other.
    pub(crate) events: ExpectedEvents,
    /// The records whose events must come as dead letters meanwhile, in this order, and no others.
    #[serde(default)]
    pub(crate) dead_letters: Names,
    /// How it must end.
    #[serde(default)]
    pub(crate) ends: End,
    /// Texts that it must say to the person who watches.
    #[serde(default)]
    pub(crate) says: Vec<String>,
    /// It must read the list of ids. Over sockets, where the time between two comparisons is real,
    /// it polls until it does.
    #[serde(default)]
    pub(crate) compares: bool,
    /// The most pages of records that may be asked for.
    #[serde(default)]
    pub(crate) pages_at_most: Option<usize>,
    /// How long it must take at least: what the other side asked to wait.
    #[serde(default)]
    pub(crate) lasts_at_least: Option<Duration>,
    /// How long a failed poll or delivery is tried again.
    #[serde(default)]
    pub(crate) retry_for: Option<Duration>,
    /// How pages are answered, by their number within this poll from 1 on.
    #[serde(default)]
    pub(crate) pages: BTreeMap<usize, ProviderAnswer>,
    /// How pages of the list of ids are answered, by their number within this poll from 1 on.
    #[serde(default)]
    pub(crate) ids: BTreeMap<usize, ProviderAnswer>,
    /// How questions about single records are answered, by their number likewise.
    #[serde(default)]
    pub(crate) singles: BTreeMap<usize, ProviderAnswer>,
    /// How pages of the provider's list of deletions are answered, by their number likewise.
    #[serde(default)]
    pub(crate) deletions: BTreeMap<usize, ProviderAnswer>,
    /// How notifications are answered, by their number within this poll from 1 on.
    #[serde(default)]
    pub(crate) notifications: BTreeMap<usize, CallbackAnswer>,
    /// What happens meanwhile.
    #[serde(default)]
    pub(crate) during: Vec<Interruption>,
    /// When the process is killed.
    #[serde(default)]
    pub(crate) killed: Option<Cut>,
    /// When the process is asked to stop.
    #[serde(default)]
    pub(crate) stopped: Option<Cut>,
    /// How often it polls so, one time after the other.
    #[serde(default = "once")]
    pub(crate) times: usize,
}

/// How a run of the command ends.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(crate) enum End {
    /// All is settled.
    #[default]
    Well,
    /// A poll or a delivery failed.
    Failed,
    /// A manifest is invalid.
    Invalid,
    /// It was killed.
    Killed,
}

/// Steps before a page is answered.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Interruption {
    /// The page's number within the poll, from 1 on.
    pub(crate) before_page: usize,
    pub(crate) steps: Vec<Spanned<Step>>,
}

/// The end of a process in the middle of its work.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Cut {
    /// Before the page with this number is answered.
    BeforePage(usize),
    /// Before the notification with this number is answered.
    BeforeNotification(usize),
    /// At every moment in turn; each time it polls again, as if nothing had been expected before.
    Everywhere,
}

const fn once() -> usize {
    1
}
