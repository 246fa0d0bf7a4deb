//! Certificates: whom the binary believes, and what it says of the others.

use rstest::rstest;
use serde_json::json;

use crate::harness::{Authority, World};

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
