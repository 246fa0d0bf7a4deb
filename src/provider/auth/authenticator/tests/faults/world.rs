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
use tokio::sync::Notify;

use super::{Fault, Step, provider::Provider};
use crate::{
    clock::Clock,
    network::{SendError, Transport},
    provider::auth::{StoredToken, TokenStore, TokenStoreError},
};

/// How long whoever waits for an answer waits.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a hibernating instance answers, and single sign-on.
const PAGE: &str = "<html>This instance is asleep</html>";

/// The provider, the store and the faults to come, beside the processes that live one after another.
pub(super) struct World {
    pub(super) clock: Clock,
    state: Mutex<State>,
    /// The process has died.
    pub(super) died: Notify,
}

pub(super) struct State {
    pub(super) provider: Provider,
    pub(super) stored: Option<StoredToken>,
    /// What is still to come, the next one last.
    pub(super) hits: Vec<(Step, Fault)>,
    pub(super) hit: usize,
    /// The process that lives; what an earlier one had under way never goes on.
    pub(super) life: usize,
    /// Every code and refresh token that was ever stored, the user's among them.
    pub(super) durable: BTreeSet<String>,
    /// What the process that lives was told beside them.
    pub(super) in_memory: BTreeSet<String>,
    asking: usize,
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
                hits: Vec::new(),
                hit: 0,
                life: 0,
                durable: BTreeSet::from([seed.to_owned()]),
                in_memory: BTreeSet::new(),
                asking: 0,
            }),
            died: Notify::new(),
        })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Whether the provider takes anything that Pollen has been told.
    pub(super) fn lets_in(&self) -> bool {
        let state = self.state();
        let mut known = state.durable.iter().chain(&state.in_memory);
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
            None => Ok(()),
            Some(Fault::Crash) => {
                self.die();
                std::future::pending().await
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

    async fn live(&self, life: usize) {
        if self.state().life != life {
            std::future::pending::<()>().await;
        }
    }

    fn die(&self) {
        let mut state = self.state();
        state.life += 1;
        state.in_memory.clear();
        state.asking = 0;
        self.died.notify_one();
    }
}

/// One process, as the provider and the store see it.
#[derive(Clone)]
pub(super) struct Process {
    world: Arc<World>,
    life: usize,
}

impl Process {
    pub(super) fn start(world: &Arc<World>) -> Self {
        let life = world.state().life;
        Self {
            world: Arc::clone(world),
            life,
        }
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
            state.asking += 1;
            assert_eq!(state.asking, 1, "two refreshes at one time");
        }
        let answer = self.carried_out(&form).await;
        self.world.state().asking -= 1;
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
        world.state().in_memory.extend(token);
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
        let reached = self.world.reach(self.life, step).await;
        reached.map_err(|failed| TokenStoreError::Unavailable(failed.to_string()))
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
