//! Questions about ids, whatever the dates of their records.

/// How the ids of a resource can be listed, and single ones looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listing {
    /// [`IdAsk::After`] can be asked for.
    pub by_key: bool,
    /// [`IdAsk::Offset`] can be asked for.
    pub by_offset: bool,
    /// A list that goes on says so by a next link.
    pub linked: bool,
    /// [`IdAsk::Among`] and [`IdAsk::Records`] can be asked for.
    pub by_id: bool,
    /// Totals count rows before access rules, so that a row that is hidden is told from one that is
    /// gone.
    pub shows_hidden: bool,
}

/// One request for ids, or for the records that have them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdAsk {
    /// The first page of all that the query selects whatever its date: ids and classes at least.
    First,
    /// The same in the order of ids, those behind this one.
    After(String),
    /// The same, from this row on.
    Offset(u64),
    /// The page behind a next link of the provider.
    Link(String),
    /// Which of these ids there are, whatever the query's other conditions.
    Among(Vec<String>),
    /// The whole records of these ids, under the query's other conditions.
    Records(Vec<String>),
}
