//! Credentials that change while the token service of the ones before hangs.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use reqwest::{Request, Response, Url};
use secrecy::ExposeSecret as _;
use serde_json::json;
use tokio::{sync::oneshot, task::JoinHandle};

use super::*;
use crate::{
    catalog::TokenBody,
    clock::Clock,
    network::{AddressPolicy, GuardedClient, SendError, Transport},
    provider::auth::{
        AuthenticatorSettings, ClientCredentials, ClientProof, Grant, Lifetimes, Renewals,
        TokenStoreError, fixtures::MemoryStore,
    },
};

/// A token service that replaces each refresh token, takes none twice, and answers when it is told to.
#[derive(Default)]
struct Service {
    asked: Mutex<Vec<String>>,
    spent: Mutex<BTreeSet<String>>,
    hanging: Mutex<Vec<oneshot::Sender<()>>>,
}

impl Service {
    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// Lets whatever asks by then have its answer, whoever asked last first, until nobody asks.
    async fn answer(&self) {
        loop {
            settle().await;
            let Some(last) = self.hanging.lock().unwrap().pop() else {
                return;
            };
            last.send(()).unwrap();
        }
    }

    async fn issue(&self, token: String) -> Response {
        let (leave, left) = oneshot::channel();
        self.asked.lock().unwrap().push(token.clone());
        self.hanging.lock().unwrap().push(leave);
        let is_new = self.spent.lock().unwrap().insert(token.clone());
        left.await.unwrap();
        let (status, body) = if is_new {
            let body = json!({
                "access_token": format!("access-{token}"), "refresh_token": format!("{token}+"),
            });
            (200, body)
        } else {
            (400, json!({"error": "invalid_grant"}))
        };
        let answer = http::Response::builder().status(status);
        answer.body(body.to_string()).unwrap().into()
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}

impl Transport for Service {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, SendError>> {
        let body = request.body().and_then(reqwest::Body::as_bytes).unwrap();
        let query = format!("http://x/?{}", String::from_utf8_lossy(body));
        let url: Url = query.parse().unwrap();
        let mut fields = url.query_pairs();
        let (_, token) = fields.find(|(name, _)| name == "refresh_token").unwrap();
        let token = token.into_owned();
        async move { Ok(self.issue(token).await) }.boxed()
    }
}

/// An instance, and the user's Secret.
struct World {
    service: Arc<Service>,
    store: Arc<MemoryStore>,
    renewals: Renewals,
    current: Arc<CurrentCredentials>,
}

impl World {
    fn new(token: &str) -> Self {
        let (service, store) = (Arc::default(), Arc::new(MemoryStore::new(None)));
        let renewals = Renewals::default();
        let first = credentials(&service, &store, &renewals, token, "secret-1");
        Self {
            current: Arc::new(CurrentCredentials::new(first, Vec::new())),
            service,
            store,
            renewals,
        }
    }

    /// What a process that starts now has.
    fn restart(&mut self, token: &str) {
        self.renewals = Renewals::default();
        let first = credentials(
            &self.service,
            &self.store,
            &self.renewals,
            token,
            "secret-1",
        );
        self.current = Arc::new(CurrentCredentials::new(first, Vec::new()));
    }

    /// The Secret holds these from now on.
    fn put(&self, token: &str, client_secret: &str) {
        let next = credentials(
            &self.service,
            &self.store,
            &self.renewals,
            token,
            client_secret,
        );
        self.current.replace(next, Vec::new());
    }

    /// A request that wants an access token.
    fn ask(&self) -> JoinHandle<Result<String, FetchError>> {
        let current = Arc::clone(&self.current);
        tokio::spawn(async move {
            let header = current.authorization().await?;
            Ok(header.to_str().unwrap().to_owned())
        })
    }

    /// The access token that a request has once the service answers.
    async fn token(&self) -> Result<String, FetchError> {
        let asked = self.ask();
        self.service.answer().await;
        asked.await.unwrap()
    }
}

fn credentials(
    service: &Arc<Service>,
    store: &Arc<MemoryStore>,
    renewals: &Renewals,
    token: &str,
    client_secret: &str,
) -> Credentials {
    let policy = Arc::new(AddressPolicy::new(Vec::new(), Vec::new()));
    let transport: Arc<Service> = Arc::clone(service);
    Credentials::Tokens(Arc::new(Authenticator::new(AuthenticatorSettings {
        client: GuardedClient::from_parts(transport, policy, "helpdesk"),
        token_url: "https://provider.example/token".parse().unwrap(),
        token_body: TokenBody::Form,
        grant: Grant::RefreshToken {
            token: token.into(),
        },
        scopes: Vec::new(),
        parameters: BTreeMap::new(),
        credentials: ClientCredentials {
            secret_name: "oauth".to_owned(),
            id: "client-1".into(),
            proof: ClientProof::Body(client_secret.into()),
        },
        store: Arc::<MemoryStore>::clone(store),
        renewals: renewals.clone(),
        clock: Clock::starting_at("2024-01-01T00:00:00Z".parse().unwrap()),
        lifetimes: Lifetimes::default(),
    })))
}

/// Lets every task go as far as it comes without an answer.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_for_the_secret_before_never_overwrites_the_token_of_the_present_one() {
    let mut world = World::new("old");
    // One asks, and one waits behind it.
    let (before, behind) = (world.ask(), world.ask());
    settle().await;
    world.put("new", "secret-1");
    let present = world.ask();
    world.service.answer().await;
    for asked in [before, behind, present] {
        asked.await.unwrap().unwrap();
    }
    assert_eq!(world.service.asked(), ["old", "new"]);
    assert_eq!(world.store.refresh_token().as_deref(), Some("new+"));
    world.restart("new");
    assert_eq!(world.token().await.unwrap(), "Bearer access-new+");
}

#[tokio::test(start_paused = true)]
async fn a_new_client_secret_never_sends_the_refresh_token_that_is_on_its_way() {
    let world = World::new("r");
    let before = world.ask();
    settle().await;
    world.put("r", "secret-2");
    let present = world.ask();
    world.service.answer().await;
    before.await.unwrap().unwrap();
    assert_eq!(present.await.unwrap().unwrap(), "Bearer access-r+");
    assert_eq!(world.service.asked(), ["r", "r+"]);
}

/// The token that came of `first` could not be stored when the Secret became another.
async fn put_while_the_store_is_full(first: &str, (token, secret): (&str, &str)) -> World {
    let world = World::new(first);
    let full = TokenStoreError::Unavailable("disk full".to_owned());
    world.store.fail(Some(full));
    world.token().await.unwrap_err();
    world.put(token, secret);
    world.store.fail(None);
    world
}

#[tokio::test(start_paused = true)]
async fn a_token_that_could_not_be_stored_outlives_the_credentials_that_it_came_for() {
    let world = put_while_the_store_is_full("r", ("r", "secret-2")).await;
    assert_eq!(world.token().await.unwrap(), "Bearer access-r");
    assert_eq!(world.store.refresh_token().as_deref(), Some("r+"));
    assert_eq!(world.service.asked(), ["r"]);
}

/// It is the only copy: whoever puts the old Secret back needs it.
#[tokio::test(start_paused = true)]
async fn a_token_that_could_not_be_stored_is_stored_beside_another_secret_and_not_used_for_it() {
    let world = put_while_the_store_is_full("old", ("new", "secret-1")).await;
    let asked = world.ask();
    settle().await;
    assert_eq!(world.store.refresh_token().as_deref(), Some("old+"));
    world.service.answer().await;
    assert_eq!(asked.await.unwrap().unwrap(), "Bearer access-new");
    assert_eq!(world.service.asked(), ["old", "new"]);
}

#[tokio::test(start_paused = true)]
async fn what_a_request_before_the_change_was_sent_with_is_still_kept_out_of_texts() {
    let world = World::new("old");
    world.token().await.unwrap();
    world.put("new", "secret-1");
    let in_hand = world.current.in_hand();
    assert!(
        in_hand
            .iter()
            .any(|secret| secret.expose_secret() == "access-old")
    );
}

#[tokio::test(start_paused = true)]
async fn credentials_that_count_no_more_ask_for_nothing() {
    let world = World::new("old");
    world.token().await.unwrap();
    let before = world.current.current();
    world.put("new", "secret-1");
    let used = HeaderValue::from_static("Bearer access-old");
    let refused = before.authorizer().refused(&used);
    let outcome = tokio::time::timeout(Duration::from_secs(60), refused).await;
    outcome.unwrap().unwrap_err();
    assert_eq!(world.service.asked(), ["old"]);
}

/// Its provider has spent the old refresh token when it answers.
#[tokio::test(start_paused = true)]
async fn the_end_of_a_process_waits_until_a_slow_renewal_is_stored() {
    let world = World::new("old");
    let asked = world.ask();
    settle().await;
    let rest = tokio::spawn({
        let current = Arc::clone(&world.current);
        async move { current.rest().await }
    });
    tokio::time::advance(RENEWAL_GRACE - Duration::from_secs(1)).await;
    settle().await;
    assert!(!rest.is_finished());
    world.service.answer().await;
    rest.await.unwrap();
    assert_eq!(world.store.refresh_token().as_deref(), Some("old+"));
    asked.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_process_waits_no_longer_for_a_token_service_that_hangs() {
    let world = World::new("old");
    let _asked = world.ask();
    settle().await;
    let began = tokio::time::Instant::now();
    world.current.rest().await;
    assert_eq!(began.elapsed(), RENEWAL_GRACE);
}
