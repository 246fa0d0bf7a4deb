//! Connector definitions: what Pollen knows of each provider, as data.
