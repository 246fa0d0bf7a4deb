//! What outlasts a process, and the places where one is hit.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, io,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use futures::{FutureExt as _, TryFutureExt as _, future::BoxFuture};
use reqwest::{Request, Response, Url};
use secrecy::ExposeSecret as _;
use tokio::{sync::Notify, time::Instant};

use super::{Fault, Step, provider::Provider};
use crate::{
    clock::Clock,
    network::{SendError, Transport},
    provider::auth::{StoredToken, TokenStore, TokenStoreError, TriedPassword},
};

/// How long whoever waits for an answer waits.
const PATIENCE: Duration = Duration::from_secs(20);

/// Longer than the mark of a refresh binds by the clock, and than the store tries.
const OUTAGE: Duration = Duration::from_secs(90);

/// What a hibernating instance answers, and single sign-on.
const PAGE: &str = "<html>This instance is asleep</html>";

/// The provider, the store and the faults to come, beside the processes that live one after another.
pub(super) struct World {
    pub(super) clock: Clock,
    state: Mutex<State>,
    /// What has become of the process that works.
    pub(super) struck: Notify,
}

pub(super) struct State {
    pub(super) provider: Provider,
    pub(super) stored: Option<StoredToken>,
    tried: Option<TriedPassword>,
    /// What is still to come, the next one last.
    pub(super) hits: Vec<(Step, Fault)>,
    pub(super) hit: usize,
    /// Processes so far; what those that are dead had under way never goes on.
    lives: usize,
    dead: BTreeSet<usize>,
    /// How the process that works ends, once it is hit so.
    pub(super) end: Option<Ending>,
    /// Until when the store is out of order.
    outage_until: Option<Instant>,
    /// Every code and refresh token that was ever stored, the user's among them.
    pub(super) durable: BTreeSet<String>,
    /// What each process that lives was told beside them.
    in_memory: BTreeMap<usize, BTreeSet<String>>,
    asking: BTreeSet<usize>,
}

/// How a process ceases to work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// It is dead.
    Died,
    /// It has a few seconds to come to an end.
    Terminated,
    /// It lives, and another one works from now on.
    Deposed,
}

/// Why a step failed.
enum Failed {
    Broken,
    TimedOut,
    /// Something else was answered, with this status.
    Answered(u16),
}

impl World {
    pub(super) fn new(clock: Clock, provider: Provider, seed: &str) -> Arc<Self> {
        Arc::new(Self {
            clock,
            state: Mutex::new(State {
                provider,
                stored: None,
                tried: None,
                hits: Vec::new(),
                hit: 0,
                lives: 0,
                dead: BTreeSet::new(),
                end: None,
                outage_until: None,
                durable: BTreeSet::from([seed.to_owned()]),
                in_memory: BTreeMap::new(),
                asking: BTreeSet::new(),
            }),
            struck: Notify::new(),
        })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Whether the provider takes anything that Pollen has been told.
    pub(super) fn lets_in(&self) -> bool {
        let state = self.state();
        let told = state.in_memory.values().flatten();
        let mut known = state.durable.iter().chain(told);
        known.any(|credential| state.provider.takes(credential, self.clock.now()))
    }

    fn take_hit(&self, step: Step) -> Option<Fault> {
        let mut state = self.state();
        let (_, fault) = state.hits.pop_if(|(place, _)| *place == step)?;
        state.hit += 1;
        Some(fault)
    }

    /// The process is at this step; whoever is dead stays there.
    async fn reach(&self, life: usize, step: Step) -> Result<(), Failed> {
        self.live(life).await;
        match self.take_hit(step) {
            None if step.is_of_the_store() && self.is_out_of_order() => Err(Failed::Broken),
            None => Ok(()),
            Some(Fault::Crash) => {
                self.die(life);
                self.strike(Ending::Died);
                std::future::pending().await
            }
            Some(Fault::Termination) => {
                self.strike(Ending::Terminated);
                Ok(())
            }
            Some(Fault::Deposal) => {
                self.strike(Ending::Deposed);
                Ok(())
            }
            Some(Fault::Outage) => {
                self.state().outage_until = Some(Instant::now() + OUTAGE);
                self.strike(Ending::Deposed);
                if step.is_of_the_store() {
                    return Err(Failed::Broken);
                }
                Ok(())
            }
            Some(Fault::Error) => Err(Failed::Broken),
            Some(Fault::Timeout) => {
                tokio::time::sleep(PATIENCE).await;
                self.live(life).await;
                Err(Failed::TimedOut)
            }
            Some(Fault::Page | Fault::Half) => Err(Failed::Answered(200)),
            Some(Fault::Blocked) => Err(Failed::Answered(403)),
        }
    }

    /// The process is with its store, and is not hit.
    async fn pass(&self, life: usize) -> Result<(), Failed> {
        self.live(life).await;
        if self.is_out_of_order() {
            return Err(Failed::Broken);
        }
        Ok(())
    }

    async fn live(&self, life: usize) {
        if self.state().dead.contains(&life) {
            std::future::pending::<()>().await;
        }
    }

    pub(super) fn is_out_of_order(&self) -> bool {
        let until = self.state().outage_until;
        until.is_some_and(|until| Instant::now() < until)
    }

    fn strike(&self, end: Ending) {
        self.state().end = Some(end);
        self.struck.notify_one();
    }

    fn die(&self, life: usize) {
        let mut state = self.state();
        state.dead.insert(life);
        state.in_memory.remove(&life);
        state.asking.remove(&life);
    }
}

/// One process, as the provider and the store see it.
#[derive(Clone)]
pub(crate) struct Process {
    world: Arc<World>,
    life: usize,
}

impl Process {
    pub(super) fn start(world: &Arc<World>) -> Self {
        let mut state = world.state();
        state.lives += 1;
        state.end = None;
        Self {
            world: Arc::clone(world),
            life: state.lives,
        }
    }

    /// A name that no other process has.
    pub(crate) fn name(&self) -> String {
        format!("pollen-{}", self.life)
    }

    pub(crate) fn clock(&self) -> Clock {
        self.world.clock
    }

    pub(super) fn die(&self) {
        self.world.die(self.life);
    }

    /// It is at this step with its store, where it may be hit, or at one that nobody counts: the error
    /// says how it is hit.
    pub(crate) async fn come_to(&self, step: Option<Step>) -> Result<(), String> {
        let reached = match step {
            Some(step) => self.world.reach(self.life, step).await,
            None => self.world.pass(self.life).await,
        };
        reached.map_err(|failed| failed.to_string())
    }

    /// A refresh token is where no crash can take it away.
    pub(crate) fn note_stored(&self, token: &str) {
        self.world.state().durable.insert(token.to_owned());
    }

    /// Sends a request with an access token; returns whether it was refused.
    pub(super) async fn use_token(&self, header: &str) -> bool {
        let reached = self.world.reach(self.life, Step::Use).await;
        if matches!(reached, Err(Failed::Broken)) {
            self.world.state().provider.refuse_access(header);
        }
        !self.world.state().provider.takes_access(header)
    }

    async fn ask(&self, request: Request) -> Result<Response, reqwest::Error> {
        let form = form(&request);
        {
            let mut state = self.world.state();
            state.asking.insert(self.life);
            assert_eq!(state.asking.len(), 1, "two refreshes at one time");
        }
        let answer = self.carried_out(&form).await;
        self.world.state().asking.remove(&self.life);
        answer
    }

    async fn carried_out(
        &self,
        form: &BTreeMap<String, String>,
    ) -> Result<Response, reqwest::Error> {
        let (world, life) = (&self.world, self.life);
        match world.reach(life, Step::Ask).await {
            Ok(()) => {}
            Err(Failed::Answered(status)) => return Ok(answered(status, PAGE.to_owned())),
            Err(failed) => return Err(broken(&failed).await),
        }
        let (status, mut body) = world.state().provider.grant(form, world.clock.now());
        match world.reach(life, Step::Answer).await {
            Ok(()) => {}
            Err(Failed::Answered(_)) => {
                body.as_object_mut().unwrap().remove("access_token");
            }
            Err(failed) => return Err(broken(&failed).await),
        }
        let token = body["refresh_token"].as_str().map(str::to_owned);
        let mut state = world.state();
        state.in_memory.entry(life).or_default().extend(token);
        drop(state);
        Ok(answered(status, body.to_string()))
    }

    async fn written(&self, token: StoredToken) -> Result<(), TokenStoreError> {
        let is_record = token.refresh_token.is_none() && token.expires_at.is_some();
        let (before, behind) = if is_record {
            (Step::Record, Step::Recorded)
        } else {
            (Step::Store, Step::Stored)
        };
        self.step(before).await?;
        {
            let mut state = self.world.state();
            let text = token
                .refresh_token
                .as_ref()
                .map(|token| token.expose_secret().to_owned());
            state.durable.extend(text);
            state.stored = Some(token);
        }
        self.step(behind).await
    }

    async fn step(&self, step: Step) -> Result<(), TokenStoreError> {
        let reached = self.come_to(Some(step)).await;
        reached.map_err(TokenStoreError::Unavailable)
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimedOut => "no answer in time",
            Self::Broken | Self::Answered(_) => "etcdserver: leader changed",
        })
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process")
            .field("life", &self.life)
            .finish_non_exhaustive()
    }
}

impl Transport for Process {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, SendError>> {
        self.ask(request).map_err(SendError::Failed).boxed()
    }
}

impl TokenStore for Process {
    fn load(&self) -> BoxFuture<'_, Result<Option<StoredToken>, TokenStoreError>> {
        async {
            self.step(Step::Load).await?;
            Ok(self.world.state().stored.clone())
        }
        .boxed()
    }

    fn begin_refresh(&self) -> BoxFuture<'_, Result<(), TokenStoreError>> {
        async {
            self.step(Step::Mark).await?;
            self.step(Step::Marked).await
        }
        .boxed()
    }

    fn store(&self, token: StoredToken) -> BoxFuture<'_, Result<(), TokenStoreError>> {
        self.written(token).boxed()
    }

    fn tried(&self) -> BoxFuture<'_, Result<Option<TriedPassword>, TokenStoreError>> {
        async {
            self.step(Step::Load).await?;
            Ok(self.world.state().tried.clone())
        }
        .boxed()
    }

    fn note_tried(
        &self,
        tried: Option<TriedPassword>,
    ) -> BoxFuture<'_, Result<(), TokenStoreError>> {
        async {
            let goes_out = tried.as_ref().is_some_and(|tried| tried.answer().is_none());
            let (before, behind) = if goes_out {
                (Step::Record, Step::Recorded)
            } else {
                (Step::Store, Step::Stored)
            };
            self.step(before).await?;
            self.world.state().tried = tried;
            self.step(behind).await
        }
        .boxed()
    }
}

fn form(request: &Request) -> BTreeMap<String, String> {
    let body = request.body().and_then(reqwest::Body::as_bytes).unwrap();
    let query = format!("http://x/?{}", String::from_utf8_lossy(body));
    let url: Url = query.parse().unwrap();
    url.query_pairs().into_owned().collect()
}

fn answered(status: u16, body: String) -> Response {
    http::Response::builder()
        .status(status)
        .body(body)
        .unwrap()
        .into()
}

/// reqwest makes its errors itself: here of a body that cannot be read.
async fn broken(failed: &Failed) -> reqwest::Error {
    let kind = match failed {
        Failed::TimedOut => io::ErrorKind::TimedOut,
        Failed::Broken | Failed::Answered(_) => io::ErrorKind::ConnectionReset,
    };
    let piece: Result<Vec<u8>, io::Error> = Err(kind.into());
    let body = reqwest::Body::wrap_stream(futures::stream::iter([piece]));
    let mut answer = Response::from(http::Response::new(body));
    answer.chunk().await.expect_err("its body is an error")
}
