//! Explaining, from manifests and what is stored, what becomes of one record.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    assembly::{Assembler, instance_name},
    folder,
    live::{self, Live, LiveStore},
    manifests::{Manifests, Placed},
    memory::Memory,
    problem::{ObjectName, Problem},
    state::{FileCheckpointStore, OnlyRead, StateError, StateFolder, token_store},
};
use crate::{
    api::{AuthenticationType, ConnectorInstance, PollerResource},
    fleet::{self, Answer, Environment, Instance, InstanceSettings, Poller, Version},
    provider::auth::{NoTokens, TokenStore},
};

/// Why the provider is not asked.
const NOT_OURS: &str = "to ask the provider would use up the instance's code or refresh token, which belongs to the process \
                        that polls: state the version with --updated and --version, as the provider shows them";

/// What is to be explained.
pub struct Question {
    /// Manifests, or what `kubectl get -o yaml` prints of the objects.
    pub paths: Vec<PathBuf>,
    /// The state folder; `.pollen` in the first folder of manifests without it.
    pub state: Option<PathBuf>,
    pub namespace: Option<String>,
    pub poller: String,
    pub record: String,
    /// The version asked about; without it, the one that the provider shows now.
    pub version: Option<Version>,
    pub environment: Environment,
}

/// What is to be said of a record.
#[derive(Debug)]
pub struct Explained {
    /// Namespace and name of the poller.
    pub poller: String,
    /// Why the poller does not poll, if it doesn't.
    pub idle: Option<&'static str>,
    /// What a cluster says of the poller, where all is not well.
    pub condition: Option<String>,
    pub answer: Answer,
}

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The manifests of the poller are wrong.
    #[error("the poller cannot be built")]
    Invalid(Vec<Problem>),
    /// The arguments name no poller, or several.
    #[error("{0}")]
    Argument(String),
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Unknown(#[from] fleet::ExplainError),
}

/// Explains what becomes of one record of one poller. Nothing is delivered, and no checkpoint is
/// written.
///
/// # Errors
///
/// The poller cannot be found or built, what is stored of it cannot be read, or the provider cannot
/// be asked.
pub async fn explain(question: &Question) -> Result<Explained, ExplainError> {
    let root = question.state_folder();
    let (manifests, problems) = Manifests::read(&question.paths, Some(&root));
    let (documents, _) = folder::read(&question.paths, Some(&root));
    let (live, unreadable) = live::read(&documents);
    if !unreadable.is_empty() {
        return Err(ExplainError::Invalid(unreadable));
    }
    let poller = question.find(&manifests, problems)?;
    let inquiry = Inquiry {
        question,
        manifests: &manifests,
        live: &live,
        root: &root,
        poller,
    };
    inquiry.answer().await
}

impl Question {
    fn state_folder(&self) -> PathBuf {
        let folder = || self.paths.iter().find(|path| path.is_dir());
        self.state.clone().unwrap_or_else(|| {
            folder().map_or_else(|| PathBuf::from(".pollen"), |folder| folder.join(".pollen"))
        })
    }

    fn find<'a>(
        &self,
        manifests: &'a Manifests,
        problems: Vec<Problem>,
    ) -> Result<&'a Placed<Box<PollerResource>>, ExplainError> {
        let is_meant = |name: &ObjectName| {
            name.name == self.poller
                && self
                    .namespace
                    .as_ref()
                    .is_none_or(|namespace| *namespace == name.namespace)
        };
        let mut found = manifests
            .pollers
            .values()
            .filter(|poller| is_meant(&poller.id.name));
        match (found.next(), found.next()) {
            (Some(poller), None) => Ok(poller),
            (Some(_), Some(_)) => Err(ExplainError::Argument(format!(
                "several namespaces have a PollerResource {:?}: name one with --namespace",
                self.poller
            ))),
            (None, _) if !problems.is_empty() => Err(ExplainError::Invalid(problems)),
            (None, _) => Err(ExplainError::Argument(self.no_poller(manifests))),
        }
    }

    fn no_poller(&self, manifests: &Manifests) -> String {
        let names: Vec<_> = manifests.pollers.keys().map(ToString::to_string).collect();
        format!(
            "no PollerResource {:?} in these files: name one of {}",
            self.poller,
            names.join(", ")
        )
    }
}

/// A question about a poller that was found.
struct Inquiry<'a> {
    question: &'a Question,
    manifests: &'a Manifests,
    live: &'a BTreeMap<ObjectName, Live>,
    root: &'a Path,
    poller: &'a Placed<Box<PollerResource>>,
}

impl Inquiry<'_> {
    async fn answer(&self) -> Result<Explained, ExplainError> {
        let name = &self.poller.id.name;
        let live = self.live.get(name);
        let (state, tokens) = self.tokens()?;
        let memory = self.memory(&state)?;
        let poller = self.build(&memory, tokens).await?;
        let mut stored = match live {
            Some(live) => LiveStore::Shown(live.checkpoint.clone().map(Box::new)),
            None => stored(&state, name, &memory)?,
        };
        let (record, version) = (&self.question.record, self.question.version.as_ref());
        Ok(Explained {
            poller: name.to_string(),
            idle: self.manifests.idle(self.poller),
            condition: live.and_then(|live| live.condition.clone()),
            answer: poller.explain(&mut stored, record, version).await?,
        })
    }

    /// The tokens to ask with, and the state folder: locked where a refresh token of it is used,
    /// which another process would miss.
    fn tokens(&self) -> Result<(StateFolder, Arc<dyn TokenStore>), ExplainError> {
        if self.question.version.is_some() {
            return Ok((StateFolder::look(self.root), Arc::new(NoTokens)));
        }
        let instance = self.instance()?;
        let tokens = token_store(self.root, &instance.id.name);
        if is_repeatable(instance.object.spec.authentication.kind) {
            return Ok((StateFolder::look(self.root), Arc::new(OnlyRead(tokens))));
        }
        if self.live.contains_key(&self.poller.id.name) || !self.root.exists() {
            return Err(ExplainError::Argument(NOT_OURS.to_owned()));
        }
        let state = StateFolder::open(self.root)?;
        Ok((state, Arc::new(tokens)))
    }

    /// What is stored of the pollers: in the cluster, else in the state folder.
    fn memory(&self, state: &StateFolder) -> Result<Memory, ExplainError> {
        let now = self.question.environment.clock.now();
        let (mut memory, unusable) = Memory::recall(self.manifests, state, now);
        for (name, live) in self.live {
            live.recall(name, &mut memory);
        }
        let is_missing = !memory.pollers.contains_key(&self.poller.id.name);
        match unusable.into_iter().next() {
            Some(error) if is_missing => Err(error.into()),
            _ => Ok(memory),
        }
    }

    async fn build(
        &self,
        memory: &Memory,
        tokens: Arc<dyn TokenStore>,
    ) -> Result<Poller, ExplainError> {
        let environment = &self.question.environment;
        let assembler = Assembler {
            manifests: self.manifests,
            memory,
            state: self.root,
            environment,
            secrets_may_be_elsewhere: self.question.version.is_some(),
        };
        let placed = self.instance()?;
        let settings = InstanceSettings {
            tokens,
            ..assembler.instance_settings(placed)
        };
        let instance = Instance::build(settings, environment).await;
        let instance = instance.map_err(|error| invalid(placed.unusable(&error)))?;
        let settings = assembler.poller_settings(self.poller);
        let settings = settings
            .ok_or_else(|| ExplainError::Argument(self.question.no_poller(self.manifests)))?;
        Poller::build(&instance, settings, environment)
            .map_err(|error| invalid(self.poller.unusable(&error)))
    }

    fn instance(&self) -> Result<&Placed<Box<ConnectorInstance>>, ExplainError> {
        let name = instance_name(self.poller);
        let instance = self.manifests.instances.get(&name);
        instance.ok_or_else(|| {
            ExplainError::Argument(format!(
                "no valid ConnectorInstance {name} in these files: add it beside the poller"
            ))
        })
    }
}

fn invalid(problem: Problem) -> ExplainError {
    ExplainError::Invalid(vec![problem])
}

/// Whether asking for an access token leaves the grant as it was.
const fn is_repeatable(kind: Option<AuthenticationType>) -> bool {
    !matches!(
        kind,
        None | Some(AuthenticationType::AuthorizationCode | AuthenticationType::RefreshToken)
    )
}

fn stored(
    state: &StateFolder,
    name: &ObjectName,
    memory: &Memory,
) -> Result<LiveStore, ExplainError> {
    let path = state.checkpoint_path(name);
    match memory.pollers.get(name).cloned() {
        Some(record) if path.exists() => {
            let store =
                FileCheckpointStore::new(path, state.segments(name), record, memory.stored(name))?;
            Ok(LiveStore::InFile(store))
        }
        _ => Ok(LiveStore::Shown(None)),
    }
}
