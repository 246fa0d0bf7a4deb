//! The clients of one process.

use std::time::Duration;

use kube::{Client, Config};

use super::OperatorError;

/// How long an answer to anything but a watch may take.
const ANSWER: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(3);

/// A client each for what must not wait for the others.
pub(super) struct Clients {
    /// Lists and watches, whose answers last.
    pub(super) watches: Client,
    /// Reads and writes of single objects.
    pub(super) requests: Client,
    /// The Lease alone: a fleet's writes must not delay its renewal.
    pub(super) lease: Client,
}

impl Clients {
    /// Connects as the environment says: KUBECONFIG, `~/.kube/config`, or the pod's service account.
    pub(super) async fn connect() -> Result<Self, OperatorError> {
        let config = Config::infer()
            .await
            .map_err(|error| OperatorError::Connect(error.to_string()))?;
        let mut prompt = config.clone();
        prompt.read_timeout = Some(ANSWER);
        prompt.connect_timeout = Some(CONNECT);
        let mut lease = prompt.clone();
        // The election decides itself when to try again.
        lease.default_retry = false;
        Ok(Self {
            watches: client(config)?,
            requests: client(prompt)?,
            lease: client(lease)?,
        })
    }
}

fn client(config: Config) -> Result<Client, OperatorError> {
    direct(config).map_err(|error| OperatorError::Connect(error.to_string()))
}

/// A client that uses no proxy. `HTTPS_PROXY` is meant for providers and callbacks, but kube takes it
/// into every kubeconfig, and an error about a proxy would show its password.
pub(super) fn direct(mut config: Config) -> kube::Result<Client> {
    config.proxy_url = None;
    Client::try_from(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_proxy_of_the_configuration_is_left_out() {
        let mut config = Config::new("http://127.0.0.1:1".parse().unwrap());
        config.proxy_url = Some("http://ann:s3cr3t@proxy.example:3128".parse().unwrap());
        let client = client(config).unwrap();
        let error = client.apiserver_version().await.unwrap_err();
        assert!(!error.to_string().contains("proxy"), "{error}");
    }
}
