//! How an instance authenticates, as far as its connector lets it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use reqwest::Url;

use super::{InstanceSettings, credentials::Credentials};
use crate::{
    api::{Authentication, AuthenticationType},
    catalog::{self, AuthenticationDefinition, ClientAuthentication, Connector, OAuth},
    category::ConfigurationError,
    clock::Clock,
    network::GuardedClient,
    provider::{
        address,
        auth::{
            About, Assertions, Authenticator, AuthenticatorSettings, ClientCredentials,
            ClientProof, Entries, FixedCredential, Grant, Lifetimes, Renewals, TokenStore,
        },
    },
    secrets::Secrets,
};

/// What an instance authenticates with.
#[derive(Clone, Copy)]
pub(super) struct Means<'a> {
    pub(super) authentication: &'a Authentication,
    /// At least that which the authentication names.
    pub(super) secrets: &'a Secrets,
    /// What outlasts the process.
    pub(super) tokens: &'a Arc<dyn TokenStore>,
    pub(super) renewals: &'a Renewals,
}

impl<'a> Means<'a> {
    /// Those of an instance that is to be built.
    pub(super) const fn of(settings: &'a InstanceSettings) -> Self {
        Self {
            authentication: &settings.spec.authentication,
            secrets: &settings.secrets,
            tokens: &settings.tokens,
            renewals: &settings.renewals,
        }
    }

    fn entries(self) -> Entries<'a> {
        Entries::new(self.secrets, &self.authentication.secret_ref.name)
    }
}

/// What puts the credentials of an instance on its requests.
pub(super) fn credentials(
    means: Means<'_>,
    connector: &Connector,
    base: &Url,
    client: GuardedClient,
    clock: Clock,
) -> Result<Credentials, ConfigurationError> {
    let entries = means.entries();
    let basic = || {
        let store = Arc::clone(means.tokens);
        FixedCredential::basic(&entries, base, store, means.renewals, clock)
    };
    if let Some(fixed) = fixed(connector, kind(means.authentication), &entries, basic)? {
        return Ok(Credentials::Fixed(Arc::new(fixed)));
    }
    let tokens = authenticator_settings(means, connector, base, client, clock)?;
    Ok(Credentials::Tokens(Arc::new(Authenticator::new(tokens))))
}

/// What obtains the tokens of an instance is made from these.
pub(super) fn authenticator_settings(
    means: Means<'_>,
    connector: &Connector,
    base: &Url,
    client: GuardedClient,
    clock: Clock,
) -> Result<AuthenticatorSettings, ConfigurationError> {
    let (authentication, entries) = (means.authentication, means.entries());
    let oauth = oauth(connector, authentication)?;
    let token_url = address(base, &oauth.token_url);
    let assertions = |about| assertions(connector, oauth, &entries, about, &token_url);
    let grant = Grant::new(authentication, &entries, || assertions(About::Subject))?;
    let proof = match oauth.client_authentication {
        ClientAuthentication::Body => ClientProof::secret(&entries, ClientProof::Body)?,
        ClientAuthentication::Basic => ClientProof::secret(&entries, ClientProof::Header)?,
        ClientAuthentication::PrivateKeyJwt if !entries.is_stand_in() => {
            ClientProof::Assertion(assertions(About::Client)?)
        }
        ClientAuthentication::PrivateKeyJwt | ClientAuthentication::None => ClientProof::None,
    };
    Ok(AuthenticatorSettings {
        client,
        token_body: oauth.token_body,
        grant: grant.ok_or_else(|| unsupported(connector))?,
        scopes: oauth.scopes.clone(),
        parameters: parameters(oauth),
        credentials: ClientCredentials::new(&entries, proof)?,
        store: Arc::clone(means.tokens),
        renewals: means.renewals.clone(),
        clock,
        lifetimes: Lifetimes {
            access: Some(Duration::from_secs(oauth.access_token_seconds))
                .filter(|life| !life.is_zero()),
            refresh: oauth.refresh_token_seconds.map(Duration::from_secs),
        },
        token_url,
    })
}

/// What every token request says beside the grant.
fn parameters(oauth: &OAuth) -> BTreeMap<String, String> {
    let mut parameters = oauth.token_parameters.clone();
    let audience = oauth.audience.clone();
    parameters.extend(audience.map(|audience| ("audience".to_owned(), audience)));
    parameters
}

fn assertions(
    connector: &Connector,
    oauth: &OAuth,
    entries: &Entries<'_>,
    about: About,
    token_url: &Url,
) -> Result<Assertions, ConfigurationError> {
    let definition = oauth.assertion.as_ref().ok_or_else(|| {
        let message = format!(
            "connector {} does not say how assertions are signed: add assertion to its definition",
            connector.key
        );
        ConfigurationError::new("spec.connector", message)
    })?;
    Assertions::new(entries, definition, about, token_url)
}

/// The credential that needs no token service, where the instance names one that the connector takes.
fn fixed(
    connector: &Connector,
    kind: AuthenticationType,
    entries: &Entries<'_>,
    with_basic: impl FnOnce() -> Result<FixedCredential, ConfigurationError>,
) -> Result<Option<FixedCredential>, ConfigurationError> {
    let AuthenticationDefinition {
        api_key,
        basic,
        bearer,
        ..
    } = &connector.authentication;
    let fixed = match (kind, api_key) {
        (AuthenticationType::ApiKey, Some(key)) => FixedCredential::api_key(entries, key),
        (AuthenticationType::Basic, _) if *basic => with_basic(),
        (AuthenticationType::Bearer, _) if *bearer => FixedCredential::bearer(entries),
        _ => return Ok(None),
    };
    fixed.map(Some)
}

/// The connector's OAuth, where it takes the grant that the instance names.
pub(super) fn oauth<'c>(
    connector: &'c Connector,
    authentication: &Authentication,
) -> Result<&'c OAuth, ConfigurationError> {
    let asked = grant(kind(authentication));
    let oauth = connector.authentication.oauth.as_ref();
    oauth
        .filter(|oauth| asked.is_some_and(|asked| oauth.grants.contains(&asked)))
        .ok_or_else(|| unsupported(connector))
}

fn kind(authentication: &Authentication) -> AuthenticationType {
    authentication
        .kind
        .unwrap_or(AuthenticationType::AuthorizationCode)
}

const fn grant(kind: AuthenticationType) -> Option<catalog::Grant> {
    match kind {
        AuthenticationType::AuthorizationCode => Some(catalog::Grant::AuthorizationCode),
        AuthenticationType::RefreshToken => Some(catalog::Grant::RefreshToken),
        AuthenticationType::ClientCredentials => Some(catalog::Grant::ClientCredentials),
        AuthenticationType::Password => Some(catalog::Grant::Password),
        AuthenticationType::JwtBearer => Some(catalog::Grant::JwtBearer),
        AuthenticationType::ApiKey | AuthenticationType::Basic | AuthenticationType::Bearer => None,
    }
}

fn unsupported(connector: &Connector) -> ConfigurationError {
    let AuthenticationDefinition {
        oauth,
        api_key,
        basic,
        bearer,
        ..
    } = &connector.authentication;
    let grants = oauth.iter().flat_map(|oauth| &oauth.grants);
    let mut taken: Vec<_> = grants.map(|grant| format!("{grant:?}")).collect();
    let fixed = [
        (api_key.is_some(), "ApiKey"),
        (*basic, "Basic"),
        (*bearer, "Bearer"),
    ];
    let fixed = fixed.into_iter().filter(|(is_taken, _)| *is_taken);
    taken.extend(fixed.map(|(_, name)| name.to_owned()));
    let message = format!(
        "connector {} does not take this type: write one of {}",
        connector.key,
        taken.join(", ")
    );
    ConfigurationError::new("spec.authentication.type", message)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::catalog::{ApiKeyDefinition, Catalog, KeyPlace};

    #[rstest]
    #[case(Some("ClientCredentials"), true)]
    #[case(Some("RefreshToken"), true)]
    #[case(Some("Password"), false)]
    #[case(Some("Basic"), false)]
    #[case(None, false)]
    fn a_grant_that_the_connector_does_not_take_is_refused_with_those_that_it_takes(
        #[case] kind: Option<&str>,
        #[case] taken: bool,
    ) {
        let builtin = Catalog::builtin().unwrap();
        let mut connector = Connector::clone(&builtin.get("servicenowoauth").unwrap());
        let grants = vec![
            catalog::Grant::RefreshToken,
            catalog::Grant::ClientCredentials,
        ];
        connector.authentication.oauth.as_mut().unwrap().grants = grants;
        connector.authentication.api_key = Some(ApiKeyDefinition {
            place: KeyPlace::Query,
            name: "key".into(),
            prefix: String::new(),
        });
        let spec = serde_json::json!({"secretRef": {"name": "oauth"}, "type": kind});
        let spec = serde_json::from_value(spec).unwrap();
        let error = oauth(&connector, &spec)
            .err()
            .map(|error| error.to_string());
        let words = "spec.authentication.type: connector servicenowoauth does not take this type: \
                     write one of RefreshToken, ClientCredentials, ApiKey";
        assert_eq!(error.as_deref(), (!taken).then_some(words));
    }
}
