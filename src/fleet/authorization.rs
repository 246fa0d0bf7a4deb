//! Having a person authorize an instance: what to open, and what its answer is exchanged for.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use futures::{
    FutureExt as _,
    future::{BoxFuture, ready},
};
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    Environment, InstanceSettings,
    authentication::{Means, authenticator_settings, oauth},
    instance::{base, connector, provider_client},
};
use crate::{
    api::AuthenticationType,
    category::{Category, ConfigurationError},
    provider::{
        FetchError, address,
        auth::{
            Authenticator, AuthenticatorSettings, AuthorizationRequest, AuthorizationTerms,
            Authorize as _, Grant, RedirectUri, StoredToken, TokenStore, TokenStoreError,
        },
    },
};

const KIND: &str = "spec.authentication.type";
const SECRET: &str = "spec.authentication.secretRef";
const CHANGED: &str = "has changed since this began, and the refresh token that was issued belongs to what stood \
                       there before";

/// An authorization that a person is asked for.
pub struct Authorization {
    request: AuthorizationRequest,
    settings: AuthenticatorSettings,
    grown_from: String,
    host: String,
}

/// What came of it.
pub struct Authorized {
    pub refresh_token: SecretString,
    pub issued_at: DateTime<Utc>,
    /// When the refresh token ends, where that is known.
    pub expires_at: Option<DateTime<Utc>>,
    /// Digest of what the instance's Secret holds, beside which the token may be stored.
    pub grown_from: String,
}

impl Authorization {
    /// Whether the instance is one that a person authorizes.
    ///
    /// # Errors
    ///
    /// Its type of authentication, for which nobody does.
    pub fn is_due(settings: &InstanceSettings) -> Result<(), ConfigurationError> {
        let kind = match settings.spec.authentication.kind {
            None | Some(AuthenticationType::AuthorizationCode) => return Ok(()),
            Some(kind) => kind,
        };
        let message = format!(
            "is {kind:?}, for which nobody needs to authorize: its Secret has all that it takes; only where a person \
             is to grant access write AuthorizationCode, which takes a refreshToken in the Secret too"
        );
        Err(ConfigurationError::new(KIND, message))
    }

    /// Prepares one, whose answer goes to `redirect_uri`; sends nothing.
    ///
    /// # Errors
    ///
    /// The instance does not authenticate by authorization codes, or is wrong.
    pub async fn prepare(
        settings: &InstanceSettings,
        redirect_uri: &RedirectUri,
        environment: &Environment,
    ) -> Result<Self, ConfigurationError> {
        Self::is_due(settings)?;
        let connector = connector(&settings.spec, environment)?;
        let client = provider_client(settings, environment)?;
        let base = base(settings, &connector, &client).await?;
        let oauth = oauth(&connector, &settings.spec.authentication)?;
        let clock = environment.clock;
        let own = authenticator_settings(Means::of(settings), &connector, &base, client, clock)?;
        let audience = oauth
            .audience
            .as_deref()
            .map(|audience| ("audience", audience));
        let more = oauth.authorize_parameters.iter();
        let more = more.map(|(name, value)| (name.as_str(), value.as_str()));
        let authorize_url = address(&base, &oauth.authorize_url);
        Ok(Self {
            host: authorize_url.host_str().unwrap_or_default().to_owned(),
            request: AuthorizationRequest::new(&AuthorizationTerms {
                authorize_url,
                client_id: &own.credentials.id,
                redirect_uri: redirect_uri.clone(),
                scopes: &oauth.scopes,
                parameters: audience.into_iter().chain(more).collect(),
                pkce: oauth.pkce,
            }),
            grown_from: own.grown_from().unwrap_or_default(),
            settings: own,
        })
    }

    /// What the person is asked.
    #[must_use]
    pub const fn request(&self) -> &AuthorizationRequest {
        &self.request
    }

    /// Who asks the person.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Exchanges the code that came back.
    ///
    /// # Errors
    ///
    /// The token service refuses, fails, or issues no refresh token.
    pub async fn exchange(&self, code: &SecretString) -> Result<Authorized, FetchError> {
        let kept = Arc::new(Kept::default());
        let authenticator = Authenticator::new(AuthenticatorSettings {
            grant: Grant::AuthorizationCode {
                code: code.clone(),
                redirect_uri: Some(self.request.redirect_uri().to_string()),
                verifier: self.request.verifier().cloned(),
            },
            store: Arc::<Kept>::clone(&kept),
            ..self.settings.clone()
        });
        let outcome = authenticator.authorization().await;
        // It may have come without a usable access token: there is no other.
        let Some((refresh_token, token)) = kept.refresh_token() else {
            return Err(outcome
                .err()
                .unwrap_or_else(|| no_refresh_token(&self.host)));
        };
        Ok(Authorized {
            refresh_token,
            issued_at: token.issued_at,
            expires_at: token.expires_at,
            grown_from: self.grown_from.clone(),
        })
    }

    /// What came of the exchange, for the instance as it is `now`: it or its Secret may have changed while the
    /// person was at the browser.
    ///
    /// # Errors
    ///
    /// The token was issued to another client than the instance's, or by another service: it serves nobody.
    pub async fn for_the_present(
        &self,
        authorized: Authorized,
        now: &InstanceSettings,
        environment: &Environment,
    ) -> Result<Authorized, ConfigurationError> {
        let redirect_uri = self.request.redirect_uri();
        let now = Self::prepare(now, redirect_uri, environment).await?;
        let (before, after) = (&self.settings, &now.settings);
        let (of_before, of_after) = (&before.credentials, &after.credentials);
        if of_before.id.expose_secret() != of_after.id.expose_secret() {
            let secret = &of_after.secret_name;
            let message = format!("entry \"clientId\" of Secret {secret:?} {CHANGED}");
            return Err(ConfigurationError::new(SECRET, message));
        }
        if before.token_url != after.token_url {
            let message = format!("the provider's address {CHANGED}");
            return Err(ConfigurationError::new("spec", message));
        }
        Ok(Authorized {
            grown_from: now.grown_from,
            ..authorized
        })
    }

    /// Whether a code may be sent again whose exchange ended so: nobody has looked at it yet, or nobody
    /// knows, and where somebody has, its tokens are lost in any case.
    #[must_use]
    pub const fn may_be_exchanged_again(error: &FetchError) -> bool {
        matches!(error.category, Category::Provider | Category::RateLimited)
    }
}

fn no_refresh_token(host: &str) -> FetchError {
    let message = format!(
        "{host} issued an access token and no refresh token, so that all would end with it: allow refresh \
         tokens for this client at the provider, or ask for the scope that brings them, such as offline_access"
    );
    FetchError::new(Category::Authentication, message)
}

/// Keeps what was issued until it is known where it is to stand.
#[derive(Default)]
struct Kept(Mutex<Option<StoredToken>>);

impl Kept {
    /// The refresh token that came, and what is known of it.
    fn refresh_token(&self) -> Option<(SecretString, StoredToken)> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let token = kept.as_ref()?;
        Some((token.refresh_token.clone()?, token.clone()))
    }
}

impl TokenStore for Kept {
    /// The code is this attempt's own: nothing has grown from it before.
    fn load(&self) -> BoxFuture<'_, Result<Option<StoredToken>, TokenStoreError>> {
        ready(Ok(None)).boxed()
    }

    fn begin_refresh(&self) -> BoxFuture<'_, Result<(), TokenStoreError>> {
        ready(Ok(())).boxed()
    }

    fn store(&self, token: StoredToken) -> BoxFuture<'_, Result<(), TokenStoreError>> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
        ready(Ok(())).boxed()
    }
}
