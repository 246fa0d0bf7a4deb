//! The Secrets that an instance names, as its rim read them.

use std::collections::{BTreeMap, BTreeSet};

use secrecy::SecretString;

use crate::category::{ConfigurationError, Subject};

/// The entries of Secrets, by the Secret's name and the entry's key. `Debug` shows no value.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    entries: BTreeMap<String, BTreeMap<String, SecretString>>,
    /// Those whose values only stand in for others.
    stand_ins: BTreeSet<String>,
    /// Entries that are there and are no text, by the Secret's name and theirs.
    binary: BTreeSet<(String, String)>,
}

impl Secrets {
    /// Adds the Secret called `name`.
    pub fn insert(&mut self, name: String, entries: BTreeMap<String, SecretString>) {
        self.entries.insert(name, entries);
    }

    /// Adds the Secret called `name`, which is elsewhere, with values of any kind in the place of its
    /// own.
    pub fn insert_stand_in(&mut self, name: String, entries: BTreeMap<String, SecretString>) {
        self.stand_ins.insert(name.clone());
        self.insert(name, entries);
    }

    /// Notes that the Secret called `name` has an entry `key` that is no text.
    pub fn note_binary(&mut self, name: &str, key: String) {
        self.binary.insert((name.to_owned(), key));
    }

    /// Whether the values of the Secret `name` only stand in for others: nothing is sent with them.
    #[must_use]
    pub fn is_stand_in(&self, name: &str) -> bool {
        self.stand_ins.contains(name)
    }

    /// The entry `key` of the Secret `name`, which the spec names at `field`.
    ///
    /// # Errors
    ///
    /// The Secret or the entry is missing, or the entry is empty or no text.
    pub fn entry(
        &self,
        field: &str,
        name: &str,
        key: &str,
    ) -> Result<&SecretString, ConfigurationError> {
        self.optional(field, name, key)?.ok_or_else(|| {
            ConfigurationError::new(
                field,
                format!("Secret {name:?} has no entry {key:?}: add it to the Secret"),
            )
            .about(Subject::Secret)
        })
    }

    /// Like [`entry`](Self::entry), but `None` where the Secret has no such entry.
    ///
    /// # Errors
    ///
    /// The Secret itself is missing, or the entry is no text.
    pub fn optional(
        &self,
        field: &str,
        name: &str,
        key: &str,
    ) -> Result<Option<&SecretString>, ConfigurationError> {
        use secrecy::ExposeSecret as _;
        let entries = self.entries.get(name).ok_or_else(|| {
            ConfigurationError::new(
                field,
                format!(
                    "Secret {name:?} does not exist in the instance's namespace: create it there"
                ),
            )
            .about(Subject::Secret)
        })?;
        if self.binary.contains(&(name.to_owned(), key.to_owned())) {
            let message = format!(
                "entry {key:?} of Secret {name:?} is no text: write a key or a certificate as PEM, and \
                 anything else in UTF-8"
            );
            return Err(ConfigurationError::new(field, message).about(Subject::Secret));
        }
        Ok(entries
            .get(key)
            .filter(|value| !value.expose_secret().trim().is_empty()))
    }

    /// Every value, for what must be kept out of a text.
    #[must_use]
    pub fn values(&self) -> Vec<SecretString> {
        self.entries
            .values()
            .flat_map(BTreeMap::values)
            .cloned()
            .collect()
    }
}
