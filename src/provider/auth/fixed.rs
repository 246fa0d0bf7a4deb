//! Credentials that each request carries as they are: an API key, HTTP Basic, a bearer token.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures::{FutureExt as _, future::BoxFuture};
use http::HeaderName;
use reqwest::{Url, header::HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    Attempt, Authorize, Place, Renewals, TokenStore, entries::Entries, lockout::Lockout,
    place::query_encoded,
};
use crate::{
    catalog::{ApiKeyDefinition, KeyPlace},
    category::{Category, ConfigurationError},
    clock::Clock,
    provider::FetchError,
};

/// A credential that no token service stands behind. `Debug` shows none of it.
#[derive(Clone, Debug)]
pub struct FixedCredential {
    /// Marked as sensitive.
    value: HeaderValue,
    /// Where it stands, if not in the connector's header.
    place: Option<Place>,
    /// The key as a query spells it, if it stands there.
    encoded: Option<SecretString>,
    /// What a refusal says.
    advice: String,
    /// Where a refusal may lock a user out.
    lockout: Option<Arc<Lockout>>,
}

impl FixedCredential {
    /// The entry `apiKey` of the Secret, in the place that the connector names.
    ///
    /// # Errors
    ///
    /// The entry is missing or cannot be sent, or the connector names a header that cannot be one.
    pub fn api_key(
        entries: &Entries<'_>,
        definition: &ApiKeyDefinition,
    ) -> Result<Self, ConfigurationError> {
        let key = entries.required("apiKey")?;
        let place = match definition.place {
            KeyPlace::Query => Place::Query(definition.name.clone()),
            KeyPlace::Header => Place::Header(header(&definition.name)?),
        };
        let text = format!("{}{}", definition.prefix, key.expose_secret());
        let encoded =
            matches!(place, Place::Query(_)).then(|| query_encoded(key.expose_secret()).into());
        Ok(Self {
            encoded,
            ..Self::new(entries, "apiKey", text, Some(place))?
        })
    }

    /// HTTP Basic (RFC 7617) with the entries `username` and `password`, sent to `base` alone. `store` outlasts
    /// the process, and the `renewals` are those of the instance.
    ///
    /// # Errors
    ///
    /// An entry is missing, or the user name has a colon.
    pub fn basic(
        entries: &Entries<'_>,
        base: &Url,
        store: Arc<dyn TokenStore>,
        renewals: &Renewals,
        clock: Clock,
    ) -> Result<Self, ConfigurationError> {
        let (username, password) = (entries.required("username")?, entries.required("password")?);
        let username = username.expose_secret();
        if username.contains(':') {
            return Err(entries.wrong("username", &"has a colon, which HTTP Basic does not allow"));
        }
        let pair = STANDARD.encode(format!("{username}:{}", password.expose_secret()));
        let sent = vec![pair.as_str().into()];
        let lockout = Lockout::new(
            store,
            renewals.turn(),
            clock,
            base,
            entries.secret_name(),
            sent,
        );
        Ok(Self {
            lockout: Some(lockout),
            ..Self::new(
                entries,
                "username and password",
                format!("Basic {pair}"),
                None,
            )?
        })
    }

    /// The entry `token` as a bearer token (RFC 6750).
    ///
    /// # Errors
    ///
    /// The entry is missing or cannot be sent.
    pub fn bearer(entries: &Entries<'_>) -> Result<Self, ConfigurationError> {
        let token = entries.required("token")?;
        let text = format!("Bearer {}", token.expose_secret());
        Self::new(entries, "token", text, None)
    }

    fn new(
        entries: &Entries<'_>,
        names: &str,
        text: String,
        place: Option<Place>,
    ) -> Result<Self, ConfigurationError> {
        let value = HeaderValue::try_from(text);
        let unusable = "has a line break or another character that no header carries: copy it anew";
        let mut value = value.map_err(|_| entries.wrong(names, &unusable))?;
        value.set_sensitive(true);
        let advice = format!(
            "the provider refused the credentials: check {names} in Secret {:?}, and that they are still \
             valid at the provider",
            entries.secret_name()
        );
        Ok(Self {
            value,
            place,
            encoded: None,
            advice,
            lockout: None,
        })
    }

    /// Sends a password that was refused sooner, if not at once. False where there is none.
    #[must_use]
    pub fn ask_anew(&self) -> bool {
        self.lockout.as_ref().map(|lockout| lockout.ask()).is_some()
    }

    /// Waits until no password is on trial: what becomes of it is stored then.
    pub async fn rest(&self) {
        if let Some(lockout) = &self.lockout {
            lockout.rest().await;
        }
    }

    /// The credential in the forms in which it is sent, which a provider's text may repeat.
    #[must_use]
    pub fn in_hand(&self) -> Vec<SecretString> {
        let text = self.value.to_str().unwrap_or_default();
        let last_word = text.rsplit(' ').next().map(SecretString::from);
        last_word.into_iter().chain(self.encoded.clone()).collect()
    }
}

impl Authorize for FixedCredential {
    fn authorization(&self) -> BoxFuture<'_, Result<HeaderValue, FetchError>> {
        futures::future::ready(Ok(self.value.clone())).boxed()
    }

    fn refused<'a>(&'a self, used: &'a HeaderValue) -> BoxFuture<'a, Result<(), FetchError>> {
        // What the Secret held when the request left, and holds no more.
        if *used != self.value {
            return futures::future::ready(Ok(())).boxed();
        }
        async {
            let left_alone = match &self.lockout {
                Some(lockout) => lockout.pause().await,
                None => None,
            };
            let refused = || FetchError::new(Category::Authentication, self.advice.clone());
            Err(left_alone.unwrap_or_else(refused))
        }
        .boxed()
    }

    fn attempt(&self) -> BoxFuture<'_, Result<Attempt, FetchError>> {
        async {
            let value = self.value.clone();
            Ok(match &self.lockout {
                Some(lockout) => Attempt::with(value, lockout.begin().await?),
                None => Attempt::new(value),
            })
        }
        .boxed()
    }

    fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }
}

fn header(name: &str) -> Result<HeaderName, ConfigurationError> {
    let wrong =
        |_| ConfigurationError::new("spec.connector", format!("{name:?} is not a header's name"));
    name.parse().map_err(wrong)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::secrets::Secrets;

    fn bearer(token: &str) -> FixedCredential {
        let mut secrets = Secrets::default();
        let entries = BTreeMap::from([("token".to_owned(), token.into())]);
        secrets.insert("key".to_owned(), entries);
        FixedCredential::bearer(&Entries::new(&secrets, "key")).unwrap()
    }

    #[tokio::test]
    async fn a_refusal_of_the_credential_before_says_nothing_of_the_present_one() {
        let present = bearer("new");
        let before = bearer("old").value;
        assert_eq!(present.refused(&before).await, Ok(()));
        let error = present.refused(&present.value).await.unwrap_err();
        assert!(
            error.message.contains("check token in Secret \"key\""),
            "{error}"
        );
    }
}
