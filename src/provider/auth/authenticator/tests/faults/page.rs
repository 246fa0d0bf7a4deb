//! What came of the runs, held against `docs/authentication.md`.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{Fault, Step, provider::Rule};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/authentication.md");

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    LetIn,
    AsksForAPerson,
}

/// The runs of one step, fault and rule.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cell {
    let_in: u64,
    asked: u64,
}

impl Cell {
    pub(super) fn enter(&mut self, outcome: Option<Outcome>) {
        match outcome {
            Some(Outcome::LetIn) => self.let_in += 1,
            Some(Outcome::AsksForAPerson) => self.asked += 1,
            None => {}
        }
    }

    fn words(self) -> &'static str {
        match (self.let_in, self.asked) {
            (0, 0) => "–",
            (_, 0) => "goes on",
            (0, _) => "authorize again",
            _ => "authorize again where it was replaced",
        }
    }
}

/// The cells of one operation, in the order of the steps.
pub(super) struct Table {
    rows: Vec<(Step, Fault, BTreeMap<Rule, Cell>)>,
    /// How often each was played.
    runs: u64,
}

impl Table {
    pub(super) const fn new(runs: u64) -> Self {
        let rows = Vec::new();
        Self { rows, runs }
    }

    pub(super) fn cell(&mut self, step: Step, fault: Fault, rule: Rule) -> &mut Cell {
        let is_new = self
            .rows
            .last()
            .is_none_or(|row| (row.0, row.1) != (step, fault));
        if is_new {
            self.rows.push((step, fault, BTreeMap::new()));
        }
        self.rows.last_mut().unwrap().2.entry(rule).or_default()
    }

    pub(super) fn check(&self, name: &str) {
        check(name, &self.text());
    }

    fn text(&self) -> String {
        let mut text = "| # | step | fault | never | sometimes | always, with grace | always |\n\
                        |---|---|---|---|---|---|---|\n"
            .to_owned();
        let mut rows: Vec<(Step, String, [&str; 4])> = Vec::new();
        for (step, fault, cells) in &self.rows {
            let words = Rule::ALL.map(|rule| cells[&rule].words());
            match rows.last_mut() {
                Some((last, faults, same)) if last == step && *same == words => {
                    write!(faults, ", {fault}").unwrap();
                }
                _ => rows.push((*step, fault.to_string(), words)),
            }
        }
        rows.retain(|(_, _, words)| words.iter().any(|word| *word != "–"));
        let mut steps: Vec<_> = rows.iter().map(|(step, ..)| *step).collect();
        steps.dedup();
        for (step, faults, words) in rows {
            let number = 1 + steps.iter().position(|other| *other == step).unwrap();
            writeln!(
                text,
                "| {number} | {step} | {faults} | {} |",
                words.join(" | ")
            )
            .unwrap();
        }
        writeln!(
            text,
            "\n{} random runs for each fault at each step under each rule.",
            self.runs
        )
        .unwrap();
        text
    }
}

/// Holds the page's `table` of this name against what was played, or writes it there with
/// `UPDATE_GENERATED=1`.
pub(super) fn check(name: &str, table: &str) {
    let (begin, end) = (
        format!("<!-- {name}: generated -->\n"),
        format!("<!-- {name}: end -->"),
    );
    let text = std::fs::read_to_string(PAGE).unwrap();
    let (before, rest) = text
        .split_once(&begin)
        .expect("the page has a place for the table");
    let (shown, after) = rest.split_once(&end).expect("the table ends");
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        return std::fs::write(PAGE, format!("{before}{begin}{table}{end}{after}")).unwrap();
    }
    let stale = "docs/authentication.md is stale: run UPDATE_GENERATED=1 cargo test --lib faults";
    assert!(shown == table, "{stale}\n{table}");
}
