//! Connector definitions: what Pollen knows of each provider, as data.

mod model;

use std::{collections::BTreeMap, sync::Arc};

pub use model::{
    ApiKeyDefinition, AssertionDefinition, AuthenticationDefinition, BodyIs, ClientAuthentication,
    Condition, Connector, DateField, Dates, DeletesDefinition, DeletionFlag, DeletionStream,
    ErrorRule, Filter, Grant, Granularity, HeaderIs, KeyPlace, Next, OAuth, Offset, Order,
    PageSizeDefinition, PagingDefinition, Parameter, Reaction, RecordsDefinition,
    RequestDefinition, Resource, SigningAlgorithm, TokenBody, Total, Unaudited,
};

/// The definitions that are compiled in.
const BUILTIN: [&str; 1] = [include_str!("builtin/servicenowoauth.yaml")];

/// All connectors, by key.
#[derive(Clone, Debug)]
pub struct Catalog {
    connectors: BTreeMap<String, Arc<Connector>>,
}

/// A definition that can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("connector definition: {0}")]
pub struct CatalogError(String);

impl Catalog {
    /// The connectors that come with Pollen.
    ///
    /// # Errors
    ///
    /// A definition that is compiled in can't be read, which the tests rule out.
    pub fn builtin() -> Result<Self, CatalogError> {
        BUILTIN.into_iter().map(Connector::read).collect()
    }

    /// The connector that `key` names.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Arc<Connector>> {
        self.connectors.get(key).cloned()
    }

    /// The keys of all connectors, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.connectors.keys().map(String::as_str)
    }
}

/// A catalog of these connectors, each under its key.
impl FromIterator<Connector> for Catalog {
    fn from_iter<I: IntoIterator<Item = Connector>>(connectors: I) -> Self {
        let connectors = connectors.into_iter();
        Self {
            connectors: connectors
                .map(|connector| (connector.key.clone(), Arc::new(connector)))
                .collect(),
        }
    }
}

impl Connector {
    /// Reads a definition.
    ///
    /// # Errors
    ///
    /// The YAML doesn't follow the schema (`src/catalog/schema.json`).
    pub fn read(yaml: &str) -> Result<Self, CatalogError> {
        serde_saphyr::from_str(yaml).map_err(|error| CatalogError(error.to_string()))
    }
}

#[cfg(test)]
mod tests;
