//! The figures of a comparison in lines.

use crate::measure::{Sample, Spread, Turns};

const SPREAD: &str = "         min      median         max";

/// Two clients' turns, in each of which `count` things were done.
pub(crate) struct Comparison<'a> {
    /// What is counted.
    pub(crate) things: &'a str,
    pub(crate) count: usize,
    pub(crate) turns: &'a Turns,
    /// The least share of the bare client's rate that Pollen is to reach.
    pub(crate) goal: f64,
}

/// The medians of one client.
struct Medians {
    /// Things per second.
    rate: f64,
    /// Processor time of a thing.
    cost: f64,
}

impl Comparison<'_> {
    /// Prints a line for each client, the ratios, and whether the goal is met.
    pub(crate) fn print(&self) {
        println!(
            "{:14}{:>36}{:>38}",
            "",
            format!("{}/s", self.things),
            "processor, ns each"
        );
        println!("{:14}{SPREAD}  {SPREAD}", "");
        let bare = self.line("bare client", &self.turns.bare);
        let pollen = self.line("pollen", &self.turns.pollen);
        let (clock, processor) = (pollen.rate / bare.rate, bare.cost / pollen.cost);
        let verdict = if clock >= self.goal { "met" } else { "missed" };
        println!(
            "pollen / bare client: {clock:.2} by the clock, {processor:.2} by processor time; \
             goal {:.2} by the clock: {verdict}\n",
            self.goal
        );
    }

    fn line(&self, name: &str, samples: &[Sample]) -> Medians {
        let count = self.count as f64;
        let rates = samples
            .iter()
            .map(|sample| count / sample.wall.as_secs_f64());
        let costs = samples
            .iter()
            .map(|sample| sample.processor.as_secs_f64() * 1e9 / count);
        let (rate, cost) = (Spread::of(rates), Spread::of(costs));
        println!("{name:14}{}  {}", columns(rate), columns(cost));
        Medians {
            rate: rate.median,
            cost: cost.median,
        }
    }
}

fn columns(spread: Spread) -> String {
    format!(
        "{:12.0}{:12.0}{:12.0}",
        spread.min, spread.median, spread.max
    )
}
