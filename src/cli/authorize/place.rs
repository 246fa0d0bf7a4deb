//! Where the instance is, and where its token goes.

use std::path::Path;

use super::{Authorize, Ended, patience::patiently};
use crate::{
    category::ConfigurationError,
    fleet::{Authorization, Authorized, Environment, InstanceSettings},
    local::{self, AuthorizeError, Wanted},
    operator,
};

/// A cluster or a folder, opened.
pub(super) enum Place {
    Cluster(Box<operator::Authorizing>),
    Folder(Box<local::Authorizing>),
}

/// Where a token was put, and who takes it from there.
pub(super) struct Stored {
    pub(super) place: String,
    pub(super) next: String,
}

impl Place {
    /// What exists as a path is manifests; anything else names an instance of the cluster.
    pub(super) async fn open(asked: &Authorize, environment: &Environment) -> Result<Self, Ended> {
        if Path::new(&asked.target).exists() {
            return folder(asked, environment).map(|folder| Self::Folder(Box::new(folder)));
        }
        let (namespace, name) = named(&asked.target)?;
        let opened = operator::Authorizing::open(namespace, name, asked.context.clone()).await;
        opened
            .map(|cluster| Self::Cluster(Box::new(cluster)))
            .map_err(Ended::failed)
    }

    pub(super) fn settings(&self) -> &InstanceSettings {
        match self {
            Self::Cluster(cluster) => cluster.settings(),
            Self::Folder(folder) => folder.settings(),
        }
    }

    /// Puts the token where Pollen finds it, if it still serves the instance; there is no other.
    pub(super) async fn keep(
        &self,
        authorization: &Authorization,
        authorized: Authorized,
        environment: &Environment,
    ) -> Result<Stored, Ended> {
        let now = self.read_again(environment).await?;
        let present = authorization.for_the_present(authorized, &now, environment);
        let authorized = present.await.map_err(|error| useless(&now, &error))?;
        let InstanceSettings {
            namespace, name, ..
        } = &now;
        match self {
            Self::Cluster(cluster) => Ok(Stored {
                place: patiently(
                    async || cluster.keep(&authorized, &now).await,
                    operator::AuthorizeError::may_pass,
                )
                .await
                .map_err(Ended::failed)?,
                next: format!(
                    "the operator takes it within seconds: kubectl get cinst {name} -n {namespace}\nwhere that \
                     Secret is written from elsewhere (GitOps, External Secrets), put the token there too, or it \
                     is overwritten"
                ),
            }),
            Self::Folder(folder) => Ok(Stored {
                place: patiently(
                    async || folder.keep(&authorized).await,
                    AuthorizeError::may_pass,
                )
                .await
                .map_err(ended)?
                .display()
                .to_string(),
                next: "start it with pollen local, as before".to_owned(),
            }),
        }
    }

    /// What the instance is made from by now.
    async fn read_again(&self, environment: &Environment) -> Result<InstanceSettings, Ended> {
        match self {
            Self::Cluster(cluster) => patiently(
                async || cluster.read_again().await,
                operator::AuthorizeError::may_pass,
            )
            .await
            .map_err(Ended::failed),
            Self::Folder(folder) => folder.read_again(environment).map_err(ended),
        }
    }
}

/// What was issued serves nobody: there is nothing to store.
fn useless(now: &InstanceSettings, error: &ConfigurationError) -> Ended {
    let InstanceSettings {
        namespace, name, ..
    } = now;
    Ended::failed(format!(
        "ConnectorInstance {namespace}/{name}: {error}: nothing is stored; run pollen authorize again"
    ))
}

fn folder(asked: &Authorize, environment: &Environment) -> Result<local::Authorizing, Ended> {
    let wanted = Wanted {
        path: asked.target.clone().into(),
        state: asked.state.clone(),
        instance: asked.instance.clone(),
    };
    local::Authorizing::open(&wanted, environment).map_err(ended)
}

fn ended(error: AuthorizeError) -> Ended {
    match error {
        AuthorizeError::Invalid(problems) => Ended {
            texts: problems.iter().map(ToString::to_string).collect(),
            ..Ended::invalid("")
        },
        AuthorizeError::Argument(_) => Ended::invalid(error),
        AuthorizeError::State(_) | AuthorizeError::Unstored(_) => Ended::failed(error),
    }
}

fn named(target: &str) -> Result<(&str, &str), Ended> {
    let named = target.split_once('/').filter(|(namespace, name)| {
        !namespace.is_empty() && !name.is_empty() && !name.contains('/')
    });
    named.ok_or_else(|| {
        Ended::invalid(format!(
            "{target}: there is no such path, and it is no NAMESPACE/INSTANCE: name a folder of manifests, or an \
             instance as helpdesk/servicenow-prod"
        ))
    })
}
