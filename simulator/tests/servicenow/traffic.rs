use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use crate::client::World;

#[tokio::test]
async fn requests_are_kept_as_they_came() {
    let world = World::new().await;
    world
        .instance
        .freeze_at("2026-01-01T00:00:00Z".parse().unwrap());
    let query = [
        ("sysparm_query", "number=a b^active=true"),
        ("sysparm_limit", "1"),
    ];
    world.list("incident", &query).await;
    world.get("/api/now/stats/incident", &[]).await;
    world
        .http
        .post(world.url("/oauth_token.do"))
        .send()
        .await
        .unwrap();
    let requests = world.instance.requests();
    let seen: Vec<_> = requests
        .iter()
        .map(|it| (it.method.as_str(), it.path.as_str()))
        .collect();
    let expected = [
        ("GET", "/api/now/table/incident"),
        ("GET", "/api/now/stats/incident"),
        ("POST", "/oauth_token.do"),
    ];
    assert_eq!(seen, expected);
    let table = world.instance.table_requests();
    assert_eq!(table.len(), 1);
    assert_eq!(
        table[0].query,
        query.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    assert_eq!(table[0].parameter("sysparm_limit"), Some("1"));
    assert_eq!(table[0].at, world.instance.now());
    world.instance.clear_requests();
    assert!(world.instance.requests().is_empty());
}

#[tokio::test]
async fn a_hook_runs_once_before_the_request_that_it_counts_to() {
    let world = World::new().await;
    world.list("incident", &[]).await;
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    world.instance.before_table_request(2, move |instance| {
        counted.fetch_add(1, Ordering::SeqCst);
        instance.create("incident", &[("sys_id", "a")]);
    });
    world.instance.clear_requests();
    let mut seen = Vec::new();
    for _ in 0..3 {
        world.get("/api/now/stats/incident", &[]).await;
        seen.push(world.list("incident", &[]).await.ids());
    }
    assert_eq!(seen, ["", "a", "a"]);
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}
