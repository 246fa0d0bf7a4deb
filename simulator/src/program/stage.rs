//! Where the storyline is played.

use std::{collections::HashMap, time::Duration};

use chrono::{DateTime, TimeDelta, Timelike as _, Utc};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use simulator::{
    RetryAfter,
    receiver::{Answer, Receiver},
    servicenow::{Fault, Instance, Uncommitted},
};
use tokio::time::{Instant, sleep, sleep_until};

use super::{
    cast::Table,
    screen::{Happening, Screen, Source, Tone},
    story::{Act, Step},
    timeline::Timeline,
};

/// How many records each table has before anything happens.
const POPULATION: usize = 8;
/// How long the provider asks to be left alone.
const THROTTLED: u64 = 2;

/// A record in a transaction that has not committed.
struct Open {
    table: Table,
    write: Uncommitted,
    at: DateTime<Utc>,
}

/// Both ends, and what is known of the records.
pub(super) struct Stage {
    servicenow: Instance,
    receiver: Receiver,
    timeline: Timeline,
    screen: Screen,
    rng: StdRng,
    /// Those that anyone can see.
    records: HashMap<Table, Vec<String>>,
    /// How many were ever written.
    written: usize,
    open: Vec<Open>,
}

impl Stage {
    /// A stage whose records are a month old.
    pub(super) fn set(
        servicenow: &Instance,
        receiver: &Receiver,
        timeline: &Timeline,
        screen: Screen,
        seed: u64,
    ) -> Self {
        let mut stage = Self {
            servicenow: servicenow.clone(),
            receiver: receiver.clone(),
            timeline: timeline.clone(),
            screen,
            rng: StdRng::seed_from_u64(seed),
            records: HashMap::new(),
            written: 0,
            open: Vec::new(),
        };
        for table in Table::ALL {
            (0..POPULATION).for_each(|_| stage.populate(table));
        }
        stage.timeline.catch_up(&stage.servicenow);
        stage
    }

    fn populate(&mut self, table: Table) {
        let age = TimeDelta::minutes(self.rng.random_range(1_000..40_000));
        let created = self.servicenow.now() - age;
        let created = created.format("%Y-%m-%d %H:%M:%S").to_string();
        let mut fields = self.fields(table);
        fields.push(("sys_created_on", created));
        self.insert(table, &fields);
    }

    /// Plays the steps that begin before `length`, each at its time or as soon after it as it can be.
    pub(super) async fn play(
        &mut self,
        steps: impl Iterator<Item = Step>,
        length: Option<Duration>,
    ) {
        let begun = Instant::now();
        let within = |step: &Step| length.is_none_or(|length| step.at < length);
        for step in steps.take_while(within) {
            sleep_until(begun + step.at).await;
            self.act(step.act).await;
            self.timeline.catch_up(&self.servicenow);
        }
    }

    /// Ends every trouble; a transaction that is open is rolled back.
    pub(super) fn end(self) {
        self.receiver.answer_always(Answer::Status(200));
    }

    async fn act(&mut self, act: Act) {
        match act {
            Act::Create(table) => self.create(table),
            Act::Edit(table) => self.edit(table),
            Act::Tie(table, count) => self.tie(table, count).await,
            Act::EditTwice(table) => self.edit_twice(table).await,
            Act::Write(table) => self.write(table),
            Act::Commit => self.commit(),
            Act::Throttle => self.throttle(),
            Act::RevokeTokens => self.revoke_tokens(),
            Act::CallbackFails => self.fail_callback(),
            Act::CallbackRecovers => self.recover_callback(),
        }
    }

    fn create(&mut self, table: Table) {
        let fields = self.fields(table);
        let sys_id = self.insert(table, &fields);
        let remark = self.remark(&sys_id);
        self.show("create", table, &sys_id, &remark);
    }

    fn edit(&mut self, table: Table) {
        if let Some(sys_id) = self.any(table) {
            self.edit_record(table, &sys_id);
        }
    }

    fn edit_record(&mut self, table: Table, sys_id: &str) {
        let field = table.edited_field();
        let value = table.edit(&self.field(sys_id, field), &mut self.rng);
        self.servicenow.update(sys_id, &[(field, &value)]);
        self.show("edit", table, sys_id, &format!("{field}: {value}"));
    }

    async fn tie(&mut self, table: Table, count: usize) {
        self.whole_second().await;
        self.tell(&format!(
            "{count} records within one second: a date alone cannot page through them"
        ));
        (0..count).for_each(|_| self.create(table));
    }

    async fn edit_twice(&mut self, table: Table) {
        let Some(sys_id) = self.any(table) else {
            return;
        };
        self.whole_second().await;
        self.tell("two edits within one second: the record's date is the same after both");
        self.edit_record(table, &sys_id);
        self.timeline.catch_up(&self.servicenow);
        // Long enough for a poll to come in between, if there is one each second.
        sleep(Duration::from_millis(850)).await;
        self.edit_record(table, &sys_id);
    }

    fn write(&mut self, table: Table) {
        let fields = self.fields(table);
        let at = self.servicenow.now();
        let write = self
            .servicenow
            .write_uncommitted(table.name(), &borrowed(&fields));
        self.tell("a transaction begins: its record is dated now and cannot be seen yet");
        self.open.push(Open { table, write, at });
    }

    fn commit(&mut self) {
        for Open { table, write, at } in std::mem::take(&mut self.open) {
            let sys_id = write.sys_id().to_owned();
            write.commit();
            self.tell(
                "the transaction commits: its record appears among those that were read already",
            );
            let age = (self.servicenow.now() - at).num_seconds();
            self.show("commit", table, &sys_id, &format!("dated {age} s ago"));
            self.records.entry(table).or_default().push(sys_id);
        }
    }

    fn throttle(&self) {
        self.tell(&format!(
            "ServiceNow throttles: 429, retry after {THROTTLED} s"
        ));
        let fault = Fault::Throttle(RetryAfter::Seconds(THROTTLED));
        self.servicenow.fail_next(fault);
    }

    fn revoke_tokens(&self) {
        self.tell("ServiceNow revokes the access token");
        self.servicenow.revoke_access_tokens();
    }

    fn fail_callback(&self) {
        self.tell("the callback fails: 503");
        self.receiver.answer_always(Answer::Status(503));
    }

    fn recover_callback(&self) {
        self.tell("the callback works again");
        self.receiver.answer_always(Answer::Status(200));
    }

    /// Waits for the beginning of a second, so that the next changes share it.
    async fn whole_second(&self) {
        let past = Duration::from_nanos(self.servicenow.now().nanosecond().into());
        sleep(Duration::from_millis(1_050).saturating_sub(past)).await;
    }

    fn fields(&mut self, table: Table) -> Vec<(&'static str, String)> {
        self.written += 1;
        table.record(self.written, &mut self.rng)
    }

    fn insert(&mut self, table: Table, fields: &[(&str, String)]) -> String {
        let sys_id = self.servicenow.create(table.name(), &borrowed(fields));
        let records = self.records.entry(table).or_default();
        records.push(sys_id.clone());
        sys_id
    }

    fn any(&mut self, table: Table) -> Option<String> {
        self.records.get(&table)?.choose(&mut self.rng).cloned()
    }

    fn field(&self, sys_id: &str, name: &str) -> String {
        let record = self.servicenow.record(sys_id).unwrap_or_default();
        record.get(name).cloned().unwrap_or_default()
    }

    fn remark(&self, sys_id: &str) -> String {
        let fields = ["short_description", "city", "email"].iter();
        let mut values = fields.map(|name| self.field(sys_id, name));
        values.find(|value| !value.is_empty()).unwrap_or_default()
    }

    fn show(&self, what: &str, table: Table, sys_id: &str, remark: &str) {
        let names = ["number", "name"].iter();
        let mut names = names.map(|name| self.field(sys_id, name));
        let name = names.find(|name| !name.is_empty()).unwrap_or_default();
        self.screen.happened(&Happening {
            at: self.servicenow.now(),
            source: Source::ServiceNow,
            what,
            table: table.name(),
            record: &name,
            remark,
            tone: Tone::Plain,
        });
    }

    fn tell(&self, text: &str) {
        let now = self.servicenow.now();
        self.screen.tell(now, Source::Story, text);
    }
}

fn borrowed<'a>(fields: &'a [(&'a str, String)]) -> Vec<(&'a str, &'a str)> {
    let fields = fields.iter();
    fields.map(|(name, value)| (*name, &**value)).collect()
}
