//! Credentials of every kind, as a connector's own definition asks for them.

use std::{
    io,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{StatusCode, Uri, header::HeaderMap},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use pollen::{
    callback::RetryPolicy,
    catalog::{Catalog, Connector},
    clock::Clock,
    fleet::{Authorization, Environment, InstanceSettings},
    local::{self, Ended, LocalError, Options, Streams},
    network::{AddressPolicy, ClientOptions, Clients},
    provider::auth::{NoTokens, Renewals},
    secrets::Secrets,
};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    UnparsedPublicKey, VerificationAlgorithm,
};
use rstest::rstest;
use rustls_pki_types::{SubjectPublicKeyInfoDer, pem::PemObject as _};
use serde_json::{Map, Value, json};
use simulator::{Served, servicenow::Instance};
use tokio_util::sync::CancellationToken;

use crate::harness::Manifests;

const SERVICENOW: &str = include_str!("../../src/catalog/builtin/servicenowoauth.yaml");
const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/keys");

/// A provider that writes down what it is asked.
#[derive(Clone, Default)]
struct Provider {
    /// The parameters of each request for tokens.
    token_requests: Arc<Mutex<Vec<Value>>>,
    /// Headers and query of each request for records.
    requests: Arc<Mutex<Vec<(HeaderMap, String)>>>,
    refuses: bool,
}

impl Provider {
    async fn listen(&self) -> Served {
        let router = Router::new()
            .route("/oauth_token.do", post(issue))
            .route("/api/now/table/{table}", get(page))
            .with_state(self.clone());
        Served::start("127.0.0.1:0", router).await.unwrap()
    }

    fn token_requests(&self) -> Vec<Value> {
        self.token_requests.lock().unwrap().clone()
    }

    /// The value of a header in the first request for records, and its query.
    fn first_request(&self, header: &str) -> (String, String) {
        let (headers, query) = self.requests.lock().unwrap()[0].clone();
        let value = headers
            .get(header)
            .map(|value| value.to_str().unwrap().to_owned());
        (value.unwrap_or_default(), query)
    }
}

async fn issue(State(provider): State<Provider>, body: Bytes) -> Json<Value> {
    let query = format!("http://x/?{}", String::from_utf8_lossy(&body));
    let url: reqwest::Url = query.parse().unwrap();
    let form: Map<_, _> = url
        .query_pairs()
        .map(|(name, text)| (name.into_owned(), text.into()))
        .collect();
    provider.token_requests.lock().unwrap().push(form.into());
    Json(json!({"access_token": "access-1", "expires_in": 1799}))
}

async fn page(
    State(provider): State<Provider>,
    headers: HeaderMap,
    uri: Uri,
) -> (StatusCode, Json<Value>) {
    let query = uri.query().unwrap_or_default().to_owned();
    provider.requests.lock().unwrap().push((headers, query));
    if provider.refuses {
        return (
            StatusCode::UNAUTHORIZED,
            Json(json!({"error": {"message": "no"}})),
        );
    }
    (StatusCode::OK, Json(json!({"result": []})))
}

/// A poller of `provider` whose instance authenticates by `kind`, with these entries.
pub(crate) fn manifests(provider: &Served, kind: &str, entries: &Value) -> Manifests {
    let manifests = Manifests::new();
    manifests.put_secret("oauth", entries.clone());
    let instance = json!({
        "connector": "servicenowoauth",
        "baseUrl": provider.url(),
        "authentication": {"type": kind, "secretRef": {"name": "oauth"}},
        "events": {"enabled": true, "callback": {"url": "http://127.0.0.1:1/events"}},
    });
    manifests.put("ConnectorInstance", "prod", instance);
    let poller = json!({"instanceRef": {"name": "prod"}, "resource": "incident"});
    manifests.put("PollerResource", "incident", poller);
    manifests
}

/// The definition of ServiceNow that authenticates otherwise, read as all are.
fn catalog(authentication: &Value) -> Catalog {
    let mut definition: Value = serde_saphyr::from_str(SERVICENOW).unwrap();
    let own = &mut definition["authentication"];
    for (field, value) in authentication.as_object().unwrap() {
        match (value, own.get_mut(field)) {
            (Value::Object(changes), Some(Value::Object(present))) => {
                present.extend(changes.clone())
            }
            _ => own[field] = value.clone(),
        }
    }
    Catalog::from_iter([Connector::read(&definition.to_string()).unwrap()])
}

#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl io::Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn environment(authentication: &Value, give_up_after: Duration) -> Environment {
    let allowed = vec!["127.0.0.0/8".parse().unwrap()];
    let policy = Arc::new(AddressPolicy::new(allowed, Vec::new()));
    Environment {
        clock: Clock::system(),
        catalog: Arc::new(catalog(authentication)),
        clients: Arc::new(Clients::new(policy, ClientOptions::default())),
        retry: RetryPolicy {
            first: Duration::from_secs(1),
            max: Duration::from_secs(1),
            give_up_after,
        },
    }
}

/// Polls once; how that ended and what was said of it.
pub(crate) async fn poll(folder: &Path, authentication: &Value) -> (Ended, String) {
    let give_up_after = Duration::ZERO;
    let said = Said::default();
    let options = Options {
        folder: folder.to_owned(),
        state: None,
        once: Some(give_up_after),
        environment: environment(authentication, give_up_after),
        streams: Streams::to(Box::new(io::sink()), Box::new(said.clone())),
    };
    let ended = match local::run(options, CancellationToken::new()).await {
        Ok(ended) => (ended, String::new()),
        Err(LocalError::Invalid(problems)) => {
            let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
            (Ended::Invalid, lines.join("\n"))
        }
        Err(error) => panic!("{error}"),
    };
    let text = String::from_utf8_lossy(&said.0.lock().unwrap()).into_owned();
    (ended.0, ended.1 + &text)
}

fn pem(file: &str) -> String {
    std::fs::read_to_string(format!("{KEYS}/{file}.pem")).unwrap()
}

/// Header and claims of an assertion, whose signature ring accepts.
fn verified(assertion: &Value, algorithm: &str) -> (Value, Value) {
    let (scheme, file, prefix): (&dyn VerificationAlgorithm, _, _) = match algorithm {
        "RS256" => (&RSA_PKCS1_2048_8192_SHA256, "rsa-public", 24),
        "PS256" => (&RSA_PSS_2048_8192_SHA256, "rsa-public", 24),
        _ => (&ECDSA_P256_SHA256_FIXED, "ec-public", 26),
    };
    let key = SubjectPublicKeyInfoDer::from_pem_slice(pem(file).as_bytes()).unwrap();
    let (message, signature) = assertion.as_str().unwrap().rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let public = UnparsedPublicKey::new(scheme, &key.as_ref()[prefix..]);
    public
        .verify(message.as_bytes(), &signature)
        .expect("the client's own signature");
    let (header, claims) = message.split_once('.').unwrap();
    let json = |part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    (json(header), json(claims))
}

#[rstest]
#[case("RS256", "rsa-pkcs8")]
#[case("PS256", "rsa-pkcs1")]
#[case("ES256", "ec-sec1")]
#[tokio::test]
async fn a_client_with_a_private_key_shows_who_it_is_by_a_signature(
    #[case] algorithm: &str,
    #[case] key: &str,
) {
    let provider = Provider::default();
    let served = provider.listen().await;
    let entries = json!({"clientId": "client-1", "privateKey": pem(key), "keyId": "key-7"});
    let manifests = manifests(&served, "ClientCredentials", &entries);
    let definition = json!({"oauth": {
        "clientAuthentication": "PrivateKeyJwt", "assertion": {"algorithm": algorithm},
        "scopes": ["read", "offline_access"], "audience": "api.example.com",
        "tokenParameters": {"resource": "https://api.example.com"},
    }});
    let (ended, said) = poll(manifests.path(), &definition).await;
    assert_eq!(ended, Ended::Well, "{said}");
    let mut form = provider.token_requests().remove(0);
    let assertion = form
        .as_object_mut()
        .unwrap()
        .remove("client_assertion")
        .unwrap();
    let expected = json!({
        "grant_type": "client_credentials", "client_id": "client-1", "scope": "read offline_access",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "audience": "api.example.com", "resource": "https://api.example.com",
    });
    assert_eq!(form, expected);
    let (header, claims) = verified(&assertion, algorithm);
    assert_eq!(
        header,
        json!({"alg": algorithm, "typ": "JWT", "kid": "key-7"})
    );
    assert_eq!(claims["aud"], format!("{}/oauth_token.do", served.url()));
    assert_eq!([&claims["iss"], &claims["sub"]], ["client-1", "client-1"]);
    assert_eq!(provider.first_request("authorization").0, "Bearer access-1");
}

/// As ServiceNow wants it: for the client's id, and with the client's secret beside it.
#[tokio::test]
async fn an_assertion_about_a_user_is_a_grant() {
    let provider = Provider::default();
    let served = provider.listen().await;
    let entries = json!({
        "clientId": "client-1", "clientSecret": "hunter2", "privateKey": pem("rsa-pkcs8"),
        "subject": "integration",
    });
    let manifests = manifests(&served, "JwtBearer", &entries);
    let definition = json!({"oauth": {
        "grants": ["JwtBearer"], "assertion": {"algorithm": "RS256", "audience": "{clientId}"},
    }});
    let (ended, said) = poll(manifests.path(), &definition).await;
    assert_eq!(ended, Ended::Well, "{said}");
    let mut form = provider.token_requests().remove(0);
    let assertion = form.as_object_mut().unwrap().remove("assertion").unwrap();
    let expected = json!({
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "client_id": "client-1", "client_secret": "hunter2",
    });
    assert_eq!(form, expected);
    let (_, claims) = verified(&assertion, "RS256");
    let parts = ["iss", "sub", "aud"].map(|name| claims[name].as_str().unwrap().to_owned());
    assert_eq!(parts, ["client-1", "integration", "client-1"]);
}

#[rstest]
#[case::header("ApiKey", json!({"apiKey": {"in": "Header", "name": "X-Api-Key", "prefix": "Token "}}), json!({"apiKey": "k3y"}), "x-api-key", "Token k3y", "")]
#[case::query("ApiKey", json!({"apiKey": {"in": "Query", "name": "api_key"}}), json!({"apiKey": "k&y"}), "authorization", "", "api_key=k%26y")]
#[case::basic("Basic", json!({"basic": true}), json!({"username": "ann", "password": "p:w"}), "authorization", "Basic YW5uOnA6dw==", "")]
#[case::bearer("Bearer", json!({"bearer": true}), json!({"token": "t0ken\n"}), "authorization", "Bearer t0ken", "")]
#[tokio::test]
async fn a_credential_that_needs_no_token_service_goes_with_each_request(
    #[case] kind: &str,
    #[case] definition: Value,
    #[case] entries: Value,
    #[case] header: &str,
    #[case] value: &str,
    #[case] parameter: &str,
) {
    let provider = Provider::default();
    let served = provider.listen().await;
    let manifests = manifests(&served, kind, &entries);
    let (ended, said) = poll(manifests.path(), &definition).await;
    assert_eq!(ended, Ended::Well, "{said}");
    let (sent, query) = provider.first_request(header);
    assert_eq!(sent, value);
    assert!(query.contains(parameter), "{query}");
    assert!(provider.token_requests().is_empty());
}

#[tokio::test]
async fn a_key_that_is_refused_is_named_and_not_shown() {
    let provider = Provider {
        refuses: true,
        ..Provider::default()
    };
    let served = provider.listen().await;
    let manifests = manifests(&served, "ApiKey", &json!({"apiKey": "k3y-s3cr3t"}));
    let definition = json!({"apiKey": {"in": "Query", "name": "api_key"}});
    let (ended, said) = poll(manifests.path(), &definition).await;
    assert_eq!(ended, Ended::Failed);
    assert!(said.contains("check apiKey in Secret \"oauth\""), "{said}");
    assert!(!said.contains("s3cr3t"), "{said}");
    assert_eq!(provider.requests.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_basic_password_that_is_refused_is_not_sent_by_the_next_run() {
    let provider = Provider {
        refuses: true,
        ..Provider::default()
    };
    let served = provider.listen().await;
    let entries = json!({"username": "ann", "password": "passw0rd-s3cr3t"});
    let manifests = manifests(&served, "Basic", &entries);
    for _ in 0..2 {
        let (ended, said) = poll(manifests.path(), &json!({"basic": true})).await;
        assert_eq!(ended, Ended::Failed);
        let words = "check username and password in Secret \"oauth\"";
        assert!(said.contains(words) && !said.contains("s3cr3t"), "{said}");
    }
    assert_eq!(provider.requests.lock().unwrap().len(), 1);
}

/// A ServiceNow that binds codes, asked by a definition that says so.
#[tokio::test]
async fn a_code_that_is_bound_to_its_attempt_is_exchanged_with_the_verifier() {
    let instance = Instance::new();
    let served = instance.listen("127.0.0.1:0").await.unwrap();
    let spec = json!({
        "connector": "servicenowoauth", "baseUrl": served.url(),
        "authentication": {"redirectUri": "https://mycoolapp.com/oauth", "secretRef": {"name": "oauth"}},
    });
    let client = [("clientId", "demo-client"), ("clientSecret", "demo-secret")];
    let client = client.map(|(key, value)| (key.to_owned(), value.into()));
    let mut secrets = Secrets::default();
    secrets.insert("oauth".to_owned(), client.into());
    let settings = InstanceSettings {
        namespace: "helpdesk".to_owned(),
        name: "prod".to_owned(),
        spec: serde_json::from_value(spec).unwrap(),
        secrets,
        tokens: Arc::new(NoTokens),
        renewals: Renewals::default(),
        deferred_until: None,
        gone_callback: None,
        held_callback: None,
    };
    let environment = environment(&json!({"oauth": {"pkce": true}}), Duration::ZERO);
    for uses_its_own in [true, false] {
        let uri = "https://mycoolapp.com/oauth".parse().unwrap();
        let begin = || Authorization::prepare(&settings, &uri, &environment);
        let (asked, other) = (begin().await.unwrap(), begin().await.unwrap());
        let url = asked.request().url().clone();
        assert!(
            url.query().unwrap().contains("code_challenge_method=S256"),
            "{url}"
        );
        let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let answer = browser.build().unwrap().get(url).send().await.unwrap();
        let code = asked
            .request()
            .code(answer.headers()["location"].to_str().unwrap())
            .unwrap();
        let attempt = if uses_its_own { asked } else { other };
        let exchanged = attempt.exchange(&code).await;
        assert_eq!(exchanged.is_ok(), uses_its_own);
    }
}

#[rstest]
#[case::of_another_type("ec-sec1", "is an EC key, and the connector signs with RS256")]
#[case::public("rsa-public", "is a certificate or a public key")]
#[case::encrypted("rsa-encrypted", "is encrypted with a password")]
#[tokio::test]
async fn a_key_that_cannot_sign_is_a_mistake_in_the_manifests(
    #[case] key: &str,
    #[case] words: &str,
) {
    let provider = Provider::default();
    let served = provider.listen().await;
    let entries = json!({"clientId": "client-1", "privateKey": pem(key)});
    let manifests = manifests(&served, "ClientCredentials", &entries);
    let definition = json!({"oauth": {
        "clientAuthentication": "PrivateKeyJwt", "assertion": {"algorithm": "RS256"},
    }});
    let (ended, said) = poll(manifests.path(), &definition).await;
    assert_eq!(ended, Ended::Invalid);
    assert!(
        said.contains("entry \"privateKey\" of Secret \"oauth\""),
        "{said}"
    );
    assert!(said.contains(words), "{said}");
}
