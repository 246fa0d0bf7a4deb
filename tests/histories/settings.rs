//! What a history is played with: a provider's ways and a poller's spec, drawn from the seed.

mod drawn;

use pollen::{api::CreatedCheck, provider::Paging, template::Unit};

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
    pub(crate) deletes: Deletes,
    /// Deletions count from the poller's start on, and not only from when it was made.
    pub(crate) deletes_from_start: bool,
    pub(crate) part: Part,
    /// What is stored of a poller that was deleted can still be read, as in a state folder.
    pub(crate) remembers_gone: bool,
}

/// Which of a provider's records a poller is about, where there are two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// There is no other.
    Alone,
    /// It asks for all of them; another poller may come that takes a class.
    Parent,
    /// It asks for the class.
    Child,
}

/// How deletions are found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Deletes {
    Ignored,
    /// The provider lists them.
    Listed,
    /// The ids known are compared with those that it lists.
    Compared(Comparing),
}

/// How ids are listed and compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Comparing {
    pub(crate) by_key: bool,
    /// Single ids can be asked for.
    pub(crate) by_id: bool,
    pub(crate) max_share_percent: u32,
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
            deletes: Deletes::Ignored,
            deletes_from_start: true,
            part: Part::Alone,
            remembers_gone: false,
        }
    }

    /// The settings of the poller of a class.
    pub(crate) fn of_child(&self) -> Self {
        Self {
            part: Part::Child,
            ..self.clone()
        }
    }

    /// Whether a record is of the class that a poller of its own may take.
    pub(crate) fn is_childs(&self, record: u32) -> bool {
        self.part != Part::Alone && record % 4 < 2 && !self.is_excluded(record)
    }

    /// Whether what must hold of each single poller holds of a record.
    pub(crate) fn is_own(&self, record: u32) -> bool {
        self.is_childs(record) == (self.part == Part::Child)
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
        // What is thinned must still show that it goes on, and what is hidden that it is not gone.
        self.hides &= self.tells_total;
        if !self.tells_time {
            // Our clock stands for the provider's.
            self.skew = 0;
        }
        self.narrow_reach = self.narrow_reach.min(self.reach);
        if let Deletes::Compared(comparing) = &mut self.deletes {
            // A class is known where records are asked for by a query, and so by their ids.
            comparing.by_id |= self.part != Part::Alone;
        }
        self
    }

    /// How ids are listed, where they are compared.
    pub(crate) fn id_list(&self) -> Option<pollen::provider::Listing> {
        let Deletes::Compared(comparing) = self.deletes else {
            return None;
        };
        Some(pollen::provider::Listing {
            by_key: comparing.by_key,
            by_offset: true,
            linked: self.cap.is_some(),
            by_id: comparing.by_id,
            shows_hidden: comparing.by_id && self.tells_total,
        })
    }

    /// Rows of any date come again, so that one that was gone for a whole sweep is news in the next.
    pub(crate) const fn forgets_what_is_gone(&self) -> bool {
        self.ignores_filter && !self.drop_before_bound
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
