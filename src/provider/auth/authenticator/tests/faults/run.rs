//! One run: some renewals, a fault or several, and what comes of it.

use std::{sync::Arc, time::Duration};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::{
    Fault, Operation, Step,
    page::Outcome,
    provider::{CODE, LIFETIME, Provider, RIGHT, Rule, WRONG},
    world::{Ending, Process, World},
};
use crate::{
    catalog::TokenBody,
    category::Category,
    clock::Clock,
    network::{AddressPolicy, GuardedClient},
    provider::auth::{
        Authenticator, AuthenticatorSettings, Authorize as _, ClientCredentials, ClientProof,
        Grant, Lifetimes, Renewals, TokenStore,
    },
};

/// Whoever is neither let in nor told to authorize again by then is lost.
const LONGEST: Duration = Duration::from_secs(30 * 60);

/// One run.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) operation: Operation,
    pub(super) rule: Rule,
    pub(super) hits: Vec<(Step, Fault)>,
    pub(super) seed: u64,
}

pub(super) fn random(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

/// Two to four faults at random steps, of those that `faults` knows.
pub(super) fn several(random: &mut StdRng, faults: fn(Step) -> Vec<Fault>) -> Vec<(Step, Fault)> {
    let count = random.random_range(2..=4);
    let hit = |_| {
        let step = Step::ALL[random.random_range(0..Step::ALL.len())];
        let faults = faults(step);
        (step, faults[random.random_range(0..faults.len())])
    };
    (0..count).map(hit).collect()
}

/// The store through which a process reaches what outlasts it.
pub(crate) type Stores = Box<dyn Fn(&Process) -> Arc<dyn TokenStore>>;

/// For longer no mark of another process binds.
const MARKED: Duration = Duration::from_secs(80);

/// How long a process that is asked to end may wait for a renewal.
const GRACE: Duration = Duration::from_secs(3);

impl Run {
    /// Plays it; `None` where the step was never come to.
    ///
    /// # Panics
    ///
    /// Somebody is locked out whom the provider would let in, or waits for ever.
    pub(super) async fn play(&self, stores: Stores) -> Option<Outcome> {
        let mut random = random(self.seed);
        let clock = Clock::starting_at(super::super::NOW.parse().unwrap());
        let mut provider = Provider::new(
            self.rule,
            StdRng::seed_from_u64(random.random()),
            clock.now(),
        );
        let with_code = self.operation == Operation::Exchange || random.random();
        let seed = if with_code {
            CODE.to_owned()
        } else {
            provider.issue_refresh()
        };
        let world = World::new(clock, provider, &seed);
        let mut user = User::new(&world, &seed, random, stores);
        if self.operation == Operation::Refresh {
            user.renew_some().await;
        }
        world.state().hits.clone_from(&self.hits);
        let outcome = user.come_through(self).await;
        let hit = world.state().hit;
        if hit == 0 {
            return None;
        }
        if outcome == Outcome::LetIn {
            user.restart_once_more(self).await;
        }
        Some(outcome)
    }
}

/// A user, and the processes that act for him one after another.
pub(super) struct User {
    world: Arc<World>,
    seed: String,
    random: StdRng,
    stores: Stores,
}

impl User {
    pub(super) fn new(world: &Arc<World>, seed: &str, random: StdRng, stores: Stores) -> Self {
        Self {
            world: Arc::clone(world),
            seed: seed.to_owned(),
            random,
            stores,
        }
    }

    fn grant(&self) -> Grant {
        let seed = self.seed.as_str();
        match seed {
            CODE => Grant::AuthorizationCode {
                code: seed.into(),
                redirect_uri: None,
                verifier: None,
            },
            RIGHT | WRONG => Grant::Password {
                username: "ann".into(),
                password: seed.into(),
            },
            _ => Grant::RefreshToken { token: seed.into() },
        }
    }

    fn start(&self) -> (Process, Authenticator) {
        let process = Process::start(&self.world);
        let policy = Arc::new(AddressPolicy::new(Vec::new(), Vec::new()));
        let authenticator = Authenticator::new(AuthenticatorSettings {
            client: GuardedClient::from_parts(Arc::new(process.clone()), policy, "helpdesk"),
            token_url: "https://provider.example/token".parse().unwrap(),
            token_body: TokenBody::Form,
            grant: self.grant(),
            scopes: Vec::new(),
            parameters: std::collections::BTreeMap::new(),
            credentials: ClientCredentials {
                secret_name: "oauth".to_owned(),
                id: "client-1".into(),
                proof: ClientProof::Body("client-s3cr3t".into()),
            },
            store: (self.stores)(&process),
            renewals: Renewals::default(),
            clock: self.world.clock,
            lifetimes: Lifetimes::default(),
        });
        (process, authenticator)
    }

    /// What went before without a fault.
    async fn renew_some(&mut self) {
        let (process, authenticator) = self.start();
        for _ in 0..self.random.random_range(1..=3) {
            let header = authenticator.authorization().await.unwrap();
            assert!(!process.use_token(header.to_str().unwrap()).await);
            tokio::time::advance(Duration::from_secs(LIFETIME)).await;
        }
    }

    /// Goes on until a request is answered or a person is asked for.
    async fn come_through(&mut self, run: &Run) -> Outcome {
        let begun = tokio::time::Instant::now();
        let (mut process, mut authenticator) = self.start();
        let (mut hit, mut let_in) = (0, false);
        while begun.elapsed() < LONGEST {
            let attempt = tokio::select! {
                attempt = attempt(&process, &authenticator) => Some(attempt),
                () = self.world.struck.notified() => None,
            };
            // What Pollen does next must not be what has it locked out.
            let hits = self.world.state().hit;
            if std::mem::replace(&mut hit, hits) != hits {
                let_in = self.world.lets_in();
            }
            match attempt {
                Some(Ok(())) => {
                    authenticator.rest().await;
                    return Outcome::LetIn;
                }
                Some(Err(Category::Authentication)) => {
                    let let_in = let_in || self.world.lets_in();
                    assert!(
                        !let_in,
                        "{run:?}: locked out although the provider would let it in"
                    );
                    return Outcome::AsksForAPerson;
                }
                Some(Err(_)) => self.pause(5).await,
                None => {
                    self.wait_for_the_end(&process, &authenticator).await;
                    (process, authenticator) = self.start();
                }
            }
        }
        panic!("{run:?}: neither let in nor told what to do");
    }

    /// Goes on until a request is answered: how long that took, or `None` where it took longer than `longest`.
    pub(super) async fn come_in(&mut self, longest: Duration) -> Option<Duration> {
        let begun = tokio::time::Instant::now();
        let (mut process, mut authenticator) = self.start();
        while begun.elapsed() < longest {
            let attempt = tokio::select! {
                attempt = attempt(&process, &authenticator) => Some(attempt),
                () = self.world.struck.notified() => None,
            };
            match attempt {
                Some(Ok(())) => return Some(begun.elapsed()),
                Some(Err(_)) => self.pause(5).await,
                None => {
                    self.wait_for_the_end(&process, &authenticator).await;
                    (process, authenticator) = self.start();
                }
            }
        }
        None
    }

    /// Until another process may work.
    async fn wait_for_the_end(&mut self, process: &Process, authenticator: &Authenticator) {
        let end = self.world.state().end;
        if end == Some(Ending::Terminated) {
            let _ = tokio::time::timeout(GRACE, authenticator.rest()).await;
            process.die();
        }
        self.pause(1).await;
        self.wait_for_the_store().await;
    }

    /// Nobody takes a Lease over that nobody can write.
    async fn wait_for_the_store(&mut self) {
        while self.world.is_out_of_order() {
            self.pause(1).await;
        }
    }

    async fn pause(&mut self, seconds: u64) {
        let pause = self.random.random_range(seconds..=20);
        tokio::time::advance(Duration::from_secs(pause)).await;
    }

    /// What was stored serves the next process too, and a code that was settled is not sent again.
    async fn restart_once_more(&mut self, run: &Run) {
        self.world.state().hits.clear();
        self.wait_for_the_store().await;
        let codes = self.world.state().provider.codes_received;
        let (process, authenticator) = self.start();
        let begun = tokio::time::Instant::now();
        let mut outcome = attempt(&process, &authenticator).await;
        // An outage may have left the mark of the last refresh.
        while outcome == Err(Category::Internal) && begun.elapsed() < MARKED {
            self.pause(5).await;
            outcome = attempt(&process, &authenticator).await;
        }
        assert_eq!(outcome, Ok(()), "{run:?}: the next process is locked out");
        assert_eq!(
            self.world.state().provider.codes_received,
            codes,
            "{run:?}: the code is sent again"
        );
    }
}

/// One request with an access token, repeated once where it is refused.
async fn attempt(process: &Process, authenticator: &Authenticator) -> Result<(), Category> {
    for _ in 0..2 {
        let header = authenticator
            .authorization()
            .await
            .map_err(|error| error.category)?;
        if !process.use_token(header.to_str().unwrap()).await {
            return Ok(());
        }
        authenticator
            .refused(&header)
            .await
            .map_err(|error| error.category)?;
    }
    Err(Category::Provider)
}
