//! Certificates: whom the binary believes, and what it says of the others.

use rstest::rstest;
use serde_json::{Value, json};
use simulator::receiver::Answer;

use crate::harness::{Authority, Tls, World};

#[derive(Clone, Copy)]
enum End {
    Provider,
    Callback,
}

impl End {
    fn field(self) -> &'static str {
        match self {
            Self::Provider => "/spec/baseUrl",
            Self::Callback => "/spec/events/callback/url",
        }
    }

    fn port(self, world: &World) -> u16 {
        match self {
            Self::Provider => world.provider.port(),
            Self::Callback => world.callback.port(),
        }
    }

    /// What a message says to look at.
    fn named(self) -> &'static str {
        match self {
            Self::Provider => "check spec.baseUrl or spec.configuration",
            Self::Callback => "check spec.events.callback.url",
        }
    }
}

async fn world(authority: &Authority) -> World {
    let mut world = World::with_incidents().await;
    world.trusted = Some(authority.file());
    world.instance.create("incident", &[]);
    world
}

#[tokio::test]
async fn both_ends_are_reached_over_tls() {
    let authority = Authority::new("trusted");
    let world = world(&authority).await;
    let mut served = Vec::new();
    for end in [End::Provider, End::Callback] {
        let tls = authority.serve("localhost", end.port(&world), |_| {}).await;
        let url = json!(tls.url("localhost"));
        world.manifests.set("servicenow", end.field(), url);
        served.push(tls);
    }
    assert_eq!(world.poll_well().await.len(), 1);
}

#[rstest]
#[tokio::test]
async fn a_certificate_for_another_host_is_refused_and_explained(
    #[values(End::Provider, End::Callback)] end: End,
) {
    let authority = Authority::new("trusted");
    let world = world(&authority).await;
    let tls = authority
        .serve("other.example.com", end.port(&world), |_| {})
        .await;
    let url = json!(tls.url("localhost"));
    world.manifests.set("servicenow", end.field(), url);
    let ended = world.poll_once().await;
    ended.assert_said(
        1,
        &[
            "incident",
            "its TLS certificate is for another host",
            end.named(),
        ],
    );
    assert_eq!(ended.errors.lines().count(), 1, "{ended:?}");
    assert_eq!(world.receiver.notifications().len(), 0);
}

#[tokio::test]
async fn a_certificate_that_has_expired_is_refused_and_explained() {
    let authority = Authority::new("trusted");
    let world = world(&authority).await;
    let port = world.provider.port();
    let expired = |params: &mut rcgen::CertificateParams| {
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    };
    let tls = authority.serve("localhost", port, expired).await;
    let url = json!(tls.url("localhost"));
    world.manifests.set("servicenow", "/spec/baseUrl", url);
    let ended = world.poll_once().await;
    ended.assert_said(1, &["its TLS certificate has expired"]);
    assert_eq!(world.instance.requests(), []);
}

#[tokio::test]
async fn an_authority_that_nobody_trusts_is_refused_and_explained() {
    let (trusted, other) = (Authority::new("trusted"), Authority::new("other"));
    let world = world(&trusted).await;
    let tls = other
        .serve("localhost", world.provider.port(), |_| {})
        .await;
    let url = json!(tls.url("localhost"));
    world.manifests.set("servicenow", "/spec/baseUrl", url);
    let ended = world.poll_once().await;
    ended.assert_said(1, &["signed by an authority that is not trusted"]);
    assert_eq!(world.instance.requests(), []);
}

/// Names at `field` of the instance (`/spec` or `/spec/events/callback`) the certificates in these Secrets.
fn certify(world: &World, field: &str, tls: Value) {
    world
        .manifests
        .set("servicenow", &format!("{field}/tls"), tls);
}

/// A world whose callback is behind TLS.
async fn behind(tls: &Tls) -> World {
    let world = World::with_incidents().await;
    world.instance.create("incident", &[]);
    world.set_callback("url", json!(tls.url("localhost")));
    world
}

#[tokio::test]
async fn an_authority_of_ones_own_is_believed_where_the_spec_names_it() {
    let (provider, callback) = (Authority::new("provider"), Authority::new("callback"));
    let world = World::with_incidents().await;
    world.instance.create("incident", &[]);
    let served = [
        provider
            .serve("localhost", world.provider.port(), |_| {})
            .await,
        callback
            .serve("localhost", world.callback.port(), |_| {})
            .await,
    ];
    for (end, tls) in [End::Provider, End::Callback].into_iter().zip(&served) {
        world
            .manifests
            .set("servicenow", end.field(), json!(tls.url("localhost")));
    }
    let ended = world.poll_once().await;
    ended.assert_said(
        1,
        &[
            "not trusted here",
            "as ca.crt, and name the Secret at spec.tls.caRef",
        ],
    );

    world
        .manifests
        .put_secret("provider-ca", json!({"ca.crt": provider.pem()}));
    certify(&world, "/spec", json!({"caRef": {"name": "provider-ca"}}));
    let ended = world.poll_once().await;
    ended.assert_said(1, &["not trusted here", "spec.events.callback.tls.caRef"]);

    // One that was put there by mistake, and then the right one.
    for (authority, code) in [(&provider, 1), (&callback, 0)] {
        world
            .manifests
            .put_secret("callback-ca", json!({"ca.crt": authority.pem()}));
        certify(
            &world,
            "/spec/events/callback",
            json!({"caRef": {"name": "callback-ca"}}),
        );
        assert_eq!(world.poll_once().await.code, Some(code));
    }
    assert_eq!(world.receiver.acknowledged().len(), 1);
}

/// The callback's own would refuse it, and what it is shown is nothing for others.
#[tokio::test]
async fn dead_letters_to_another_host_are_sent_by_the_public_authorities_or_by_those_that_stand_there()
 {
    let (public, private) = (Authority::new("public"), Authority::new("private"));
    let (mut world, letters) = (World::with_incidents().await, World::new().await);
    world.trusted = Some(public.file());
    let callback = private.serve("localhost", world.callback.port(), |_| {});
    let callback = callback.await;
    world.set_callback("url", json!(callback.url("localhost")));
    let pem = json!({"ca.crt": private.pem()});
    world.manifests.put_secret("private", pem);
    let own = json!({"caRef": {"name": "private"}});
    world.set_callback("tls", own.clone());
    world.set_callback("onRejected", json!("DeadLetter"));
    world.receiver.answer_always(Answer::Status(422));
    for (authority, tls) in [(&public, None), (&private, Some(own))] {
        let served = authority.serve("localhost", letters.callback.port(), |_| {});
        let served = served.await;
        let mut asked = json!({"url": served.url("localhost")});
        if let Some(tls) = tls {
            asked["tls"] = tls;
        }
        world.set_callback("deadLetter", asked);
        world.instance.create("incident", &[]);
        assert_eq!(world.poll_once().await.code, Some(0));
    }
    assert_eq!(letters.receiver.notifications().len(), 2);
}

/// Whoever names an authority means this one, and not the public ones too.
#[tokio::test]
async fn an_authority_of_ones_own_takes_the_place_of_the_systems() {
    let (public, private) = (Authority::new("public"), Authority::new("private"));
    let mut world = World::with_incidents().await;
    world.trusted = Some(public.file());
    world.instance.create("incident", &[]);
    let tls = public
        .serve("localhost", world.callback.port(), |_| {})
        .await;
    world.set_callback("url", json!(tls.url("localhost")));
    world
        .manifests
        .put_secret("ca", json!({"ca.crt": private.pem()}));
    certify(
        &world,
        "/spec/events/callback",
        json!({"caRef": {"name": "ca"}}),
    );
    world
        .poll_once()
        .await
        .assert_said(1, &["not trusted here"]);
    assert_eq!(world.receiver.notifications().len(), 0);
}

#[tokio::test]
async fn a_callback_that_asks_for_a_certificate_gets_the_one_in_the_secret_as_it_is_then() {
    let (authority, clients) = (Authority::new("callback"), Authority::new("clients"));
    let stranger = Authority::new("stranger");
    let mut world = World::with_incidents().await;
    world.trusted = Some(authority.file());
    world.instance.create("incident", &[]);
    let tls = authority.serve_who_show(Some(&clients), "localhost", world.callback.port(), |_| {});
    let tls = tls.await;
    world.set_callback("url", json!(tls.url("localhost")));
    // With TLS 1.3 the host's word on what it was shown may be lost with the connection.
    let told = ["TLS certificate", "spec.events.callback.tls.secretRef"];
    world.poll_once().await.assert_said(1, &told);

    let over = |params: &mut rcgen::CertificateParams| {
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    };
    certify(
        &world,
        "/spec/events/callback",
        json!({"secretRef": {"name": "shown"}}),
    );
    for identity in [stranger.identity(|_| {}), clients.identity(over)] {
        world.manifests.put_secret("shown", identity);
        world.poll_once().await.assert_said(1, &told);
        assert_eq!(world.receiver.notifications().len(), 0);
    }
    world
        .manifests
        .put_secret("shown", clients.identity(|_| {}));
    assert_eq!(world.poll_well().await.len(), 1);
}

#[rstest]
#[case::expired(
    (2020, 2021),
    &["its TLS certificate has expired", "have whoever runs the host renew it"]
)]
#[case::not_yet((2090, 2091), &["its TLS certificate is not valid yet", "compare the clocks"])]
#[tokio::test]
async fn a_callbacks_certificate_is_explained_with_what_to_do(
    #[case] (first, last): (i32, i32),
    #[case] words: &[&str],
) {
    let authority = Authority::new("trusted");
    let receiver = World::new().await;
    let tls = authority.serve("localhost", receiver.callback.port(), |params| {
        params.not_before = rcgen::date_time_ymd(first, 1, 1);
        params.not_after = rcgen::date_time_ymd(last, 1, 1);
    });
    let tls = tls.await;
    let mut world = behind(&tls).await;
    world.trusted = Some(authority.file());
    world.poll_once().await.assert_said(1, words);
}

#[tokio::test]
async fn a_callback_that_speaks_plain_http_at_an_https_url_is_explained() {
    let world = World::with_incidents().await;
    world.instance.create("incident", &[]);
    let url = format!("https://localhost:{}/events", world.callback.port());
    world.set_callback("url", json!(url));
    let words = [
        "it does not speak TLS",
        "write at spec.events.callback.url the port",
    ];
    world.poll_once().await.assert_said(1, &words);
}

/// `pollen check` runs where the Secrets may not be.
#[tokio::test]
async fn certificates_in_a_secret_that_is_elsewhere_are_left_unchecked_and_bad_ones_are_named() {
    let world = World::with_incidents().await;
    let tls = json!({"caRef": {"name": "tls"}, "secretRef": {"name": "tls"}});
    certify(&world, "/spec/events/callback", tls);
    world
        .check()
        .await
        .assert_said(0, &["Secret \"tls\" is not among these files"]);
    world.manifests.put_secret(
        "tls",
        json!({"ca.crt": "none", "tls.crt": "a", "tls.key": "b"}),
    );
    let words = [
        "spec.events.callback.tls.caRef",
        "\"ca.crt\" of Secret \"tls\" holds no certificate",
    ];
    world.check().await.assert_said(2, &words);
}
