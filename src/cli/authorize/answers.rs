//! Receiving the provider's answer: on a loopback address (RFC 8252), or pasted.

use std::{
    io,
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, Uri},
};
use reqwest::Url;
use secrecy::SecretString;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
    time::{Instant, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::super::output;
use crate::provider::auth::{AnswerError, AuthorizationRequest, RedirectUri};

/// How long a browser may take to hear what became of its answer.
const FAREWELL: Duration = Duration::from_secs(2);

/// Where the answer may come in.
pub(super) struct Answers {
    redirect_uri: RedirectUri,
    listener: Option<TcpListener>,
}

/// An address that the provider may have led to, and who wants to know whether it did.
struct Heard {
    address: String,
    reply: Option<oneshot::Sender<Result<(), AnswerError>>>,
}

impl Answers {
    /// Listens where `redirect_uri` leads to if that is this machine, on a free port if it names none.
    pub(super) async fn open(redirect_uri: RedirectUri) -> Result<Self, String> {
        let Some(address) = loopback(redirect_uri.url()) else {
            return Ok(Self {
                redirect_uri,
                listener: None,
            });
        };
        let named = redirect_uri.port();
        let in_words = |error: io::Error| {
            format!(
                "{redirect_uri}: cannot listen there: {error}: end what uses the port, or register another redirect URI"
            )
        };
        let place = (address, named.unwrap_or_default());
        let listener = TcpListener::bind(place).await.map_err(in_words)?;
        let port = listener.local_addr().map_err(in_words)?.port();
        Ok(Self {
            redirect_uri: match named {
                Some(_) => redirect_uri,
                None => redirect_uri.with_port(port),
            },
            listener: Some(listener),
        })
    }

    pub(super) const fn redirect_uri(&self) -> &RedirectUri {
        &self.redirect_uri
    }

    pub(super) const fn is_listening(&self) -> bool {
        self.listener.is_some()
    }

    /// The code of the first answer that is one to `request`; whatever else comes is told and waited
    /// behind.
    pub(super) async fn code(
        self,
        request: &AuthorizationRequest,
        wait: Duration,
    ) -> Result<SecretString, String> {
        let (sender, heard) = mpsc::channel(1);
        let end = CancellationToken::new();
        let server = self.listener.map(|listener| {
            tokio::spawn(serve(
                listener,
                self.redirect_uri.url().clone(),
                sender.clone(),
                end.clone(),
            ))
        });
        read_lines(sender);
        let code = first(heard, request, wait).await;
        end.cancel();
        if let Some(server) = server {
            // The browser's connection may stay open for as long as it likes.
            let _ = timeout(FAREWELL, server).await;
        }
        code
    }
}

async fn first(
    mut heard: mpsc::Receiver<Heard>,
    request: &AuthorizationRequest,
    wait: Duration,
) -> Result<SecretString, String> {
    let deadline = Instant::now() + wait;
    loop {
        let next = timeout_at(deadline, heard.recv())
            .await
            .map_err(|_| late(wait))?;
        let Heard { address, reply } = next.ok_or(NOTHING)?;
        let code = request.code(&address);
        if let Some(reply) = reply {
            // A browser that has gone does not wait for it.
            let _ = reply.send(code.as_ref().map(drop).map_err(Clone::clone));
        }
        match code {
            Ok(code) => return Ok(code),
            Err(error @ AnswerError::Denied(_)) => return Err(error.to_string()),
            Err(error) => output::note("refused", error),
        }
    }
}

const NOTHING: &str = "standard input ended without the address that the browser was led to: run this in a \
                       terminal and paste it there, or use a redirect URI on this machine";

fn late(wait: Duration) -> String {
    format!(
        "no answer came within {}: run this again and open the address at once; if the browser showed an error of \
         the provider, the redirect URI or the client id is not what is registered there",
        crate::api::Duration(wait)
    )
}

/// The address to listen on, where the URI is plain http to this machine.
fn loopback(uri: &Url) -> Option<IpAddr> {
    let host = uri.host_str().filter(|_| uri.scheme() == "http")?;
    if host == "localhost" {
        return Some(Ipv4Addr::LOCALHOST.into());
    }
    let address: IpAddr = host.trim_matches(['[', ']']).parse().ok()?;
    Some(address).filter(IpAddr::is_loopback)
}

/// What requests are answered from.
#[derive(Clone)]
struct Listening {
    redirect_uri: Url,
    heard: mpsc::Sender<Heard>,
}

async fn serve(
    listener: TcpListener,
    redirect_uri: Url,
    heard: mpsc::Sender<Heard>,
    end: CancellationToken,
) {
    let listening = Listening {
        redirect_uri,
        heard,
    };
    let router = Router::new().fallback(receive).with_state(listening);
    let served = axum::serve(listener, router).with_graceful_shutdown(end.cancelled_owned());
    if let Err(error) = served.await {
        output::note("error", format!("the loopback address: {error}"));
    }
}

async fn receive(State(listening): State<Listening>, uri: Uri) -> (StatusCode, String) {
    let mut address = listening.redirect_uri.clone();
    if uri.path() != address.path() {
        return (StatusCode::NOT_FOUND, "nothing is here".to_owned());
    }
    address.set_query(uri.query());
    let (reply, told) = oneshot::channel();
    let heard = Heard {
        address: address.to_string(),
        reply: Some(reply),
    };
    let sent = listening.heard.send(heard).await;
    match (sent, told.await) {
        (Ok(()), Ok(Ok(()))) => (
            StatusCode::OK,
            "Pollen has the provider's answer. Go back to the terminal: it says what became of it."
                .to_owned(),
        ),
        (Ok(()), Ok(Err(error))) => (StatusCode::BAD_REQUEST, format!("Refused: {error}.")),
        _ => (
            StatusCode::GONE,
            "Pollen waits for no answer any more.".to_owned(),
        ),
    }
}

/// Reads what is pasted, on a thread of its own: a runtime would wait for it when the command ends.
fn read_lines(heard: mpsc::Sender<Heard>) {
    std::thread::spawn(move || {
        let lines = io::stdin().lines().map_while(Result::ok);
        for address in lines.filter(|line| !line.trim().is_empty()) {
            if heard
                .blocking_send(Heard {
                    address,
                    reply: None,
                })
                .is_err()
            {
                return;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("http://127.0.0.1:8400/callback", Some("127.0.0.1"))]
    #[case("http://127.9.9.9/", Some("127.9.9.9"))]
    #[case("http://[::1]:8400/", Some("::1"))]
    #[case("http://localhost:8400/", Some("127.0.0.1"))]
    #[case::tls("https://localhost:8400/", None)]
    #[case::elsewhere("https://mycoolapp.com/oauth", None)]
    #[case::a_name_that_looks_like_it("http://127.0.0.1.example.com/", None)]
    #[case::every_address("http://0.0.0.0:8400/", None)]
    #[case::another_machine("http://10.0.0.1/", None)]
    fn only_this_machine_is_listened_on(#[case] uri: &str, #[case] expected: Option<&str>) {
        let address = loopback(&uri.parse().unwrap()).map(|address| address.to_string());
        assert_eq!(address.as_deref(), expected);
    }

    #[tokio::test]
    async fn without_a_port_a_free_one_is_taken() {
        let answers = Answers::open("http://127.0.0.1/callback".parse().unwrap())
            .await
            .unwrap();
        let uri = answers.redirect_uri();
        assert!(
            uri.port().is_some() && uri.url().path() == "/callback",
            "{uri}"
        );
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_named() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}/callback", taken.local_addr().unwrap());
        let error = Answers::open(uri.parse().unwrap()).await.err().unwrap();
        assert!(
            error.starts_with(&uri) && error.contains("end what uses the port"),
            "{error}"
        );
    }
}
