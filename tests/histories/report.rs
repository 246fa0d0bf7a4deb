//! A history that fails, for a person to read and to replay.

use crate::{play::History, settings::Settings, shrink::shrink};

/// What is wrong with the history of `seed`: shrunk, with what happens in it.
pub(crate) fn of(seed: u64) -> String {
    let history = History::of(seed);
    let Some(violation) = history.play() else {
        return format!("seed {seed}: no violation in {} steps", history.steps.len());
    };
    let history = shrink(history, violation.invariant);
    let violation = history.play().unwrap_or(violation);
    format!(
        "seed {seed} violates {}\n  expected: {}\n  came:     {}\n\nsettings, where they are not plain:\n{}\n\n\
         the shrunk history, with requests, notifications and writes:\n{}\n\nreplay: make soak SEED={seed}\n",
        violation.invariant,
        violation.expected,
        violation.came,
        unlike_plain(&history.settings),
        indented(&history.trace()),
    )
}

fn unlike_plain(settings: &Settings) -> String {
    let (plain, own) = (Settings::plain(), settings);
    let lines = |settings: &Settings| {
        let text = format!("{settings:#?}");
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let plain = lines(&plain);
    let odd: Vec<_> = lines(own)
        .into_iter()
        .filter(|line| !plain.contains(line))
        .collect();
    if odd.is_empty() {
        "  none".to_owned()
    } else {
        odd.join("\n")
    }
}

fn indented(lines: &[String]) -> String {
    let lines: Vec<_> = lines.iter().map(|line| format!("  {line}")).collect();
    lines.join("\n")
}
