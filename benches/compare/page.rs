//! The page that a run writes.

use std::fmt;

use chrono::NaiveDate;

use crate::{judge::Verdict, peer::Peer, scenario::Scenario};

const HEAD: &str = include_str!("page.md");

/// A table with a row for each scenario and a column for each peer.
pub(crate) struct Page {
    date: NaiveDate,
    names: Vec<String>,
    right: Vec<usize>,
    rows: Vec<String>,
}

impl Page {
    pub(crate) fn new(peers: &[Peer], date: NaiveDate) -> Self {
        Self {
            date,
            names: peers.iter().map(|peer| peer.name.clone()).collect(),
            right: vec![0; peers.len()],
            rows: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, scenario: &Scenario, verdicts: &[Verdict]) {
        for (right, verdict) in self.right.iter_mut().zip(verdicts) {
            *right += usize::from(verdict.is_right());
        }
        let Scenario {
            id, title, right, ..
        } = scenario;
        let verdicts: Vec<_> = verdicts.iter().map(ToString::to_string).collect();
        let row = format!("| {id} | {title} | {right} | {} |", verdicts.join(" | "));
        self.rows.push(row);
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEAD}\nRun on {}.\n", self.date)?;
        writeln!(f, "| | scenario | right is | {} |", self.names.join(" | "))?;
        writeln!(f, "|---|---|---|{}", "---|".repeat(self.names.len()))?;
        for row in &self.rows {
            writeln!(f, "{row}")?;
        }
        let of = self.rows.len();
        let right = self.right.iter().map(|right| format!("{right} of {of}"));
        let right: Vec<_> = right.collect();
        writeln!(f, "| | **right** | | {} |", right.join(" | "))
    }
}
