//! Over several terms of leadership, against an API server and a provider in memory.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, atomic::AtomicBool, atomic::Ordering},
};

use futures::{FutureExt as _, future::BoxFuture};
use reqwest::{Request, Response, Url};
use serde_json::{Value, json};
use tokio::{sync::watch, time::sleep};

use super::*;
use crate::{
    api::AuthenticationType,
    network::{AddressPolicy, Clients, SendError, Transport},
    operator::{fake_api::FakeApi, fixtures},
};

const GRACE: Duration = Duration::from_secs(7);
/// Longer than the token store tries, and than the next term's first poll takes.
const LONG: Duration = Duration::from_secs(60);

/// A provider without records, which takes each refresh token once or its only one for ever.
struct Provider {
    api: FakeApi,
    rotates: bool,
    /// The API server goes down right behind the first grant.
    takes_down: AtomicBool,
    /// The refresh tokens that were sent.
    sent: Mutex<Vec<String>>,
    /// The access tokens that requests for records came with.
    used: watch::Sender<Vec<String>>,
}

impl Provider {
    fn of(api: &FakeApi, rotates: bool) -> Arc<Self> {
        Arc::new(Self {
            api: api.clone(),
            rotates,
            takes_down: false.into(),
            sent: Mutex::default(),
            used: watch::Sender::default(),
        })
    }

    fn sent(&self) -> Vec<String> {
        self.sent.lock().unwrap().clone()
    }

    /// The Nth grant brings `aN` and, where tokens are rotated, `rN` for the token before.
    fn grant(&self, token: String) -> (u16, Value) {
        let mut sent = self.sent.lock().unwrap();
        let expected = if self.rotates { sent.len() } else { 0 };
        let is_taken = token == format!("r{expected}");
        sent.push(token);
        if !is_taken {
            return (400, json!({"error": "invalid_grant"}));
        }
        if self.takes_down.swap(false, Ordering::SeqCst) {
            self.api.set_down(true);
        }
        let number = sent.len();
        let refresh = if self.rotates { number } else { 0 };
        let issued = json!({
            "access_token": format!("a{number}"), "refresh_token": format!("r{refresh}"), "expires_in": 1_799,
        });
        (200, issued)
    }

    fn answer(&self, request: &Request) -> (u16, Value) {
        if request.url().path() != "/oauth_token.do" {
            let used = request.headers()["authorization"].to_str().unwrap();
            self.used
                .send_modify(|all| all.push(used.replace("Bearer ", "")));
            return (200, json!({"result": []}));
        }
        let body = request.body().and_then(reqwest::Body::as_bytes).unwrap();
        let query = format!("http://x/?{}", String::from_utf8_lossy(body));
        let form: Url = query.parse().unwrap();
        let form: BTreeMap<_, _> = form.query_pairs().into_owned().collect();
        self.grant(form["refresh_token"].clone())
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider").finish_non_exhaustive()
    }
}

impl Transport for Provider {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, SendError>> {
        let (status, body) = self.answer(&request);
        let answer = http::Response::builder()
            .status(status)
            .body(body.to_string());
        async move { Ok(answer.unwrap().into()) }.boxed()
    }
}

/// A process called `identity`, whose instance lives on the refresh token of its Secret.
fn process(api: &FakeApi, provider: &Arc<Provider>, identity: &str) -> Controller {
    // What the watches show is fed in by tests that need it.
    let (_, changes) = mpsc::unbounded_channel();
    process_told(api, provider, identity, changes)
}

/// The same, which learns what changes.
fn process_told(
    api: &FakeApi,
    provider: &Arc<Provider>,
    identity: &str,
    changes: mpsc::UnboundedReceiver<Change>,
) -> Controller {
    let policy = Arc::new(AddressPolicy::default());
    let transport = Arc::<Provider>::clone(provider);
    let shared = fixtures::shared_with(api, Clients::over(transport, policy));
    let mut shared = Shared::clone(&shared);
    shared.tokens.identity = identity.to_owned();
    let mut instance = fixtures::instance("prod");
    instance.spec.authentication.kind = Some(AuthenticationType::RefreshToken);
    let mut poller = fixtures::poller("incident", "prod");
    poller.spec.resource = Some("incident".to_owned());
    instance.put(&shared.cache);
    poller.put(&shared.cache);
    Controller::new(Arc::new(shared), changes)
}

fn objects(api: &FakeApi) {
    let kinds = "/apis/pollen.dev/v1alpha1/namespaces/helpdesk";
    for (path, name) in [
        ("connectorinstances", "prod"),
        ("pollerresources", "incident"),
    ] {
        let metadata =
            json!({"namespace": "helpdesk", "name": name, "uid": format!("uid-of-{name}")});
        api.insert(
            &format!("{kinds}/{path}/{name}"),
            json!({"metadata": metadata}),
        );
    }
    secret(api, "cjA=");
}

/// Writes the Secret, with a refresh token in base64.
fn secret(api: &FakeApi, refresh_token: &str) {
    let data = json!({"clientId": "YQ==", "clientSecret": "Yg==", "refreshToken": refresh_token});
    let metadata = json!({"namespace": "helpdesk", "name": "oauth"});
    let path = "/api/v1/namespaces/helpdesk/secrets/oauth";
    api.insert(path, json!({"metadata": metadata, "data": data}));
}

/// Leads until `meanwhile` is over.
async fn term(controller: &mut Controller, meanwhile: impl Future<Output = ()>) {
    let stop = CancellationToken::new();
    let ends = async {
        meanwhile.await;
        stop.cancel();
    };
    let (workers, ()) = tokio::join!(controller.lead(&stop), ends);
    workers.stop(GRACE).await;
}

/// Until records were asked for with `token`, `limit` at most.
async fn used(provider: &Provider, token: &str, limit: Duration) {
    let mut used = provider.used.subscribe();
    let asked = used.wait_for(|used| used.iter().any(|used| used == token));
    let outcome = timeout(limit, asked).await.map(drop);
    let sent = provider.sent();
    assert!(outcome.is_ok(), "{token} is not used: {sent:?} were sent");
}

/// A provider has replaced `r0` and the API server is down, so that the term ends without `r1` stored.
async fn lose_a_term(api: &FakeApi, identity: &str) -> (Arc<Provider>, Controller) {
    objects(api);
    let provider = Provider::of(api, true);
    provider.takes_down.store(true, Ordering::SeqCst);
    let mut controller = process(api, &provider, identity);
    term(&mut controller, sleep(LONG)).await;
    assert_eq!(provider.sent(), ["r0"]);
    api.set_down(false);
    (provider, controller)
}

/// It is the only copy, and the outage that keeps it from the store costs the Lease too.
#[tokio::test(start_paused = true)]
async fn a_rotated_token_that_the_api_server_would_not_take_outlasts_the_term() {
    let api = FakeApi::default();
    let (provider, mut controller) = lose_a_term(&api, "pollen-0").await;
    let mut used = provider.used.subscribe();
    let goes_on = async { drop(timeout(LONG, used.wait_for(|used| !used.is_empty())).await) };
    term(&mut controller, goes_on).await;
    assert!(!provider.used.borrow().is_empty(), "{:?}", provider.sent());
    // Whether it is stored by the term that is over or by this one, none is sent twice.
    assert!(
        ["r0", "r1"].starts_with(
            &provider
                .sent()
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>()
        )
    );
}

#[tokio::test(start_paused = true)]
async fn a_rotated_token_is_stored_for_the_next_owner_by_the_one_that_leads_no_more() {
    let api = FakeApi::default();
    let (provider, _alive) = lose_a_term(&api, "pollen-0").await;
    let mut next = process(&api, &provider, "pollen-1");
    term(&mut next, used(&provider, "a2", LONG)).await;
    assert_eq!(provider.sent(), ["r0", "r1"]);
}

/// ServiceNow's rule: nothing is stored at the end of a refresh, and its mark must go all the same.
#[tokio::test(start_paused = true)]
async fn a_refresh_that_has_ended_keeps_no_other_process_waiting() {
    let api = FakeApi::default();
    objects(&api);
    let provider = Provider::of(&api, false);
    let mut first = process(&api, &provider, "pollen-0");
    term(&mut first, used(&provider, "a1", LONG)).await;
    let mut second = process(&api, &provider, "pollen-1");
    term(&mut second, used(&provider, "a2", Duration::from_secs(10))).await;
}

/// They would otherwise sleep until their interval is over.
#[tokio::test(start_paused = true)]
async fn a_new_secret_is_tried_at_once_by_pollers_that_failed_with_the_old_one() {
    let api = FakeApi::default();
    objects(&api);
    secret(&api, "b3RoZXI=");
    let provider = Provider::of(&api, false);
    let (tell, changes) = mpsc::unbounded_channel();
    let mut process = process_told(&api, &provider, "pollen-0", changes);
    let mended = async {
        sleep(Duration::from_secs(2 * 60 * 60)).await;
        assert!(provider.used.borrow().is_empty());
        secret(&api, "cjA=");
        let key = Key::new("helpdesk", "prod");
        tell.send(Change::Secrets(key)).unwrap();
        let mut used = provider.used.subscribe();
        let asked = used.wait_for(|used| !used.is_empty());
        let outcome = timeout(Duration::from_secs(5), asked).await.map(drop);
        assert!(outcome.is_ok(), "nobody polls");
    };
    term(&mut process, mended).await;
}
