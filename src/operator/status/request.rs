//! The two requests that a status needs. kube's `replace_status` cannot ask for strict field
//! validation, without which a server with an older CRD cuts unknown fields silently.

use std::time::Duration;

use http::{Method, Request, header::CONTENT_TYPE};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{Client, Error};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Reported;
use crate::api::reasons::{self, Reason};

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The field manager that our writes show.
pub(in crate::operator) const FIELD_MANAGER: &str = "pollen";

/// The server refused a write for good, until something in the cluster is mended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::operator) struct Refusal {
    /// The reason a condition shows.
    pub(in crate::operator) reason: Reason,
    pub(in crate::operator) message: String,
}

/// An object as far as its status is concerned.
#[derive(Debug, Deserialize)]
pub(super) struct Found {
    pub(super) metadata: ObjectMeta,
    #[serde(default)]
    pub(super) status: Option<Value>,
}

/// A write that the server did not confirm.
pub(super) enum Failed {
    Refused(Refusal),
    /// A conflict, a lost answer, an unreachable server: what is stored must be looked at.
    InDoubt(String),
}

/// One object of kind `K`.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) uid: String,
}

impl Target {
    fn path<K: Reported>(&self) -> String {
        format!("{}/{}", K::url_path(&(), Some(&self.namespace)), self.name)
    }

    /// The object as it is stored; `None` where it is gone.
    pub(super) async fn get<K: Reported>(&self, client: &Client) -> Result<Option<Found>, String> {
        let request = Request::get(self.path::<K>())
            .body(Vec::new())
            .map_err(|error| error.to_string())?;
        match tokio::time::timeout(TIMEOUT, client.request::<Found>(request)).await {
            Ok(Ok(found)) => Ok(Some(found)),
            Ok(Err(Error::Api(status))) if status.is_not_found() => Ok(None),
            Ok(Err(error)) => Err(format!("reading {self}: {error}")),
            Err(_) => Err(format!(
                "reading {self}: no answer within {} s",
                TIMEOUT.as_secs()
            )),
        }
    }

    /// Replaces the status if the object still has `version`; returns the new resourceVersion.
    pub(super) async fn put<K: Reported>(
        &self,
        client: &Client,
        version: &str,
        status: &impl Serialize,
    ) -> Result<String, Failed> {
        let body = json!({
            "apiVersion": K::api_version(&()),
            "kind": K::kind(&()),
            "metadata": {"namespace": self.namespace, "name": self.name, "uid": self.uid, "resourceVersion": version},
            "status": status,
        });
        let uri = format!(
            "{}/status?fieldValidation=Strict&fieldManager={FIELD_MANAGER}",
            self.path::<K>()
        );
        let request = Request::builder()
            .method(Method::PUT)
            .uri(uri)
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_string().into_bytes())
            .map_err(|error| Failed::InDoubt(error.to_string()))?;
        match tokio::time::timeout(TIMEOUT, client.request::<Found>(request)).await {
            Ok(Ok(found)) => Ok(found.metadata.resource_version.unwrap_or_default()),
            Ok(Err(error)) => Err(self.classify::<K>(&error)),
            Err(_) => Err(Failed::InDoubt(format!(
                "writing {self}: no answer within {} s",
                TIMEOUT.as_secs()
            ))),
        }
    }

    fn classify<K: Reported>(&self, error: &Error) -> Failed {
        let Error::Api(status) = error else {
            return Failed::InDoubt(format!("writing {self}: {error}"));
        };
        let outdated = status.code == 400 && status.message.contains("strict decoding error");
        if outdated {
            return Failed::Refused(Refusal {
                reason: reasons::CRD_OUTDATED,
                message: format!(
                    "the cluster's definition of {} is older than this operator and lacks fields that it writes: \
                     apply the CRDs of this release",
                    K::kind(&())
                ),
            });
        }
        if status.is_invalid() || status.code == 413 {
            return Failed::Refused(Refusal {
                reason: reasons::STATUS_REFUSED,
                message: format!(
                    "the API server refuses the status of {self}: {}",
                    status.message
                ),
            });
        }
        Failed::InDoubt(format!("writing {self}: {}", status.message))
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the status of {}/{}", self.namespace, self.name)
    }
}
