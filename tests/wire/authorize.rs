//! `pollen authorize`: a person at a browser, a ServiceNow, and a folder of manifests.

use std::{os::unix::fs::PermissionsExt as _, process::Stdio};

use axum::{Json, Router, http::StatusCode};
use reqwest::{Client, Response, redirect};
use serde_json::json;
use simulator::{Served, servicenow::TokenFault};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use crate::harness::{PATIENCE, World};

const ELSEWHERE: &str = "https://mycoolapp.com/oauth";
const LOOPBACK: &str = "http://127.0.0.1/callback";

/// An instance that nobody has authorized, whose redirect URI is `redirect_uri`.
async fn unauthorized(redirect_uri: &str) -> World {
    let world = World::with_incidents().await;
    world.manifests.edit("servicenow", |instance| {
        instance["spec"]["authentication"] = json!({
            "redirectUri": redirect_uri, "secretRef": {"name": "oauth"},
        });
    });
    let client = json!({"clientId": "demo-client", "clientSecret": "demo-secret"});
    world.manifests.put_secret("oauth", client);
    world
}

/// The command, at work.
struct Authorize {
    child: Child,
    /// What is pasted.
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
    /// The address that it shows.
    url: String,
}

/// How it ended.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    said: String,
}

impl Ended {
    #[track_caller]
    fn assert_said(&self, code: i32, texts: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        for text in texts {
            assert!(self.said.contains(text), "{text} is not in {self:?}");
        }
        for secret in ["demo-secret", "code="] {
            assert!(!self.said.contains(secret), "{secret} is in {self:?}");
        }
    }
}

impl Authorize {
    async fn start(world: &World, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_pollen"))
            .arg("authorize")
            .arg(world.manifests.path())
            .args(["--allow-address", "127.0.0.0/8"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = timeout(PATIENCE, async {
            while let Ok(Some(line)) = output.next_line().await {
                if line.trim().starts_with("http") {
                    return line.trim().to_owned();
                }
            }
            String::new()
        });
        let url = url.await.expect("it shows an address");
        Self {
            input: child.stdin.take(),
            child,
            output,
            url,
        }
    }

    /// Where the browser is led to when the user has consented.
    async fn consent(&self) -> String {
        let browser = Client::builder()
            .redirect(redirect::Policy::none())
            .build()
            .unwrap();
        let answer = browser.get(&self.url).send().await.unwrap();
        answer.headers()["location"].to_str().unwrap().to_owned()
    }

    async fn paste(&mut self, address: &str) {
        let line = format!("{address}\n");
        self.input
            .as_mut()
            .unwrap()
            .write_all(line.as_bytes())
            .await
            .unwrap();
    }

    /// Waits for its end; nothing more is pasted.
    async fn ended(mut self) -> Ended {
        drop(self.input.take());
        let mut said = String::new();
        let mut errors = self.child.stderr.take().unwrap();
        let end = timeout(PATIENCE, async {
            errors.read_to_string(&mut said).await.unwrap();
            while let Some(line) = self.output.next_line().await.unwrap() {
                said.push_str(&line);
                said.push('\n');
            }
            self.child.wait().await.unwrap().code()
        });
        let code = end.await.expect("pollen did not end");
        Ended { code, said }
    }
}

async fn text(answer: Response) -> (u16, String) {
    (answer.status().as_u16(), answer.text().await.unwrap())
}

fn grants(world: &World) -> Vec<String> {
    world
        .instance
        .token_requests()
        .into_iter()
        .map(|request| request.grant)
        .collect()
}

#[tokio::test]
async fn an_answer_that_comes_to_this_machine_is_received_and_the_poller_lives_on_its_token() {
    let world = unauthorized(LOOPBACK).await;
    world.poll_once().await.assert_said(
        1,
        &["nobody has authorized this instance", "pollen authorize"],
    );
    let authorize = Authorize::start(&world, &[]).await;
    // A browser follows the provider's redirect.
    let (status, shown) = text(reqwest::get(&authorize.url).await.unwrap()).await;
    assert_eq!(status, 200);
    assert!(shown.contains("Go back to the terminal"), "{shown}");
    authorize.ended().await.assert_said(
        0,
        &["authorized: the refresh token is stored in", "pollen local"],
    );

    let file = world
        .manifests
        .state()
        .join("tokens/helpdesk/servicenow.json");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    for _ in 0..2 {
        world.instance.create("incident", &[]);
        assert_eq!(world.poll_well().await.len(), 1);
    }
    assert_eq!(
        grants(&world),
        ["authorization_code", "refresh_token", "refresh_token"]
    );
}

#[tokio::test]
async fn an_answer_that_goes_elsewhere_is_pasted() {
    let world = unauthorized(ELSEWHERE).await;
    let mut authorize = Authorize::start(&world, &["--instance", "helpdesk/servicenow"]).await;
    let led_to = authorize.consent().await;
    assert!(led_to.starts_with(ELSEWHERE), "{led_to}");
    authorize.paste("https://mycoolapp.com/").await;
    authorize.paste(&led_to).await;
    authorize.ended().await.assert_said(
        0,
        &[
            "refused: this is not where the provider leads to",
            "authorized",
        ],
    );
    world.instance.create("incident", &[]);
    assert_eq!(world.poll_well().await.len(), 1);
}

#[tokio::test]
async fn an_answer_to_another_attempt_is_refused_wherever_it_comes_in() {
    let world = unauthorized(LOOPBACK).await;
    let authorize = Authorize::start(&world, &["--wait", "2s"]).await;
    let led_to = authorize.consent().await;
    let (forged, _) = led_to.split_once("&state=").unwrap();
    let (status, shown) = text(
        reqwest::get(format!("{forged}&state=guessed"))
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(status, 400);
    assert!(
        shown.contains("its state is not the one of this attempt"),
        "{shown}"
    );
    authorize
        .ended()
        .await
        .assert_said(1, &["its state is not the one", "no answer came within 2s"]);
    assert!(
        world.instance.token_requests().is_empty(),
        "no code of another attempt is exchanged"
    );
}

#[tokio::test]
async fn a_code_that_was_used_already_asks_for_another_attempt() {
    let world = unauthorized(ELSEWHERE).await;
    let mut authorize = Authorize::start(&world, &[]).await;
    let led_to: reqwest::Url = authorize.consent().await.parse().unwrap();
    let code = led_to
        .query_pairs()
        .find(|(name, _)| name == "code")
        .unwrap()
        .1
        .into_owned();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", ELSEWHERE),
        ("client_id", "demo-client"),
        ("client_secret", "demo-secret"),
    ];
    let token = format!("{}/oauth_token.do", world.provider.url());
    assert!(
        Client::new()
            .post(token)
            .form(&form)
            .send()
            .await
            .unwrap()
            .status()
            .is_success()
    );
    authorize.paste(led_to.as_str()).await;
    let said = [
        "refused the authorization code",
        "a code works once",
        "redirectUri",
        "run `pollen authorize` again",
    ];
    authorize.ended().await.assert_said(1, &said);
}

/// What was issued belongs to the client before.
#[tokio::test]
async fn a_secret_that_changes_while_somebody_is_at_the_browser_gets_no_token_of_another_client() {
    let world = unauthorized(ELSEWHERE).await;
    let mut command = Authorize::start(&world, &[]).await;
    let address = command.consent().await;
    let put = |id| {
        world
            .manifests
            .set("oauth", "/stringData/clientId", json!(id))
    };
    put("another-client");
    command.paste(&address).await;
    let words = [
        "entry \"clientId\" of Secret \"oauth\" has changed since this began",
        "nothing is stored; run pollen authorize again",
    ];
    command.ended().await.assert_said(1, &words);
    put("demo-client");
    let mut command = Authorize::start(&world, &[]).await;
    let address = command.consent().await;
    // What is in the Secret as the token arrives is what the token is stored beside.
    let code = json!("left-over-from-before");
    world.manifests.set("oauth", "/stringData/code", code);
    command.paste(&address).await;
    command
        .ended()
        .await
        .assert_said(0, &["authorized: the refresh token is stored"]);
    world.instance.create("incident", &[]);
    assert_eq!(world.poll_well().await.len(), 1);
}

#[tokio::test]
async fn a_wrong_client_secret_is_named() {
    let world = unauthorized(ELSEWHERE).await;
    world
        .manifests
        .set("oauth", "/stringData/clientSecret", json!("wr0ng"));
    let mut authorize = Authorize::start(&world, &[]).await;
    let led_to = authorize.consent().await;
    authorize.paste(&led_to).await;
    let ended = authorize.ended().await;
    ended.assert_said(
        1,
        &[
            "refused the client",
            "check clientId and clientSecret in Secret \"oauth\"",
        ],
    );
    assert!(!ended.said.contains("wr0ng"), "{ended:?}");
}

/// The provider shows the error itself and leads nowhere.
#[tokio::test]
async fn a_redirect_uri_that_is_not_registered_is_the_first_thing_to_look_at_when_nothing_comes() {
    let world = unauthorized(LOOPBACK).await;
    world
        .instance
        .configure(|settings| settings.redirect_uri = Some(ELSEWHERE.to_owned()));
    let authorize = Authorize::start(&world, &["--wait", "1s"]).await;
    assert_eq!(reqwest::get(&authorize.url).await.unwrap().status(), 400);
    let said = [
        "no answer came within 1s",
        "the redirect URI or the client id is not what is registered",
    ];
    authorize.ended().await.assert_said(1, &said);
}

#[tokio::test]
async fn a_user_who_refuses_is_told_of() {
    let world = unauthorized(LOOPBACK).await;
    world
        .instance
        .configure(|settings| settings.consents = false);
    let authorize = Authorize::start(&world, &[]).await;
    let (status, _) = text(reqwest::get(&authorize.url).await.unwrap()).await;
    assert_eq!(status, 400);
    authorize.ended().await.assert_said(
        1,
        &[
            "the provider did not authorize: access_denied",
            "another user",
        ],
    );
}

#[tokio::test]
async fn what_cannot_be_authorized_says_why() {
    let world = unauthorized(ELSEWHERE).await;
    let ended = Authorize::start(&world, &["--instance", "finance"])
        .await
        .ended()
        .await;
    ended.assert_said(2, &["name one of helpdesk/servicenow with --instance"]);
    world
        .manifests
        .set("servicenow", "/spec/authentication/type", json!("Password"));
    // Nor does it matter then that it has no redirect URI.
    world.manifests.set(
        "servicenow",
        "/spec/authentication/redirectUri",
        json!(null),
    );
    let ended = Authorize::start(&world, &[]).await.ended().await;
    ended.assert_said(
        2,
        &[
            "ConnectorInstance helpdesk/servicenow: spec.authentication.type: is Password",
            "nobody needs to authorize",
        ],
    );
}

#[tokio::test]
async fn a_state_folder_in_use_is_found_out_before_anybody_is_asked() {
    let world = World::with_incidents().await;
    let running = world.start();
    world.until(|world| !grants(world).is_empty()).await;
    let ended = Authorize::start(&world, &[]).await.ended().await;
    ended.assert_said(1, &["another pollen process holds this lock"]);
    running.terminate().await;
}

/// Has a person authorize while the next request for tokens is hit by `fault`.
async fn authorized_with(world: &World, fault: Option<TokenFault>) -> Ended {
    let mut authorize = Authorize::start(world, &[]).await;
    if let Some(fault) = fault {
        world.instance.fail_next_token(fault);
    }
    let led_to = authorize.consent().await;
    authorize.paste(&led_to).await;
    authorize.ended().await
}

#[tokio::test]
async fn an_exchange_that_nobody_has_looked_at_is_tried_again_at_once() {
    let world = unauthorized(ELSEWHERE).await;
    let ended = authorized_with(&world, Some(TokenFault::CloseConnection)).await;
    let said = [
        "trying again: 127.0.0.1 issued no token: the connection broke",
        "authorized: the refresh token is stored in",
    ];
    ended.assert_said(0, &said);
}

#[tokio::test]
async fn an_exchange_whose_answer_is_lost_is_repeated_by_whoever_ran_it() {
    let world = unauthorized(ELSEWHERE).await;
    let ended = authorized_with(&world, Some(TokenFault::LostAnswer)).await;
    let said = [
        "trying again: 127.0.0.1 issued no token: the connection broke",
        "refused the authorization code",
        "run `pollen authorize` again",
    ];
    ended.assert_said(1, &said);
    let again = authorized_with(&world, None).await;
    again.assert_said(0, &["authorized: the refresh token is stored in"]);
}

/// An API server that knows no object.
async fn empty_cluster() -> Served {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound",
        "message": "not found", "code": 404,
    });
    let router = Router::new().fallback((StatusCode::NOT_FOUND, Json(status)));
    Served::start("127.0.0.1:0", router).await.unwrap()
}

#[tokio::test]
async fn a_cluster_is_reached_without_the_proxy_of_the_environment() {
    let cluster = empty_cluster().await;
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = folder.path().join("kubeconfig");
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "here",
        "clusters": [{"name": "here", "cluster": {"server": cluster.url()}}],
        "users": [{"name": "ann", "user": {}}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "ann"}}],
    });
    std::fs::write(&kubeconfig, config.to_string()).unwrap();
    for context in [&["--context", "here"][..], &[]] {
        let pollen = Command::new(env!("CARGO_BIN_EXE_pollen"))
            .args(["authorize", "helpdesk/servicenow"])
            .args(context)
            .env("KUBECONFIG", &kubeconfig)
            .env("HTTPS_PROXY", "http://ann:s3cr3t@127.0.0.1:1")
            .output();
        let ended = timeout(PATIENCE, pollen).await.unwrap().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        let missing = "namespace helpdesk has no ConnectorInstance";
        assert!(said.contains(missing), "{said}");
        assert!(!said.contains("s3cr3t"), "{said}");
    }
}
