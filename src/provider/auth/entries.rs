//! The entries of the Secret that an instance authenticates with.

use std::fmt::Display;

use secrecy::{ExposeSecret as _, SecretString};

use crate::{category::ConfigurationError, secrets::Secrets};

const FIELD: &str = "spec.authentication.secretRef";

/// The entries of the Secret that `spec.authentication.secretRef` names.
#[derive(Clone, Copy, Debug)]
pub struct Entries<'a> {
    secrets: &'a Secrets,
    name: &'a str,
}

impl<'a> Entries<'a> {
    /// The entries of the Secret called `name`.
    #[must_use]
    pub const fn new(secrets: &'a Secrets, name: &'a str) -> Self {
        Self { secrets, name }
    }

    /// The Secret's name, for messages.
    #[must_use]
    pub const fn secret_name(&self) -> &'a str {
        self.name
    }

    /// Whether the manifests are only checked, and nothing is sent with these.
    #[must_use]
    pub fn is_stand_in(&self) -> bool {
        self.secrets.is_stand_in(self.name)
    }

    /// An entry that must be there, without the line break at the end of a file.
    pub(super) fn required(&self, key: &str) -> Result<SecretString, ConfigurationError> {
        self.secrets.entry(FIELD, self.name, key).map(trimmed)
    }

    /// An entry that may be there.
    pub(super) fn optional(&self, key: &str) -> Result<Option<SecretString>, ConfigurationError> {
        let entry = self.secrets.optional(FIELD, self.name, key)?;
        Ok(entry.map(trimmed))
    }

    /// An entry that is there and cannot be used; `why` reads on behind its name.
    pub(super) fn wrong(&self, key: &str, why: &dyn Display) -> ConfigurationError {
        ConfigurationError::new(
            FIELD,
            format!("entry {key:?} of Secret {:?} {why}", self.name),
        )
    }
}

/// A Secret made from a file ends with the file's last line break.
fn trimmed(secret: &SecretString) -> SecretString {
    secret.expose_secret().trim_end_matches(['\r', '\n']).into()
}
