//! Authorizing an instance of a folder: its refresh token goes into the state folder.

use std::path::PathBuf;

use super::{
    assembly::Assembler,
    manifests::{Manifests, Placed},
    memory::Memory,
    problem::{ObjectName, Problem},
    state::{FileTokenStore, StateError, StateFolder, token_store},
};
use crate::{
    api::ConnectorInstance,
    fleet::{Authorized, Environment, InstanceSettings},
    provider::auth::{StoredToken, TokenStore as _, TokenStoreError},
};

/// Which instance is to be authorized.
#[derive(Clone)]
pub struct Wanted {
    /// The manifests.
    pub path: PathBuf,
    /// The state folder; `.pollen` in the folder of manifests without it.
    pub state: Option<PathBuf>,
    /// NAME or NAMESPACE/NAME; not needed where there is one instance.
    pub instance: Option<String>,
}

/// Why an instance cannot be authorized.
#[derive(Debug, thiserror::Error)]
pub enum AuthorizeError {
    #[error("the manifests are wrong")]
    Invalid(Vec<Problem>),
    #[error("{0}")]
    Argument(String),
    #[error(transparent)]
    State(#[from] StateError),
    #[error("the refresh token cannot be stored: {0}")]
    Unstored(#[from] TokenStoreError),
}

impl AuthorizeError {
    /// Whether another attempt may find it gone.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Unstored(_))
    }
}

/// An instance of a folder, whose state is locked as long as this lives.
pub struct Authorizing {
    wanted: Wanted,
    settings: InstanceSettings,
    tokens: FileTokenStore,
    _state: StateFolder,
}

impl Authorizing {
    /// Finds the instance and locks the state folder.
    ///
    /// # Errors
    ///
    /// There is no such instance, it is wrong, or another process has the state folder.
    pub fn open(wanted: &Wanted, environment: &Environment) -> Result<Self, AuthorizeError> {
        let settings = wanted.settings(environment)?;
        let root = wanted.state_folder();
        let state = StateFolder::open(&root)?;
        let name = ObjectName {
            namespace: settings.namespace.clone(),
            name: settings.name.clone(),
        };
        Ok(Self {
            wanted: wanted.clone(),
            tokens: token_store(&root, &name),
            settings,
            _state: state,
        })
    }

    /// What the instance is made from by now.
    ///
    /// # Errors
    ///
    /// It is gone, or wrong.
    pub fn read_again(
        &self,
        environment: &Environment,
    ) -> Result<InstanceSettings, AuthorizeError> {
        self.wanted.settings(environment)
    }

    /// What the instance is made from.
    #[must_use]
    pub const fn settings(&self) -> &InstanceSettings {
        &self.settings
    }

    /// Stores the refresh token, and returns where it stands.
    ///
    /// # Errors
    ///
    /// The file system refuses.
    pub async fn keep(&self, authorized: &Authorized) -> Result<PathBuf, AuthorizeError> {
        let token = StoredToken {
            refresh_token: Some(authorized.refresh_token.clone()),
            grown_from: authorized.grown_from.clone(),
            issued_at: authorized.issued_at,
            expires_at: authorized.expires_at,
            earlier: None,
        };
        self.tokens.store(token).await?;
        Ok(self.tokens.path().to_owned())
    }
}

impl Wanted {
    fn state_folder(&self) -> PathBuf {
        let beside = || {
            let folder = if self.path.is_dir() {
                Some(self.path.as_path())
            } else {
                self.path.parent()
            };
            folder.unwrap_or(&self.path).join(".pollen")
        };
        self.state.clone().unwrap_or_else(beside)
    }

    /// What the instance is made from.
    fn settings(&self, environment: &Environment) -> Result<InstanceSettings, AuthorizeError> {
        let root = self.state_folder();
        let (manifests, problems) = Manifests::read(std::slice::from_ref(&self.path), Some(&root));
        let instance = self.find(&manifests, problems)?;
        let memory = Memory::blank(&manifests, environment.clock.now());
        let assembler = Assembler {
            manifests: &manifests,
            memory: &memory,
            state: &root,
            environment,
            secrets_may_be_elsewhere: false,
        };
        Ok(assembler.instance_settings(instance))
    }

    fn find<'m>(
        &self,
        manifests: &'m Manifests,
        problems: Vec<Problem>,
    ) -> Result<&'m Placed<Box<ConnectorInstance>>, AuthorizeError> {
        let mut found = manifests
            .instances
            .values()
            .filter(|placed| self.is_meant(&placed.id.name));
        match (found.next(), found.next()) {
            (Some(instance), None) => Ok(instance),
            (None, _) if !problems.is_empty() => Err(AuthorizeError::Invalid(problems)),
            (None, _) => {
                Err(self.argument("no such ConnectorInstance in these manifests", manifests))
            }
            (Some(_), Some(_)) => Err(self.argument("several ConnectorInstances", manifests)),
        }
    }

    fn is_meant(&self, name: &ObjectName) -> bool {
        let asked = self.instance.as_deref();
        asked.is_none_or(|asked| asked == name.name || asked == name.to_string())
    }

    fn argument(&self, what: &str, manifests: &Manifests) -> AuthorizeError {
        let names: Vec<_> = manifests
            .instances
            .keys()
            .map(ToString::to_string)
            .collect();
        let path = self.path.display();
        AuthorizeError::Argument(if names.is_empty() {
            format!("{path}: no ConnectorInstance here: name the folder that has it")
        } else {
            format!(
                "{path}: {what}: name one of {} with --instance",
                names.join(", ")
            )
        })
    }
}
