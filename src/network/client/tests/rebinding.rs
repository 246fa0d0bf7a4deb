//! Names whose addresses change between two questions (DNS rebinding).

use super::*;

/// One is on the allow list, the other, at the same port, is not.
async fn listeners() -> (Listener, Listener) {
    let allowed = Listener::at("127.0.0.2:0", GOOD).await;
    let refused = Listener::at(&format!("127.0.0.1:{}", allowed.port()), GOOD).await;
    (allowed, refused)
}

fn options(answers: &[&[&str]]) -> ClientOptions {
    ClientOptions {
        names: Arc::new(Names::default().with("changing.example", answers)),
        ..ClientOptions::default()
    }
}

#[tokio::test]
async fn each_connection_is_checked_by_the_addresses_that_it_would_be_made_to() {
    let (allowed, refused) = listeners().await;
    let options = options(&[&["127.0.0.2"], &["127.0.0.1"]]);
    let policy = policy(&["127.0.0.2/32".to_owned()]);
    let client = GuardedClient::new(policy, "a", &options).unwrap();
    let url = format!("http://changing.example:{}/", allowed.port());
    assert_eq!(client.execute(request(&url)).await.unwrap().status(), 204);
    let error = client.execute(request(&url)).await.unwrap_err().to_string();
    assert!(
        error.contains("changing.example resolves to 127.0.0.1, a loopback address"),
        "{error}"
    );
    assert_eq!((allowed.heard().len(), refused.heard().len()), (1, 0));
}

#[tokio::test]
async fn of_several_addresses_the_permitted_ones_alone_are_tried() {
    let (allowed, refused) = listeners().await;
    let options = options(&[&["127.0.0.1", "::1", "127.0.0.2"]]);
    let url = format!("http://changing.example:{}/", allowed.port());
    let answer = get_with(&url, policy(&["127.0.0.2/32".to_owned()]), &options).await;
    assert_eq!(answer.unwrap().status(), 204);
    assert_eq!((allowed.heard().len(), refused.heard().len()), (1, 0));
}

/// The name was looked up before, when plain http was found to be fit.
#[tokio::test]
async fn plain_http_to_an_allowed_host_is_not_spoken_with_a_public_address_that_takes_its_name() {
    let (allowed, _) = listeners().await;
    let options = options(&[&["127.0.0.2"], &["127.0.0.2"], &["93.184.216.34"]]);
    let policy = policy(&["127.0.0.2/32".to_owned()]);
    let client = GuardedClient::new(policy, "a", &options)
        .unwrap()
        .plain_to_allowed_only();
    let url = format!("http://changing.example:{}/", allowed.port());
    assert!(client.is_allowed_host(&url.parse().unwrap()).await);
    assert_eq!(client.execute(request(&url)).await.unwrap().status(), 204);
    let error = client.execute(request(&url)).await.unwrap_err().to_string();
    assert!(
        error.contains("93.184.216.34, an address with which plain http is not spoken"),
        "{error}"
    );
}
