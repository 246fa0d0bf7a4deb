//! What a history is played with: a provider's ways and a poller's spec, drawn from the seed.

use pollen::{api::CreatedCheck, provider::Paging, template::Unit};

use crate::random::Random;

/// A provider's ways and a poller's spec. Times are in milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    /// What dates in records are cut to.
    pub(crate) field: Unit,
    /// What the bound in a request is cut to; dates are stored in the finer of both.
    pub(crate) stated: Unit,
    /// The filter leaves out records dated exactly at the bound, so one unit less is stated.
    pub(crate) strict: bool,
    /// The provider answers with records of any date.
    pub(crate) ignores_filter: bool,
    pub(crate) listing: Listing,
    /// Answers tell how many records the question selects, before access rules.
    pub(crate) tells_total: bool,
    /// The provider gives fewer records than asked for, and a next link.
    pub(crate) cap: Option<u32>,
    pub(crate) page_size: u32,
    pub(crate) records: u32,
    pub(crate) numeric_ids: bool,
    /// Answers have a `Date` header; without one the two clocks agree.
    pub(crate) tells_time: bool,
    pub(crate) skew: i64,
    pub(crate) reach: i64,
    /// What an edit narrows the reach to.
    pub(crate) narrow_reach: i64,
    pub(crate) interval: i64,
    /// How long one request, notification or write takes.
    pub(crate) latency: i64,
    pub(crate) in_flight: u32,
    pub(crate) max_events: u32,
    pub(crate) created_check: CreatedCheck,
    pub(crate) tolerance: i64,
    pub(crate) drop_before_bound: bool,
    pub(crate) drop_after_clock: bool,
    /// Records have a version field; else versions are digests of contents.
    pub(crate) versioned: bool,
    /// Every fifth record is of a class that the poller excludes.
    pub(crate) excludes: bool,
    /// Records are hidden by access rules, after the limit.
    pub(crate) hides: bool,
}

/// How a provider lists.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Listing {
    /// In the order of the updated date, as the connector states it.
    Anchored {
        by_key: bool,
        by_offset: bool,
        bisectable: bool,
        /// Records of one date come in the reverse order of their keys.
        reverses_ties: bool,
    },
    /// In an order that the connector states nothing about, by next links or offsets.
    Unordered { order: Order, links: bool },
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Order {
    Key,
    OldestFirst,
    NewestFirst,
}

impl Settings {
    /// What shrinking leads to: a connector like ServiceNow's, and nothing odd.
    pub(crate) const fn plain() -> Self {
        Self {
            field: Unit::Seconds,
            stated: Unit::Seconds,
            strict: false,
            ignores_filter: false,
            listing: Listing::Anchored {
                by_key: true,
                by_offset: true,
                bisectable: true,
                reverses_ties: false,
            },
            tells_total: true,
            cap: None,
            page_size: 10,
            records: 40,
            numeric_ids: false,
            tells_time: true,
            skew: 0,
            reach: 30_000,
            narrow_reach: 30_000,
            interval: 60_000,
            latency: 0,
            in_flight: 1,
            max_events: 10,
            created_check: CreatedCheck::Watermark,
            tolerance: 0,
            drop_before_bound: true,
            drop_after_clock: false,
            versioned: true,
            excludes: false,
            hides: false,
        }
    }

    pub(crate) fn draw(random: &mut Random) -> Self {
        let (field, stated) = units(random);
        let listing = listing(random, field, stated);
        let unit = field.max(stated).duration().num_milliseconds();
        let reach = unit.max(random.pick(&[1, 5_000, 30_000, 300_000, 7_200_000]));
        let mut settings = Self {
            field,
            stated,
            listing,
            strict: random.percent(25),
            ignores_filter: random.percent(8),
            tells_total: random.percent(80),
            cap: random.percent(10).then(|| random.between(2, 8)),
            page_size: match random.below(4) {
                0 => random.between(2, 100),
                _ => random.between(2, 9),
            },
            records: random.between(3, 60),
            numeric_ids: random.percent(30),
            tells_time: random.percent(85),
            skew: random.pick(&[0, 0, -86_400_000, -7_000, 3_333, 90_000, 5_000_000]),
            reach,
            narrow_reach: reach,
            interval: random.pick(&[unit / 7 + 1, unit + 13, 3 * unit + 400, 60_000, 900_000]),
            latency: random.pick(&[0, 0, 1, 90, 700, 2_500]),
            in_flight: random.between(1, 4),
            max_events: random.between(1, 10),
            created_check: random.pick(&[
                CreatedCheck::Watermark,
                CreatedCheck::Watermark,
                CreatedCheck::OpenConnectors,
            ]),
            tolerance: random.pick(&[0, 0, 5_000]),
            drop_before_bound: random.percent(85),
            drop_after_clock: random.percent(15),
            versioned: random.percent(75),
            excludes: random.percent(20),
            hides: random.percent(25),
        };
        if random.percent(25) {
            settings.narrow_reach = unit.max(reach / 3);
        }
        settings.made_consistent()
    }

    /// Leaves out what no connector can state truthfully, or what lies outside the promise.
    pub(crate) fn made_consistent(mut self) -> Self {
        if let Listing::Anchored {
            by_key,
            by_offset,
            bisectable,
            reverses_ties,
        } = &mut self.listing
        {
            // The condition on the key needs the date as it is stored.
            *by_key &= self.field == self.stated;
            // Where the filter is exclusive, a page shows records from before its anchor.
            self.strict = false;
            // The range is halved by what the total says.
            *bisectable &= self.tells_total;
            // A tie, and a provider that turns out to be in no order, must have a way through.
            *by_offset |= !*by_key || self.ignores_filter || *reverses_ties;
            // A connector that states an order of keys and doesn't keep it is noticed only where a
            // page shows it.
            self.hides &= !*reverses_ties;
            // Outside the promise: rows hidden while offsets are the only way.
            self.hides &= *by_key && *bisectable;
            // Nor does a key lead on where a whole page of a tie is hidden.
            *by_offset |= self.hides;
        }
        // What is thinned must still show that it goes on.
        self.hides &= self.tells_total;
        if !self.tells_time {
            // Our clock stands for the provider's.
            self.skew = 0;
        }
        self.narrow_reach = self.narrow_reach.min(self.reach);
        self
    }

    /// The unit of the plan.
    pub(crate) fn unit(&self) -> Unit {
        self.field.max(self.stated)
    }

    /// In which dates are stored.
    pub(crate) fn stored(&self) -> Unit {
        self.field.min(self.stated)
    }

    pub(crate) const fn paging(&self) -> Paging {
        let page_size = self.page_size;
        match self.listing {
            Listing::Anchored {
                by_key,
                by_offset,
                bisectable,
                ..
            } => Paging {
                anchored: true,
                by_key,
                by_offset,
                bisectable,
                page_size,
            },
            Listing::Unordered { links, .. } => Paging {
                anchored: false,
                by_key: false,
                by_offset: !links,
                bisectable: false,
                page_size,
            },
        }
    }
}

fn units(random: &mut Random) -> (Unit, Unit) {
    let any = [
        Unit::Milliseconds,
        Unit::Seconds,
        Unit::Seconds,
        Unit::Minutes,
        Unit::Days,
    ];
    let field = random.pick(&any);
    let stated = if random.percent(70) {
        field
    } else {
        random.pick(&any)
    };
    (field, stated)
}

fn listing(random: &mut Random, field: Unit, stated: Unit) -> Listing {
    // Pages are anchored only where the bound is stated as finely as dates are stored.
    if random.percent(60) && stated <= field {
        return Listing::Anchored {
            by_key: random.percent(60),
            by_offset: random.percent(60),
            bisectable: random.percent(60),
            reverses_ties: random.percent(15),
        };
    }
    Listing::Unordered {
        order: random.pick(&[Order::Key, Order::OldestFirst, Order::NewestFirst]),
        links: random.percent(50),
    }
}
