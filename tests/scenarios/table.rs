//! The table of scenarios and results in `docs/scenarios.md`.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use crate::{format::Scenario, play::Place};

const BEGIN: &str = "<!-- the table of results: written by the tests -->\n";
const END: &str = "<!-- end of the table -->\n";

/// What came of each scenario so far.
#[derive(Default)]
pub(crate) struct Results(Mutex<BTreeMap<(String, Place), bool>>);

impl Results {
    /// The scenario called `name` was played.
    pub(crate) fn note(&self, name: &str, place: Place, passed: bool) {
        let mut results = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        results.insert((name.to_owned(), place), passed);
    }

    /// The table over the scenarios; nothing where one of them was not played.
    fn table(&self, scenarios: &[(String, Arc<Scenario>)]) -> Option<String> {
        let results = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let result = |name: &str, place| {
            let passed = results.get(&(name.to_owned(), place))?;
            Some(if *passed { "passes" } else { "**fails**" })
        };
        let mut table =
            "| scenario | what must hold | in memory | over sockets |\n|---|---|---|---|\n"
                .to_owned();
        for (name, scenario) in scenarios {
            let in_memory = result(name, Place::InMemory)?;
            let over_sockets = match &scenario.in_memory_only {
                None => result(name, Place::OverSockets)?.to_owned(),
                Some(reason) => format!("not played: {reason}"),
            };
            let title = &scenario.title;
            let link = format!("[{name}](../tests/scenarios/{name}.yaml)");
            writeln!(table, "| {link} | {title} | {in_memory} | {over_sockets} |").ok()?;
        }
        Some(table)
    }

    /// Holds the page against the results, or writes them there with `UPDATE_GENERATED=1`.
    ///
    /// # Errors
    ///
    /// The page shows something else.
    pub(crate) fn check(&self, scenarios: &[(String, Arc<Scenario>)]) -> Result<(), String> {
        let Some(table) = self.table(scenarios) else {
            // Only some were asked for.
            return Ok(());
        };
        let text = fs::read_to_string(page()).map_err(|error| error.to_string())?;
        let parts = text
            .split_once(BEGIN)
            .and_then(|(before, rest)| Some((before, rest.split_once(END)?)));
        let Some((before, (shown, after))) = parts else {
            return Err(format!(
                "docs/scenarios.md has no place for the table: {BEGIN}{END}"
            ));
        };
        if shown == table {
            return Ok(());
        }
        if std::env::var_os("UPDATE_GENERATED").is_some() {
            let text = format!("{before}{BEGIN}{table}{END}{after}");
            return fs::write(page(), text).map_err(|error| error.to_string());
        }
        Err("the table in docs/scenarios.md is stale: run UPDATE_GENERATED=1 cargo test --test scenarios".to_owned())
    }
}

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/scenarios.md")
}
