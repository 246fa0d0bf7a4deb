use std::sync::Mutex;

use futures::{FutureExt as _, future::BoxFuture};
use reqwest::{Request, Response};
use serde_json::{Value, json};

use super::*;
use crate::{
    api::{AuthenticationType, PollerResourceStatus},
    fleet::Begin,
    network::{AddressPolicy, Clients, SendError, Transport},
    operator::{
        cache::{Cached as _, InstanceItem},
        fake_api::{FakeApi, Fault},
        fixtures,
        item::Item,
        malformed::Malformed,
    },
};

const POLLERS: &str = "/apis/pollen.dev/v1alpha1/namespaces/helpdesk/pollerresources";
const INSTANCE: &str = "/apis/pollen.dev/v1alpha1/namespaces/helpdesk/connectorinstances/prod";

fn worker(api: &FakeApi) -> Worker {
    let shared = fixtures::shared(api);
    let key = Key::new("helpdesk", "prod");
    Worker::new(key, shared, Wake::default(), CancellationToken::new())
}

fn show(worker: &Worker, api: &FakeApi, item: InstanceItem) {
    let metadata = json!({"namespace": "helpdesk", "name": "prod", "uid": item.uid});
    if api.object(INSTANCE).is_null() {
        api.insert(INSTANCE, json!({"metadata": metadata}));
    }
    item.put(&worker.shared.cache);
}

fn with_its_secret(api: &FakeApi) {
    write_secret(api, &json!({"clientId": "YQ==", "clientSecret": "Yg=="}));
}

fn write_secret(api: &FakeApi, data: &Value) {
    let metadata = json!({"namespace": "helpdesk", "name": "oauth"});
    let path = "/api/v1/namespaces/helpdesk/secrets/oauth";
    api.insert(path, json!({"metadata": metadata, "data": data}));
}

fn status(api: &FakeApi) -> Value {
    api.object(INSTANCE)["status"].clone()
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_waits_for_its_secret_keeps_the_moment_from_which_changes_are_told() {
    let api = FakeApi::default();
    let mut worker = worker(&api);
    show(&worker, &api, fixtures::instance("prod"));
    worker.turn().await;
    let first = status(&api);
    assert_eq!(first["conditions"][0]["reason"], "SecretNotFound");
    assert_eq!(first["eventsEnabledAt"], "1970-01-01T00:00:00Z");
}

#[tokio::test(start_paused = true)]
async fn an_older_definition_of_the_instance_is_told_in_its_conditions_until_it_is_mended() {
    let api = FakeApi::default();
    let mut worker = worker(&api);
    with_its_secret(&api);
    show(&worker, &api, fixtures::instance("prod"));
    for _ in 0..2 {
        let unknown = r#"strict decoding error: unknown field "status.controllerName""#;
        api.fail_next(Fault::Refused(400, unknown.into()));
    }
    assert!(worker.turn().await.is_some(), "it is tried again");
    let told = &status(&api)["conditions"];
    assert_eq!(told[0]["reason"], "CRDOutdated");
    assert_eq!(told[1]["type"], "Stalled");
    assert!(worker.instance.as_ref().unwrap().running().is_none());

    worker.turn().await;
    assert!(worker.instance.as_ref().unwrap().running().is_some());
    assert_eq!(status(&api)["conditions"][0]["reason"], "Progressing");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_built_is_tried_again_since_a_name_may_resolve_later() {
    let api = FakeApi::default();
    let mut worker = worker(&api);
    with_its_secret(&api);
    let mut item = fixtures::instance("prod");
    item.spec.base_url = Some("http://192.0.2.1".into());
    show(&worker, &api, item);
    let again = worker.turn().await;
    assert_eq!(status(&api)["conditions"][0]["reason"], "AddressRefused");
    assert!(
        again.is_some_and(|again| again <= LONGEST_RETRY),
        "{again:?}"
    );
}

/// A parent must leave it its class, or the child repeats everything once it is resumed.
#[tokio::test(start_paused = true)]
async fn a_suspended_child_that_started_in_an_earlier_process_is_known_to_have_started() {
    let api = FakeApi::default();
    let mut worker = worker(&api);
    show(&worker, &api, fixtures::instance("prod"));
    let mut child = fixtures::poller("accounts", "prod");
    child.spec.suspend = Some(true);
    let stored = fixtures::checkpoint(7);
    api.insert(
        &format!("{POLLERS}/accounts"),
        json!({
            "metadata": {"namespace": "helpdesk", "name": "accounts", "uid": child.uid},
            "status": {"checkpoint": stored},
        }),
    );
    child.put(&worker.shared.cache);
    worker.turn().await;
    let group = worker.shared.cache.group(&worker.key);
    let siblings = roster::siblings(&group, "tasks", &worker.stored());
    assert_eq!(
        siblings[0].stored.since(&stored.query_fingerprint),
        Some(stored.started_at)
    );
}

#[tokio::test(start_paused = true)]
async fn a_callback_that_is_gone_stays_alone_after_a_restart_or_an_edit_of_tags_until_resumed() {
    let api = FakeApi::default();
    with_its_secret(&api);
    let mut item = fixtures::instance("prod");
    let mut first = worker(&api);
    show(&first, &api, item.clone());
    first.turn().await;
    let digest = |worker: &Worker| {
        let running = worker.instance.as_ref().unwrap().running().unwrap();
        running.instance.callback_digest().map(str::to_owned)
    };
    let mut stored = api.object(INSTANCE);
    stored["status"]["goneCallback"] = json!(digest(&first));
    api.insert(INSTANCE, stored);

    let mut second = worker(&api);
    item.spec.tags = vec!["edited".to_owned()];
    item.generation = 2;
    show(&second, &api, item.clone());
    second.turn().await;
    assert_eq!(status(&api)["conditions"][0]["reason"], "CallbackGone");
    assert_eq!(status(&api)["goneCallback"], json!(digest(&second)));

    item.resume_delivery = Some("now".to_owned());
    show(&second, &api, item);
    second.turn().await;
    second.turn().await;
    assert_eq!(status(&api)["goneCallback"], Value::Null);
    assert_eq!(status(&api)["lastHandledResume"], "now");
    let conditions = status(&api)["conditions"].clone();
    let accepting = conditions.as_array().unwrap().iter();
    let mut accepting = accepting.filter(|condition| condition["type"] == "CallbackAccepting");
    let accepting = accepting.next().unwrap();
    assert_eq!(
        (&accepting["status"], &accepting["reason"]),
        (&json!("Unknown"), &json!("Progressing"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_callback_that_failed_is_left_alone_by_the_next_process_and_tried_once_something_is_edited()
 {
    let api = FakeApi::default();
    with_its_secret(&api);
    let mut item = fixtures::instance("prod");
    let mut first = worker(&api);
    show(&first, &api, item.clone());
    first.turn().await;
    let running = |worker: &Worker| {
        let running = worker.instance.as_ref().unwrap().running().unwrap();
        Arc::clone(&running.instance)
    };
    let until = first.shared.clock.now() + chrono::TimeDelta::minutes(5);
    let mut stored = api.object(INSTANCE);
    let digest = running(&first).callback_digest().map(str::to_owned);
    stored["status"]["heldCallback"] = json!({"callback": digest, "until": until});
    api.insert(INSTANCE, stored);

    let mut second = worker(&api);
    show(&second, &api, item.clone());
    second.turn().await;
    assert_eq!(
        running(&second).held_callback().map(|held| held.until),
        Some(until)
    );
    assert_eq!(status(&api)["heldCallback"]["callback"], json!(digest));

    item.spec.tags = vec!["edited".to_owned()];
    item.generation = 2;
    show(&second, &api, item);
    second.turn().await;
    assert_eq!(running(&second).held_callback(), None);
    assert_eq!(status(&api)["heldCallback"], Value::Null);
}

#[test]
fn a_poller_goes_on_with_its_grid_unless_it_is_new_edited_unwell_or_asked_to_poll() {
    let mut item = fixtures::poller("accounts", "prod");
    let stored = |status: &str, generation: i64| -> PollerResourceStatus {
        let ready = json!({
            "type": "Ready", "status": status, "reason": "Succeeded", "message": "",
            "lastTransitionTime": "1970-01-01T00:00:00Z",
        });
        serde_json::from_value(json!({
            "observedGeneration": generation,
            "conditions": [ready],
            "lastHandledPollRequest": "1",
        }))
        .unwrap()
    };
    assert_eq!(poller::begin(&item, &stored("True", 1)), Begin::OnGrid);
    for (status, generation) in [("False", 1), ("Unknown", 1), ("True", 0)] {
        let begin = poller::begin(&item, &stored(status, generation));
        assert_eq!(begin, Begin::AtOnce, "{status} {generation}");
    }
    assert_eq!(
        poller::begin(&item, &PollerResourceStatus::default()),
        Begin::AtOnce
    );
    for (asked, expected) in [("1", Begin::OnGrid), ("2", Begin::AtOnce)] {
        item.poll_requested_at = Some(asked.to_owned());
        assert_eq!(poller::begin(&item, &stored("True", 1)), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_poller_whose_instance_cannot_be_read_is_not_told_that_there_is_none() {
    let api = FakeApi::default();
    let mut worker = worker(&api);
    let poller = fixtures::poller("accounts", "prod");
    let path = "/apis/pollen.dev/v1alpha1/namespaces/helpdesk/pollerresources/accounts";
    let metadata = json!({"namespace": "helpdesk", "name": "accounts", "uid": poller.uid});
    api.insert(path, json!({"metadata": metadata}));
    poller.put(&worker.shared.cache);
    let metadata = serde_json::from_value(json!({"namespace": "helpdesk", "name": "prod"}));
    let malformed = Malformed {
        item: Item::unread(metadata.unwrap()),
        error: "spec.connector is a number".into(),
    };
    let cache = &worker.shared.cache;
    cache.note_malformed(Kind::Instance, &worker.key, Some(malformed));
    worker.turn().await;
    let condition = &api.object(path)["status"]["conditions"][0];
    assert_eq!(condition["reason"], "InstanceNotReady");
}

#[tokio::test(start_paused = true)]
async fn an_instance_of_a_release_whose_lease_is_hidden_is_taken_once_a_person_gives_it_away() {
    let api = FakeApi::default();
    let mut worker = worker(&api);
    with_its_secret(&api);
    show(&worker, &api, fixtures::instance("prod"));
    let own = api.object(INSTANCE);
    let mut others = own.clone();
    others["status"] = json!({"controllerName": "gone/pollen"});
    api.insert(INSTANCE, others);
    api.forbid("/apis/coordination.k8s.io/v1/namespaces/gone/leases/pollen");

    assert_eq!(worker.turn().await, Some(ownership::PAUSE));
    assert_eq!(status(&api)["controllerName"], "gone/pollen");

    api.insert(INSTANCE, own);
    worker.turn().await;
    assert!(worker.instance.as_ref().unwrap().running().is_some());
    assert_eq!(status(&api)["controllerName"], worker.shared.owner.as_str());
}

#[tokio::test(start_paused = true)]
async fn a_changed_secret_of_the_authentication_is_taken_while_the_instance_goes_on() {
    let api = FakeApi::default();
    let mut worker = worker(&api);
    with_its_secret(&api);
    show(&worker, &api, fixtures::instance("prod"));
    worker.turn().await;
    let running = |worker: &Worker| {
        let running = worker.instance.as_ref().and_then(InstanceWork::running);
        running.map(|running| Arc::clone(&running.instance))
    };
    let before = running(&worker).unwrap();

    write_secret(&api, &json!({"clientId": "YQ==", "clientSecret": "Yw=="}));
    worker.wake.secrets();
    worker.turn().await;
    assert!(Arc::ptr_eq(&before, &running(&worker).unwrap()));

    // One that cannot be used is told, and nothing goes on with what was there before.
    write_secret(&api, &json!({"clientId": "YQ=="}));
    worker.wake.secrets();
    worker.turn().await;
    assert!(running(&worker).is_none());
    assert!(status(&api).to_string().contains("clientSecret"));
}

/// It may have begun one before its Secret vanished, or before it was suspended.
#[tokio::test(start_paused = true)]
async fn the_end_of_a_process_waits_for_the_renewal_of_an_instance_that_is_at_rest() {
    let worker = worker(&FakeApi::default());
    let renewal = worker.shared.renewals.of(&worker.key).under_way();
    worker.stop.cancel();
    let end = tokio::spawn(worker.run());
    settle().await;
    assert!(!end.is_finished());
    drop(renewal);
    end.await.unwrap();
}

/// Refuses whoever asks.
#[derive(Debug, Default)]
struct Refusing {
    asked: Mutex<usize>,
}

impl Transport for Refusing {
    fn send(&self, _: Request) -> BoxFuture<'_, Result<Response, SendError>> {
        *self.asked.lock().unwrap() += 1;
        let answer = http::Response::builder().status(401);
        let answer = answer.body(r#"{"error":"access_denied"}"#).unwrap();
        async { Ok(answer.into()) }.boxed()
    }
}

/// Lets every task go as far as it comes without a timer.
async fn settle() {
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
}

/// A person has unlocked the user.
#[tokio::test(start_paused = true)]
async fn a_password_that_was_refused_is_sent_again_earlier_where_a_poll_is_requested() {
    let (api, service) = (FakeApi::default(), Arc::new(Refusing::default()));
    let asked = || *service.asked.lock().unwrap();
    let (transport, policy) = (Arc::clone(&service), Arc::new(AddressPolicy::default()));
    let shared = fixtures::shared_with(&api, Clients::over(transport, policy));
    let (key, stop) = (Key::new("helpdesk", "prod"), CancellationToken::new());
    let mut worker = Worker::new(key, shared, Wake::default(), stop);
    let entry = "YQ==";
    write_secret(
        &api,
        &json!({"clientId": entry, "clientSecret": entry, "username": entry, "password": entry}),
    );
    let mut instance = fixtures::instance("prod");
    instance.spec.authentication.kind = Some(AuthenticationType::Password);
    show(&worker, &api, instance);
    let mut poller = fixtures::poller("incident", "prod");
    poller.spec.resource = Some("incident".to_owned());
    let metadata = json!({"namespace": "helpdesk", "name": "incident", "uid": poller.uid});
    api.insert(
        &format!("{POLLERS}/incident"),
        json!({"metadata": metadata}),
    );
    let requests = [
        (None, 1),
        (Some("at once"), 1),
        (Some("1"), 2),
        (Some("1"), 2),
        (Some("2"), 3),
    ];
    for (request, expected) in requests {
        poller.poll_requested_at = request.map(str::to_owned);
        poller.clone().put(&worker.shared.cache);
        worker.turn().await;
        // That it goes out is recorded by work on another thread first.
        for _ in 0..1_000 {
            settle().await;
            if asked() == expected {
                break;
            }
        }
        settle().await;
        assert_eq!(asked(), expected, "{request:?}");
        if request.is_some() {
            // A quarter of the pause.
            tokio::time::advance(std::time::Duration::from_secs(450)).await;
        }
    }
}

/// A person has mended the callback, whose hold an earlier process stored.
#[tokio::test(start_paused = true)]
async fn a_callback_that_is_left_alone_is_probed_where_a_poll_is_requested() {
    let (api, service) = (FakeApi::default(), Arc::new(Refusing::default()));
    let asked = || *service.asked.lock().unwrap();
    let (transport, policy) = (Arc::clone(&service), Arc::new(AddressPolicy::default()));
    let shared = fixtures::shared_with(&api, Clients::over(transport, policy));
    let (key, stop) = (Key::new("helpdesk", "prod"), CancellationToken::new());
    let mut worker = Worker::new(key, shared, Wake::default(), stop);
    with_its_secret(&api);
    let instance = fixtures::instance("prod");
    show(&worker, &api, instance.clone());
    worker.turn().await;
    let running = worker.instance.as_ref().and_then(InstanceWork::running);
    let digest = running.and_then(|running| running.instance.callback_digest().map(str::to_owned));
    let until = worker.shared.clock.now() + chrono::TimeDelta::minutes(5);
    let mut stored = api.object(INSTANCE);
    stored["status"]["heldCallback"] = json!({"callback": digest, "until": until, "asked": true});
    api.insert(INSTANCE, stored);

    let (key, stop) = (Key::new("helpdesk", "prod"), CancellationToken::new());
    let mut worker = Worker::new(key, Arc::clone(&worker.shared), Wake::default(), stop);
    show(&worker, &api, instance);
    let mut poller = fixtures::poller("incident", "prod");
    poller.spec.resource = Some("incident".to_owned());
    let metadata = json!({"namespace": "helpdesk", "name": "incident", "uid": poller.uid});
    api.insert(
        &format!("{POLLERS}/incident"),
        json!({"metadata": metadata}),
    );
    for (request, is_probed) in [(None, false), (Some("1"), true)] {
        poller.poll_requested_at = request.map(str::to_owned);
        poller.clone().put(&worker.shared.cache);
        worker.turn().await;
        for _ in 0..100 {
            settle().await;
        }
        assert_eq!(asked() > 0, is_probed, "{request:?}");
    }
}
