//! One instance at work: its connection, tokens, callback and holds.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use reqwest::Url;
use tokio::sync::{Semaphore, SemaphorePermit, watch};

use super::{
    CallbackHold, Environment, InstanceState,
    authentication::{self, Means},
    credentials::CurrentCredentials,
    gone::callback_digest,
    holds::{Earlier, Holds},
    starts::Starts,
    tls,
};
use crate::{
    api::{ConnectorInstanceSpec, HeldCallback, Tls},
    callback::{CallbackSettings, HttpCallback},
    catalog::Connector,
    category::{ConfigurationError, Subject},
    event::Identity,
    network::{self, GuardedClient},
    provider::{
        Connection, Redact,
        auth::{Renewals, TokenStore},
        base_url,
    },
    secrets::Secrets,
};

/// Requests that one instance has in flight at its provider, however many pollers it has: their
/// pages are what memory and the provider bear at once, and one round trip after the other keeps
/// four of them busy.
const REQUESTS_IN_FLIGHT: usize = 4;

/// Everything an instance is built from.
pub struct InstanceSettings {
    pub namespace: String,
    pub name: String,
    pub spec: ConnectorInstanceSpec,
    /// The Secrets that [`secret_names`](super::secret_names) lists, as far as they exist.
    pub secrets: Secrets,
    pub tokens: Arc<dyn TokenStore>,
    /// Those of the instance as it was built before in this process.
    pub renewals: Renewals,
    /// A deferral that an earlier process stored.
    pub deferred_until: Option<DateTime<Utc>>,
    /// The [digest](Instance::callback_digest) of the callback that answered an earlier process
    /// with 410.
    pub gone_callback: Option<String>,
    /// The callback that failed in an earlier process, and how long it is left alone.
    pub held_callback: Option<HeldCallback>,
}

/// One instance at work: its connection, tokens, callback and holds, shared by its pollers.
pub struct Instance {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) spec: ConnectorInstanceSpec,
    pub(super) connection: Arc<Connection>,
    /// The client for the provider.
    client: GuardedClient,
    /// `None` where the instance names no callback: nothing may be polled then.
    pub(super) callback: Option<HttpCallback>,
    credentials: Arc<CurrentCredentials>,
    tokens: Arc<dyn TokenStore>,
    renewals: Renewals,
    callback_digest: Option<String>,
    requests: Semaphore,
    holds: Holds,
    pub(super) starts: Starts,
    pub(super) identity: Identity,
}

impl Instance {
    /// Builds an instance; sends nothing, but may resolve the name of a plain-http provider.
    ///
    /// # Errors
    ///
    /// The connector, a parameter, a Secret or the callback is wrong.
    pub async fn build(
        settings: InstanceSettings,
        environment: &Environment,
    ) -> Result<Arc<Self>, ConfigurationError> {
        let connector = connector(&settings.spec, environment)?;
        let client = provider_client(&settings, environment)?;
        let base = base(&settings, &connector, &client).await?;
        let clock = environment.clock;
        let credentials = authentication::credentials(
            Means::of(&settings),
            &connector,
            &base,
            client.clone(),
            clock,
        )?;
        let credentials = CurrentCredentials::new(credentials, settings.secrets.values());
        let credentials = Arc::new(credentials);
        let connection = Connection::new(
            connector,
            base,
            client.clone(),
            Arc::<CurrentCredentials>::clone(&credentials),
            redact(Arc::clone(&credentials)),
            clock,
        )?;
        let callback = callback(&settings, environment)?;
        let InstanceSettings {
            namespace,
            name,
            spec,
            tokens,
            renewals,
            deferred_until,
            gone_callback,
            held_callback,
            ..
        } = settings;
        let callback_digest = callback_digest(&spec);
        let held = held_callback.filter(|held| callback_digest.as_ref() == Some(&held.callback));
        let earlier = Earlier {
            deferred_until,
            held: held.map(|HeldCallback { until, asked, .. }| CallbackHold { until, asked }),
            is_gone: gone_callback.is_some() && gone_callback == callback_digest,
        };
        Ok(Arc::new(Self {
            identity: identity(&namespace, &name, &spec),
            namespace,
            name,
            spec,
            connection: Arc::new(connection),
            client,
            callback,
            credentials,
            tokens,
            renewals,
            callback_digest,
            requests: Semaphore::new(REQUESTS_IN_FLIGHT),
            holds: Holds::new(environment.clock, &earlier),
            starts: Starts::default(),
        }))
    }

    /// The state as it changes.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<InstanceState> {
        self.holds.state()
    }

    /// Whether something still holds its polls: a callback or a provider that has not shown to be well
    /// again.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.holds.is_held()
    }

    /// What a person should know of the keys by which its notifications are signed.
    #[must_use]
    pub fn doubts(&self) -> &[String] {
        self.callback.as_ref().map_or(&[], HttpCallback::doubts)
    }

    /// Sends to the callback again after a 410 or within a hold.
    pub fn resume_delivery(&self) {
        self.end_pauses();
        self.holds.release_callback();
    }

    /// Asks with a password that was refused, and tries a callback that failed, though their waits are not
    /// over: a person wants to know.
    pub fn ask_anew(&self) {
        if self.credentials.ask_anew() {
            self.holds.release_authentication();
        }
        self.end_pauses();
        self.holds.probe_now();
    }

    fn end_pauses(&self) {
        self.callback.iter().for_each(HttpCallback::ask_anew);
    }

    /// Authenticates with what its Secret holds by now; the pollers go on.
    ///
    /// # Errors
    ///
    /// An entry is missing or cannot be used: what counted before still does.
    pub async fn renew(
        &self,
        secrets: Secrets,
        environment: &Environment,
    ) -> Result<(), ConfigurationError> {
        let means = Means {
            authentication: &self.spec.authentication,
            secrets: &secrets,
            tokens: &self.tokens,
            renewals: &self.renewals,
        };
        let (connector, base) = (self.connection.connector(), self.connection.base());
        let client = self.client.clone();
        let credentials =
            authentication::credentials(means, connector, base, client, environment.clock)?;
        self.credentials.replace(credentials, secrets.values());
        self.holds.release_authentication();
        Ok(())
    }

    /// What to store of its callback while that is left alone.
    #[must_use]
    pub fn held_callback(&self) -> Option<HeldCallback> {
        let (held, callback) = (
            self.holds.state().borrow().held?,
            self.callback_digest.clone()?,
        );
        Some(HeldCallback {
            callback,
            until: held.until,
            asked: held.asked,
        })
    }

    /// What to remember of its callback when that has answered 410.
    #[must_use]
    pub fn callback_digest(&self) -> Option<&str> {
        self.callback_digest.as_deref()
    }

    /// Waits until no token is being renewed, [`RENEWAL_GRACE`](super::RENEWAL_GRACE) at most: what
    /// must precede the end of a process, or a rotated refresh token may be lost.
    pub async fn rest(&self) {
        self.credentials.rest().await;
    }

    /// When the refresh token ends, once that is near enough for a person to act.
    #[must_use]
    pub fn reauthorization_due(&self) -> Option<DateTime<Utc>> {
        self.credentials.reauthorization_due()
    }

    /// Waits until the provider may be asked; in order of arrival.
    pub(super) async fn leave_to_ask(&self) -> Option<SemaphorePermit<'_>> {
        // Nobody closes it.
        self.requests.acquire().await.ok()
    }

    pub(super) const fn holds(&self) -> &Holds {
        &self.holds
    }
}

pub(super) fn connector(
    spec: &ConnectorInstanceSpec,
    environment: &Environment,
) -> Result<Arc<Connector>, ConfigurationError> {
    environment.catalog.get(&spec.connector).ok_or_else(|| {
        let known: Vec<_> = environment.catalog.keys().collect();
        ConfigurationError::new(
            "spec.connector",
            format!(
                "{:?} is no connector of the catalog: write one of {}",
                spec.connector,
                known.join(", ")
            ),
        )
        .about(Subject::Connector)
    })
}

pub(super) async fn base(
    settings: &InstanceSettings,
    connector: &Connector,
    client: &GuardedClient,
) -> Result<Url, ConfigurationError> {
    let spec = &settings.spec;
    let url = |plain: bool| {
        base_url(
            connector,
            &spec.configuration,
            spec.base_url.as_deref(),
            |_| plain,
        )
    };
    let base = url(true)?;
    client.check_url(&base).map_err(|refusal| {
        ConfigurationError::new("spec.baseUrl", refusal.to_string()).about(Subject::Address)
    })?;
    if base.scheme() == "https" || client.is_allowed_host(&base).await {
        return Ok(base);
    }
    url(false)
}

/// The client for the provider: plain http is spoken with addresses on the allow list alone.
pub(super) fn provider_client(
    settings: &InstanceSettings,
    environment: &Environment,
) -> Result<GuardedClient, ConfigurationError> {
    let tls = settings.spec.tls.as_ref();
    let client = client("spec.tls", tls, settings, environment)?;
    Ok(client.plain_to_allowed_only())
}

/// The client of an end whose certificates the spec names at `field`.
fn client(
    field: &str,
    tls: Option<&Tls>,
    settings: &InstanceSettings,
    environment: &Environment,
) -> Result<GuardedClient, ConfigurationError> {
    let tls = tls::settings(field, tls, &settings.secrets)?;
    let client = environment.clients.of(&settings.namespace, &tls);
    client.map_err(|error| {
        let words = network::describe(&error);
        ConfigurationError::new("spec", format!("no HTTP client: {words}"))
    })
}

fn callback(
    settings: &InstanceSettings,
    environment: &Environment,
) -> Result<Option<HttpCallback>, ConfigurationError> {
    let events = settings.spec.events.as_ref();
    let Some(spec) = events.and_then(|events| events.callback.as_ref()) else {
        return Ok(None);
    };
    let client = |(field, tls)| client(field, tls, settings, environment);
    HttpCallback::new(CallbackSettings {
        spec,
        secrets: &settings.secrets,
        client: client(tls::of_callback(spec))?,
        dead_letter_client: client(tls::of_dead_letters(spec))?,
        clock: environment.clock,
        retry: environment.retry,
    })
    .map(Some)
}

fn identity(namespace: &str, name: &str, spec: &ConnectorInstanceSpec) -> Identity {
    let events = spec.events.as_ref();
    let callback = events.and_then(|events| events.callback.as_ref());
    Identity::new(
        namespace,
        name,
        callback.and_then(|callback| callback.open_connectors.as_ref()),
    )
}

/// Shows a provider's text without the secrets in hand.
fn redact(credentials: Arc<CurrentCredentials>) -> Redact {
    Arc::new(move |text| network::excerpt(text.as_bytes(), &credentials.in_hand()))
}
