//! kill -9 at random moments, as the tests of both rims do it: when, and what it must not lead to.

use std::time::{Duration, Instant};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use simulator::{
    receiver::{Answer, Receiver},
    reckoning::Reckoning,
    servicenow::{Instance, Users},
};
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};

pub(crate) const TABLES: [&str; 2] = ["incident", "problem"];

/// How long after a request that it waited for a kill comes, at most: within that time an answer is
/// read, stored, or lost.
const SHORTLY: Duration = Duration::from_millis(4);

/// So many times what was ordered are the most kills that there are.
const MOST: usize = 5;

/// How many times something is killed, at least, and by which seed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order {
    pub(crate) kills: usize,
    pub(crate) seed: u64,
}

impl Order {
    pub(crate) fn of(kills: usize) -> Self {
        Self {
            kills,
            seed: rand::random(),
        }
    }

    /// What `KILLS` and `SEED` say; 200 of another seed each time where they say nothing.
    pub(crate) fn given() -> Self {
        let given = |name| {
            let text = std::env::var(name).ok().filter(|text| !text.is_empty());
            text.map(|text| text.parse::<u64>().unwrap())
        };
        Self {
            kills: usize::try_from(given("KILLS").unwrap_or(200)).unwrap(),
            seed: given("SEED").unwrap_or_else(rand::random),
        }
    }
}

/// A series of kills while records change.
pub(crate) struct Kills {
    order: Order,
    instance: Instance,
    receiver: Receiver,
    /// How long anything lives at most, where the last life met work.
    longest: Duration,
    /// The lives so far since one met work.
    idle: u32,
    lives: usize,
    rng: StdRng,
    working: JoinHandle<()>,
    begun: Instant,
    /// The lives in which something was delivered.
    busy: usize,
}

impl Kills {
    /// Lets records of [`TABLES`] change, and the provider rotate the refresh token at each use. The
    /// old one serves for a minute more, as where clients may miss an answer: without that, a kill
    /// between the answer and its storage would be the end of it, whatever anyone does.
    pub(crate) fn begin(order: Order, ends: (&Instance, &Receiver), longest: Duration) -> Self {
        let Order { kills, seed } = order;
        println!("{kills} kills, SEED={seed}");
        let (instance, receiver) = ends;
        instance.configure(|settings| {
            settings.rotate_refresh_tokens = true;
            settings.rotation_grace = Duration::from_mins(1);
        });
        receiver.answer_always(Answer::Slow(Duration::from_millis(5), 200));
        let users = Users::new(instance, &TABLES, seed);
        Self {
            order,
            instance: instance.clone(),
            receiver: receiver.clone(),
            longest,
            idle: 0,
            lives: 0,
            rng: StdRng::seed_from_u64(seed),
            working: tokio::spawn(users.work(5..30)),
            begun: Instant::now(),
            busy: 0,
        }
    }

    /// Whether another kill is to come: as many as were ordered, and more while too few met work, be it
    /// by chance or on a busy machine.
    pub(crate) fn go_on(&self) -> bool {
        let ordered = self.order.kills;
        self.lives < ordered || (self.busy < self.enough() && self.lives < MOST * ordered)
    }

    /// How many kills must have met work for the others to show anything.
    const fn enough(&self) -> usize {
        self.order.kills / 4 + 1
    }

    /// Returns at the moment of the kill: at any time of a life, or shortly behind a request for
    /// tokens or a notification.
    pub(crate) async fn moment(&mut self) {
        let (tokens, sent) = (self.instance.token_requests().len(), self.sent());
        let longest = self.longest_now();
        let life = longest.mul_f64(self.rng.random());
        let shortly = SHORTLY.mul_f64(self.rng.random());
        // No wait for anything to be done: the moment is what the seed decides.
        match self.rng.random_range(0..4) {
            0 => {
                let instance = self.instance.clone();
                until(longest, || instance.token_requests().len() > tokens).await;
                sleep(shortly).await;
            }
            1 => {
                let arrivals = self.rng.random_range(1..20);
                let arrived = self.receiver.await_notifications(sent + arrivals, longest);
                arrived.await.ok();
                sleep(shortly).await;
            }
            _ => sleep(life).await,
        }
        self.lives += 1;
        if self.sent() > sent {
            self.busy += 1;
            self.idle = 0;
        } else {
            self.idle += 1;
        }
    }

    /// A quarter more for each life that met no work: a busy machine takes longer to start anything.
    fn longest_now(&self) -> Duration {
        self.longest.mul_f64(1.0 + 0.25 * f64::from(self.idle))
    }

    fn sent(&self) -> usize {
        self.receiver.notifications().len()
    }

    /// Lets no record change any more.
    pub(crate) fn end(&self) {
        self.working.abort();
        println!(
            "took {:.0?}; in {} of {} lives something was delivered",
            self.begun.elapsed(),
            self.busy,
            self.lives
        );
    }

    fn reckon(&self) -> Reckoning {
        let notifications = self.receiver.notifications();
        let events = self.receiver.acknowledged();
        Reckoning::new(&self.instance.history(), 0, &notifications, &events)
    }

    /// Fails unless all that was changed was delivered, and what was repeated under its old id.
    pub(crate) fn judge(&self) {
        let reckoning = self.reckon();
        let refreshed = self.instance.token_requests().len();
        let saved = self.instance.served_in_grace();
        println!(
            "{reckoning}tokens refreshed  {refreshed:>4}   {saved} of them with one whose successor a kill had lost"
        );
        assert!(reckoning.is_faithful(), "{:?}: {reckoning}", self.order);
        assert_eq!(reckoning.renamed(), 0, "{:?}: {reckoning}", self.order);
        assert!(
            self.busy >= self.enough(),
            "only {} of {} kills came while it worked",
            self.busy,
            self.lives
        );
    }
}

async fn until(patience: Duration, holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(patience, waiting).await.ok();
}
