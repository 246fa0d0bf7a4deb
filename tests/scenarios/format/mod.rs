//! A scenario as it is written (`docs/scenarios.md` is the reference).

mod answers;
mod changes;
mod events;
mod names;
mod poll;
mod records;
mod times;
mod trials;

use std::{collections::BTreeMap, fs, path::Path};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::Spanned;

pub(crate) use answers::{CallbackAnswer, ProviderAnswer};
pub(crate) use changes::{
    Annotate, CallbackChange, DeadLettersChange, Edit, LinkForm, ProviderChange,
};
pub(crate) use events::{Expected, ExpectedEvents};
pub(crate) use names::Names;
pub(crate) use poll::{Cut, End, Poll};
pub(crate) use records::{ByName, Creation, FieldRule, Update};
pub(crate) use times::{Moment, Shift};
pub(crate) use trials::trials;

/// Fields of a manifest, as they are written there.
pub(crate) type Fields = BTreeMap<String, Value>;

/// One file.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Scenario {
    /// What must hold, in one sentence.
    pub(crate) title: String,
    /// Why anybody should want it, for who reads the file.
    #[serde(default)]
    #[expect(dead_code, reason = "it is for people")]
    why: Option<String>,
    /// The provider's clock when the scenario begins.
    #[serde(default = "start")]
    pub(crate) start: DateTime<Utc>,
    /// Fields of the ConnectorInstance's spec.
    #[serde(default)]
    pub(crate) instance: Fields,
    /// Fields of its `events.callback`.
    #[serde(default)]
    pub(crate) callback: Fields,
    /// The spec of each PollerResource, by its name.
    #[serde(default = "incident")]
    pub(crate) pollers: BTreeMap<String, Fields>,
    /// The pollers have polled once before, and found nothing.
    #[serde(default = "yes")]
    pub(crate) started: bool,
    /// A version may arrive more than once: something dies in between.
    #[serde(default)]
    pub(crate) repeats: bool,
    /// Fields of the connector's definition that are other than those that come with Pollen.
    #[serde(default)]
    pub(crate) connector: Fields,
    /// Why it cannot be played over sockets.
    #[serde(default)]
    pub(crate) in_memory_only: Option<String>,
    pub(crate) steps: Vec<Spanned<Step>>,
}

/// One thing that happens.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Step {
    /// Time passes.
    Wait(pollen::api::Duration),
    /// Records come to be.
    Create(ByName<Creation>),
    /// Records change.
    Update(ByName<Update>),
    /// Records are deleted.
    Delete(Names),
    /// Deleted records come back as they were.
    Restore(Names),
    /// Access rules withhold records.
    Hide(Names),
    /// They no longer do.
    Show(Names),
    /// Access rules withhold a field of records.
    HideField(FieldRule),
    /// How the provider behaves from now on.
    Provider(ProviderChange),
    /// The provider's clock is set forward or back.
    Clock(Shift),
    /// How the callback answers from now on.
    Callback(CallbackChange),
    /// How dead letters are answered from now on.
    DeadLetters(DeadLettersChange),
    /// A manifest is edited.
    Edit(Edit),
    /// A manifest is annotated.
    Annotate(Annotate),
    /// Every poller polls once.
    Poll(Poll),
    /// What must have arrived since the beginning, repeated or not, and nothing else.
    Arrived(ExpectedEvents),
}

impl Scenario {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// The text says where in the file what is wrong.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let text =
            fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let scenario: Self = serde_saphyr::from_str(&text)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        match scenario.mistake() {
            Some(mistake) => Err(format!("{}{mistake}", path.display())),
            None => Ok(scenario),
        }
    }

    /// What the format allows and no scenario can mean.
    fn mistake(&self) -> Option<String> {
        if let Some(line) = self.nested_poll() {
            return Some(format!(
                ":{line}: within a poll no other can begin: write the step behind it"
            ));
        }
        let is_played_twice = self.in_memory_only.is_none();
        (is_played_twice && !self.connector.is_empty()).then(|| {
            ": connector: the binary has its own definitions: say so in inMemoryOnly".to_owned()
        })
    }

    fn nested_poll(&self) -> Option<u64> {
        let polls = self.steps.iter().filter_map(|step| match &step.value {
            Step::Poll(poll) => Some(poll),
            _ => None,
        });
        let mut within = polls
            .flat_map(|poll| &poll.during)
            .flat_map(|each| &each.steps);
        let nested = within.find(|step| matches!(step.value, Step::Poll(_)))?;
        Some(nested.referenced.line())
    }
}

const fn yes() -> bool {
    true
}

/// A quiet Friday morning.
fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_344_400, 0).unwrap_or_default()
}

fn incident() -> BTreeMap<String, Fields> {
    BTreeMap::from([("incident".to_owned(), Fields::new())])
}
