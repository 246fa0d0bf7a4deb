//! What is posted, held against verifiers that share no code with Pollen: the libraries of the
//! Standard Webhooks project.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rstest::rstest;
use serde_json::{Value, json};
use simulator::receiver::{Notification, Receiver};
use standardwebhooks::Webhook;

use crate::harness::World;

const OLD: &str = "whsec_dGhlLW9sZC1rZXktb2YtdGhpcy1zaWduYXR1cmUtdGVzdA==";
const NEW: &str = "whsec_dGhlLW5ldy1rZXktb2YtdGhpcy1zaWduYXR1cmUtdGVzdA==";

/// What arrives where the Secret holds `entries`.
async fn posted(format: &str, entries: Value) -> Notification {
    let mut world = World::with_incidents().await;
    world.receiver = Receiver::new();
    world.callback = world.receiver.listen("127.0.0.1:0").await.unwrap();
    world.set_callback("url", json!(format!("{}/events", world.callback.url())));
    world.set_callback("format", json!(format));
    world.manifests.put_secret("signing", entries);
    world.instance.create(
        "incident",
        &[("short_description", "größer ☃ \"quoted\"\n")],
    );
    assert_eq!(world.poll_well().await.len(), 1);
    world.receiver.notifications().remove(0)
}

/// Whether the library in Rust accepts a body under these headers.
fn accepts(key: &str, body: &[u8], sent: &Notification) -> bool {
    Webhook::new(key)
        .unwrap()
        .verify(body, &sent.headers)
        .is_ok()
}

#[rstest]
#[tokio::test]
async fn while_two_keys_are_there_a_receiver_with_either_verifies(
    #[values("OpenConnectors", "CloudEvents", "CloudEventsBatch")] format: &str,
) {
    for (entries, old) in [
        (json!({"key": NEW}), false),
        (json!({"key": NEW, "previousKey": OLD}), true),
    ] {
        let sent = posted(format, entries).await;
        assert!(accepts(NEW, &sent.body, &sent));
        assert_eq!(accepts(OLD, &sent.body, &sent), old);
        let mut changed = sent.body.to_vec();
        changed[5] ^= 1;
        assert!(!accepts(NEW, &changed, &sent));
    }
}

/// One question to a verifier, as the scripts read it.
fn case(title: &str, key: &str, sent: &Notification, valid: bool) -> Value {
    let signed = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let headers: serde_json::Map<_, _> = signed
        .into_iter()
        .map(|name| (name.to_owned(), json!(sent.headers[name].to_str().unwrap())))
        .collect();
    let body = STANDARD.encode(&sent.body);
    json!({"title": title, "key": key, "headers": headers, "body": body, "valid": valid})
}

/// Feeds the cases to a script, which says of each what its library does.
fn run(mut command: Command, cases: &[Value]) {
    let mut script = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut lines = script.stdin.take().unwrap();
    for case in cases {
        writeln!(lines, "{case}").unwrap();
    }
    drop(lines);
    assert!(script.wait().unwrap().success());
}

#[tokio::test]
#[ignore = "needs node or Python: make verify-signatures"]
async fn the_libraries_of_other_languages_accept_what_is_posted() {
    let mut cases = Vec::new();
    for format in ["OpenConnectors", "CloudEvents", "CloudEventsBatch"] {
        let alone = posted(format, json!({"key": NEW})).await;
        let both = posted(format, json!({"key": NEW, "previousKey": OLD})).await;
        let mut changed = both.clone();
        changed.body = [&both.body[..], b" "].concat().into();
        cases.push(case(
            &format!("{format} signed with one key"),
            NEW,
            &alone,
            true,
        ));
        cases.push(case(
            &format!("{format} under a key that did not sign"),
            OLD,
            &alone,
            false,
        ));
        cases.push(case(
            &format!("{format} signed with both, by the new key"),
            NEW,
            &both,
            true,
        ));
        cases.push(case(
            &format!("{format} signed with both, by the old key"),
            OLD,
            &both,
            true,
        ));
        cases.push(case(
            &format!("{format} changed on the way"),
            NEW,
            &changed,
            false,
        ));
    }
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/signatures");
    if let Ok(library) = std::env::var("STANDARD_WEBHOOKS_JAVASCRIPT") {
        let mut command = Command::new("node");
        command.arg(scripts.join("verify.cjs")).arg(library);
        run(command, &cases);
    }
    if let Ok(python) = std::env::var("STANDARD_WEBHOOKS_PYTHON") {
        let mut command = Command::new(python);
        command.arg(scripts.join("verify.py"));
        run(command, &cases);
    }
}
