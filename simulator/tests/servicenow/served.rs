use std::time::Duration;

use simulator::servicenow::Fault;

use crate::client::World;

#[tokio::test]
async fn dropping_the_handle_cuts_connections_and_frees_the_port() {
    let world = World::new().await;
    world.instance.fail_next(Fault::Hang);
    let hanging = tokio::spawn(world.request("/api/now/table/incident", &[]).send());
    while world.instance.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    let port = world.served.port();
    drop(world.served);
    assert!(hanging.await.unwrap().is_err());
    let served = world
        .instance
        .listen(&format!("127.0.0.1:{port}"))
        .await
        .unwrap();
    let url = format!("{}/api/now/table/incident", served.url());
    let reply = world.http.get(url).timeout(Duration::from_secs(60));
    assert_eq!(reply.send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn connections_are_counted_and_kept_open() {
    let world = World::new().await;
    for _ in 0..3 {
        world.list("incident", &[]).await;
    }
    assert_eq!(world.served.connections(), 1);
    world.instance.fail_next(Fault::CloseConnection);
    let request = world.request("/api/now/table/incident", &[]).send().await;
    assert!(request.is_err());
    world.list("incident", &[]).await;
    assert_eq!(world.served.connections(), 2);
}

#[tokio::test]
async fn two_addresses_serve_one_instance() {
    let world = World::new().await;
    let second = world.instance.listen("127.0.0.1:0").await.unwrap();
    world.instance.create("incident", &[("sys_id", "a")]);
    let url = format!("{}/api/now/table/incident", second.url());
    let request = world
        .http
        .get(url)
        .basic_auth("integration", Some("demo-password"));
    let body = request.send().await.unwrap().text().await.unwrap();
    assert!(body.contains(r#""sys_id":"a""#));
}
