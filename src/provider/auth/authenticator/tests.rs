//! Against a token service on a socket. Time is paused, and neither client nor test holds a
//! timer, so it moves only where a test advances it.

mod concurrency;
pub(crate) mod faults;
mod grants;
mod lifetimes;
mod passwords;
mod refusals;
mod storage;

use serde_json::{Value, json};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use super::*;
use crate::{
    network::AddressPolicy,
    provider::auth::{ClientProof, StoredToken, TokenStoreError, fixtures::MemoryStore},
};

const NOW: &str = "2024-01-01T00:00:00Z";

/// A token service that gives these answers in turn, and the last one for ever.
async fn service(answers: Vec<ResponseTemplate>) -> MockServer {
    let server = MockServer::start().await;
    let last = answers.len() - 1;
    for (index, answer) in answers.into_iter().enumerate() {
        let mock = Mock::given(any()).respond_with(answer);
        let mock = if index < last {
            mock.up_to_n_times(1)
        } else {
            mock
        };
        mock.mount(&server).await;
    }
    server
}

fn answer(status: u16, body: Value) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(body)
}

/// Tokens for half an hour, as ServiceNow answers.
fn issued(access: &str, refresh: &str) -> ResponseTemplate {
    answer(
        200,
        json!({
            "scope": "useraccount", "token_type": "Bearer", "expires_in": 1799,
            "access_token": access, "refresh_token": refresh,
        }),
    )
}

fn refused(error: &str) -> ResponseTemplate {
    answer(401, json!({"error": error, "error_description": error}))
}

fn code() -> Grant {
    let redirect_uri = Some("https://example.com/oauth".to_owned());
    Grant::AuthorizationCode {
        code: "c0de-s3cr3t".into(),
        redirect_uri,
        verifier: None,
    }
}

fn refresh_token(token: &str) -> Grant {
    Grant::RefreshToken {
        token: token.into(),
    }
}

fn password() -> Grant {
    Grant::Password {
        username: "ann".into(),
        password: "passw0rd-s3cr3t".into(),
    }
}

fn settings(server: &MockServer, grant: Grant, store: &Arc<MemoryStore>) -> AuthenticatorSettings {
    let allowed = vec!["127.0.0.1/32".parse().unwrap()];
    // Without any timeout: a paused clock would run into it while a socket is waited for.
    let policy = Arc::new(AddressPolicy::new(allowed, Vec::new()));
    let client = reqwest::Client::builder()
        .no_proxy()
        .pool_idle_timeout(None)
        .build()
        .unwrap();
    AuthenticatorSettings {
        client: GuardedClient::from_parts(Arc::new(client), policy, "helpdesk"),
        token_url: format!("{}/oauth_token.do", server.uri()).parse().unwrap(),
        token_body: TokenBody::Form,
        grant,
        scopes: Vec::new(),
        parameters: BTreeMap::new(),
        credentials: ClientCredentials {
            secret_name: "servicenow-oauth".to_owned(),
            id: "client-1".into(),
            proof: ClientProof::Body("client-s3cr3t".into()),
        },
        store: Arc::<MemoryStore>::clone(store),
        renewals: Renewals::default(),
        clock: Clock::starting_at(NOW.parse().unwrap()),
        lifetimes: Lifetimes::default(),
    }
}

impl AuthenticatorSettings {
    /// Those of another process: what the one before had in memory is gone.
    fn clone_for_a_new_process(&self) -> Self {
        Self {
            renewals: Renewals::default(),
            ..self.clone()
        }
    }
}

fn authenticator(
    server: &MockServer,
    grant: Grant,
    store: &Arc<MemoryStore>,
) -> Arc<Authenticator> {
    Arc::new(Authenticator::new(settings(server, grant, store)))
}

/// The forms that the service received.
async fn forms(server: &MockServer) -> Vec<Vec<(String, String)>> {
    let requests = server.received_requests().await.unwrap();
    let form = |body: &[u8]| {
        let query = format!("http://x/?{}", String::from_utf8_lossy(body));
        let url: Url = query.parse().unwrap();
        url.query_pairs().into_owned().collect()
    };
    requests.iter().map(|request| form(&request.body)).collect()
}

/// The values of one field in the forms received, `-` where a form has none.
async fn received(server: &MockServer, field: &str) -> Vec<String> {
    let value = |form: Vec<(String, String)>| {
        let found = form.into_iter().find(|(name, _)| name == field);
        found.map_or_else(|| "-".to_owned(), |(_, value)| value)
    };
    forms(server).await.into_iter().map(value).collect()
}

async fn token(authenticator: &Authenticator) -> String {
    let value = authenticator.authorization().await.unwrap();
    assert!(value.is_sensitive());
    value.to_str().unwrap().to_owned()
}

async fn failure(authenticator: &Authenticator) -> FetchError {
    let error = authenticator.authorization().await.unwrap_err();
    assert!(
        !format!("{error} {error:?}").contains("s3cr3t"),
        "{error:?}"
    );
    error
}
