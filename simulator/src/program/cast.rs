//! Who the records are.

use rand::{RngExt as _, rngs::StdRng, seq::IndexedRandom as _};

/// The tables in which things happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Table {
    Company,
    Contact,
    Incident,
}

/// Columns and their values.
pub(super) type Fields = Vec<(&'static str, String)>;

impl Table {
    pub(super) const ALL: [Self; 3] = [Self::Company, Self::Contact, Self::Incident];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Company => "core_company",
            Self::Contact => "sys_user",
            Self::Incident => "incident",
        }
    }

    /// A new record, the `number`th of all.
    pub(super) fn record(self, number: usize, rng: &mut StdRng) -> Fields {
        match self {
            Self::Company => vec![
                (
                    "name",
                    format!("{} {}", pick(NAMES, rng), pick(TRADES, rng)),
                ),
                ("city", pick(CITIES, rng)),
            ],
            Self::Contact => person(&pick(FIRST_NAMES, rng), &pick(NAMES, rng)),
            Self::Incident => vec![
                ("number", format!("INC{:07}", 10_000 + number)),
                ("short_description", pick(TROUBLES, rng)),
                ("state", "1".to_owned()),
                ("priority", rng.random_range(1..=5).to_string()),
            ],
        }
    }

    pub(super) const fn edited_field(self) -> &'static str {
        match self {
            Self::Company => "city",
            Self::Contact => "title",
            Self::Incident => "work_notes",
        }
    }

    /// Another value of the edited field: what changes nothing is no edit.
    pub(super) fn edit(self, value: &str, rng: &mut StdRng) -> String {
        let words = match self {
            Self::Company => CITIES,
            Self::Contact => TITLES,
            Self::Incident => NOTES,
        };
        let others: Vec<_> = words
            .iter()
            .copied()
            .filter(|word| *word != value)
            .collect();
        pick(&others, rng)
    }
}

fn person(first: &str, last: &str) -> Fields {
    let user = format!("{first}.{last}").to_lowercase();
    vec![
        ("name", format!("{first} {last}")),
        ("first_name", first.to_owned()),
        ("last_name", last.to_owned()),
        ("email", format!("{user}@example.com")),
        ("user_name", user),
    ]
}

fn pick(words: &[&str], rng: &mut StdRng) -> String {
    words.choose(rng).copied().unwrap_or_default().to_owned()
}

const FIRST_NAMES: &[&str] = &[
    "Ada", "Barbara", "Edsger", "Grace", "Hedy", "Ken", "Leslie", "Margaret", "Niklaus", "Radia",
];
const NAMES: &[&str] = &[
    "Alder", "Birch", "Cedar", "Elm", "Hazel", "Linden", "Maple", "Rowan", "Spruce", "Willow",
];
const TRADES: &[&str] = &["Bakeries", "Energy", "Freight", "Labs", "Mills", "Networks"];
const CITIES: &[&str] = &["Bergen", "Ghent", "Graz", "Lyon", "Porto", "Turin"];
const TITLES: &[&str] = &["Analyst", "Buyer", "Director", "Engineer", "Planner"];
const NOTES: &[&str] = &[
    "asked the user for a screenshot",
    "cannot be reproduced here",
    "escalated to the network team",
    "restarted the service",
    "waits for a spare part",
];
const TROUBLES: &[&str] = &[
    "Badge does not open the lab",
    "Laptop does not wake up",
    "Mail arrives an hour late",
    "Printer on floor 3 jams",
    "Single sign-on loops",
    "Wi-Fi drops in room 12",
];
