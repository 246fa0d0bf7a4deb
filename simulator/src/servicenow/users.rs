//! People at work: changes without end, decided by a seed.

use std::{collections::VecDeque, ops::Range, time::Duration};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};

use super::{Instance, Uncommitted};

/// Of so many records at most, those that were made last, some are changed.
const AT_HAND: usize = 40;
/// So many transactions are open at most.
const OPEN: usize = 3;

/// Users who create, change and delete records, some of them in transactions that commit late.
#[derive(Debug)]
pub struct Users {
    instance: Instance,
    tables: Vec<String>,
    rng: StdRng,
    records: Vec<String>,
    open: VecDeque<Uncommitted>,
}

impl Users {
    /// Users of these tables; the same seed makes the same changes.
    #[must_use]
    pub fn new(instance: &Instance, tables: &[&str], seed: u64) -> Self {
        Self {
            instance: instance.clone(),
            tables: tables.iter().map(|&table| table.to_owned()).collect(),
            rng: StdRng::seed_from_u64(seed),
            records: Vec::new(),
            open: VecDeque::new(),
        }
    }

    /// Makes changes, a pause of `pauses` milliseconds before each, until it is dropped; what is
    /// open then is rolled back.
    pub async fn work(mut self, pauses: Range<u64>) {
        loop {
            let pause = self.rng.random_range(pauses.clone());
            tokio::time::sleep(Duration::from_millis(pause)).await;
            self.act();
        }
    }

    fn act(&mut self) {
        match self.rng.random_range(0..20) {
            0..8 => self.create(),
            8..15 => self.change(),
            15 => self.delete(),
            16..18 => self.write(),
            _ => self.commit(),
        }
    }

    fn create(&mut self) {
        if let Some(table) = self.tables.choose(&mut self.rng) {
            let record = self.instance.create(table, &[]);
            self.keep(record);
        }
    }

    fn change(&mut self) {
        if let Some(record) = self.records.choose(&mut self.rng) {
            self.instance.update(record, &[]);
        }
    }

    fn delete(&mut self) {
        if !self.records.is_empty() {
            let place = self.rng.random_range(0..self.records.len());
            self.instance.delete(&self.records.swap_remove(place));
        }
    }

    fn write(&mut self) {
        if let Some(table) = self.tables.choose(&mut self.rng)
            && self.open.len() < OPEN
        {
            self.open
                .push_back(self.instance.write_uncommitted(table, &[]));
        }
    }

    fn commit(&mut self) {
        // The oldest first: none stays open for longer than any poller looks back.
        if let Some(write) = self.open.pop_front() {
            let record = write.sys_id().to_owned();
            write.commit();
            self.keep(record);
        }
    }

    fn keep(&mut self, record: String) {
        self.records.push(record);
        if self.records.len() > AT_HAND {
            self.records.remove(0);
        }
    }
}
