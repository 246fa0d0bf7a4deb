//! One run: the first poll, the storyline, the last events.

use std::time::Duration;

use simulator::{receiver::Receiver, reckoning::Reckoning, servicenow::Instance};
use tokio::time::{sleep, timeout};

use super::{
    Arguments,
    arrivals::readable,
    cast::Table,
    command::Beside,
    screen::{Screen, Tone},
    stage::Stage,
    stop::Stop,
    story,
    timeline::Timeline,
};

/// How long a run of a given length waits for somebody to poll.
const FIRST_POLL: Duration = Duration::from_mins(1);
/// How long after the first poll the other pollers may take to make theirs.
const GATHERING: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(100);

/// What a run needs from its beginning to its end.
pub(super) struct Run {
    pub(super) arguments: Arguments,
    pub(super) servicenow: Instance,
    pub(super) receiver: Receiver,
    pub(super) timeline: Timeline,
    /// How much of the instance's history was there before.
    pub(super) begun: usize,
    pub(super) stop: Stop,
}

impl Run {
    /// Plays the storyline and waits for its events, with the command beside it.
    ///
    /// The inner result is whether the command ended well; the outer one, whether there is anything to conclude.
    pub(super) async fn through(
        &self,
        stage: Stage,
        beside: Option<Beside>,
    ) -> Result<Result<(), String>, String> {
        let Some(mut beside) = beside else {
            return self.play(stage).await.map(Ok);
        };
        tokio::select! {
            played = self.play(stage) => played?,
            reason = beside.ended() => return Err(reason),
        }
        Ok(beside.stop().await)
    }

    /// Both until stopped.
    async fn play(&self, mut stage: Stage) -> Result<(), String> {
        let Arguments {
            seed, length, wait, ..
        } = self.arguments;
        let patience = length.map_or(Duration::MAX, |_| FIRST_POLL);
        let tables = tokio::select! {
            polled = timeout(patience, self.first_polls()) => polled.map_err(|_| self.unpolled())?,
            () = self.stop.asked(1) => return Ok(()),
        };
        tokio::select! {
            () = stage.play(story::steps(seed, tables, length), length) => {}
            () = self.stop.asked(1) => {}
        }
        stage.end();
        tokio::select! {
            _ = timeout(wait, self.completion()) => {}
            () = self.stop.asked(2) => {}
        }
        Ok(())
    }

    /// Prints the summary; returns whether all was as it must be.
    pub(super) fn conclude(&self, screen: Screen) -> bool {
        let reckoning = self.reckon();
        screen.write(&format!("\n{reckoning}{}", self.delays()), Tone::Plain);
        let well = reckoning.is_faithful();
        let (verdict, tone) = match (well, reckoning.is_empty()) {
            (false, _) => (
                "FAILED: see what was lost, invented or signed wrongly",
                Tone::Bad,
            ),
            (true, true) => ("nothing was changed", Tone::Plain),
            (true, false) => ("every change arrived, and nothing else did", Tone::Good),
        };
        screen.write(verdict, tone);
        well
    }

    fn delays(&self) -> String {
        let (notifications, events) = (self.receiver.notifications(), self.receiver.acknowledged());
        let delays = self.timeline.delays(&notifications, &events);
        let (Some(median), Some(last)) = (delays.get(delays.len() / 2), delays.last()) else {
            return String::new();
        };
        let (median, last) = (readable(*median), readable(*last));
        format!("from change to arrival: half within {median}, all within {last}\n")
    }

    /// The tables that pollers ask for, once they have begun.
    async fn first_polls(&self) -> Vec<Table> {
        while self.polled().is_empty() {
            sleep(LOOK).await;
        }
        sleep(GATHERING).await;
        self.polled()
    }

    fn polled(&self) -> Vec<Table> {
        let requests = self.servicenow.table_requests();
        let asked = |table: &Table| {
            let mut tables = requests
                .iter()
                .filter_map(|request| request.path.rsplit('/').next());
            tables.any(|name| name == table.name())
        };
        Table::ALL.into_iter().filter(asked).collect()
    }

    fn unpolled(&self) -> String {
        format!(
            "nobody polled core_company, sys_user or incident at {} within {FIRST_POLL:?}",
            self.arguments.servicenow
        )
    }

    async fn completion(&self) {
        while !self.reckon().is_complete() {
            sleep(LOOK).await;
        }
    }

    fn reckon(&self) -> Reckoning {
        Reckoning::new(
            &self.servicenow.history(),
            self.begun,
            &self.receiver.notifications(),
            &self.receiver.acknowledged(),
        )
    }
}
