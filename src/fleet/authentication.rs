//! How an instance authenticates, as far as its connector lets it.

use std::{sync::Arc, time::Duration};

use reqwest::Url;

use super::InstanceSettings;
use crate::{
    api::{Authentication, AuthenticationType},
    catalog::{self, ClientAuthentication, Connector, OAuth},
    category::ConfigurationError,
    clock::Clock,
    network::GuardedClient,
    provider::{
        address,
        auth::{
            Authenticator, AuthenticatorSettings, ClientCredentials, CredentialsIn, Grant,
            Lifetimes,
        },
    },
};

/// What obtains the tokens of an instance.
pub(super) fn authenticator(
    settings: &InstanceSettings,
    connector: &Connector,
    base: &Url,
    client: GuardedClient,
    clock: Clock,
) -> Result<Authenticator, ConfigurationError> {
    let authentication = &settings.spec.authentication;
    let oauth = oauth(connector, authentication)?;
    let grant = Grant::new(authentication, &settings.secrets)?;
    Ok(Authenticator::new(AuthenticatorSettings {
        client,
        token_url: address(base, &oauth.token_url),
        token_body: oauth.token_body,
        grant: grant.ok_or_else(|| unsupported(connector))?,
        scopes: oauth.scopes.clone(),
        credentials: ClientCredentials::new(authentication, &settings.secrets, sent_in(oauth))?,
        store: Arc::clone(&settings.tokens),
        clock,
        lifetimes: Lifetimes {
            access: Some(Duration::from_secs(oauth.access_token_seconds)),
            refresh: oauth.refresh_token_seconds.map(Duration::from_secs),
        },
    }))
}

/// The connector's OAuth, where it takes the grant that the instance names.
fn oauth<'c>(
    connector: &'c Connector,
    authentication: &Authentication,
) -> Result<&'c OAuth, ConfigurationError> {
    let asked = grant(
        authentication
            .kind
            .unwrap_or(AuthenticationType::AuthorizationCode),
    );
    let oauth = connector.authentication.oauth.as_ref();
    oauth
        .filter(|oauth| asked.is_some_and(|asked| oauth.grants.contains(&asked)))
        .ok_or_else(|| unsupported(connector))
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
    let oauth = connector.authentication.oauth.iter();
    let grants: Vec<_> = oauth
        .flat_map(|oauth| &oauth.grants)
        .map(|grant| format!("{grant:?}"))
        .collect();
    let message = format!(
        "connector {} does not take this type: write one of {}",
        connector.key,
        grants.join(", ")
    );
    ConfigurationError::new("spec.authentication.type", message)
}

const fn sent_in(oauth: &OAuth) -> CredentialsIn {
    match oauth.client_authentication {
        ClientAuthentication::Body => CredentialsIn::Body,
        ClientAuthentication::Basic => CredentialsIn::Header,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::catalog::Catalog;

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
        let spec = serde_json::json!({"secretRef": {"name": "oauth"}, "type": kind});
        let spec = serde_json::from_value(spec).unwrap();
        let error = oauth(&connector, &spec)
            .err()
            .map(|error| error.to_string());
        let words = "spec.authentication.type: connector servicenowoauth does not take this type: \
                     write one of RefreshToken, ClientCredentials";
        assert_eq!(error.as_deref(), (!taken).then_some(words));
    }
}
