//! What a PollerWindow looks like, and what the server's answers to one mean: no client required.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::{Error, Resource as _, api::PostParams, core::Status};

use crate::{
    api::{POLLER_UID_LABEL, PollerResource, PollerWindow, PollerWindowSpec, reasons},
    operator::status::{FIELD_MANAGER, Refusal},
    poll::Segment,
};

/// The poller that owns the objects.
#[derive(Clone, Debug)]
pub(super) struct Owner {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) uid: String,
}

/// What became of an attempt to create an object.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Creation {
    Done,
    /// One of that name is there already.
    Exists,
    Refused(Refusal),
    InDoubt(String),
}

impl Owner {
    /// The name of a segment's object: the poller's uid goes before the digest, so that pollers
    /// with equal segments don't share an object that only one of them owns.
    pub(super) fn object_name(&self, segment: &str) -> String {
        format!("{}-{segment}", self.uid)
    }

    pub(super) fn object(&self, segment: &Segment) -> PollerWindow {
        let name = self.object_name(segment.name().as_str());
        let content = STANDARD.encode(segment.content());
        let mut object = PollerWindow::new(&name, PollerWindowSpec { content });
        object.metadata.namespace = Some(self.namespace.clone());
        object.metadata.owner_references = Some(vec![self.reference()]);
        object.metadata.labels = Some(
            [
                (POLLER_UID_LABEL, self.uid.as_str()),
                ("app.kubernetes.io/managed-by", "pollen"),
            ]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        );
        object
    }

    /// It doesn't block the poller's deletion, which would take a right to the poller's finalizers.
    fn reference(&self) -> OwnerReference {
        OwnerReference {
            api_version: PollerResource::api_version(&()).into_owned(),
            kind: PollerResource::kind(&()).into_owned(),
            name: self.name.clone(),
            uid: self.uid.clone(),
            controller: Some(true),
            block_owner_deletion: None,
        }
    }

    /// What the server's answer to a segment's creation means.
    pub(super) fn stored(&self, segment: &Segment, error: Option<Error>) -> Creation {
        let Some(error) = error else {
            return Creation::Done;
        };
        let Error::Api(status) = &error else {
            return Creation::InDoubt(format!("creating a window of {self}: {error}"));
        };
        if status.is_already_exists() {
            return Creation::Exists;
        }
        if status.code == 404 && !is_gone(status) {
            return Creation::Refused(Refusal {
                reason: reasons::CRD_OUTDATED,
                message: "the cluster has no definition of PollerWindow, which this operator \
                          writes: apply the CRDs of this release"
                    .to_owned(),
            });
        }
        if status.is_forbidden() || status.is_invalid() || status.code == 413 {
            return Creation::Refused(self.refusal(segment, &status.message));
        }
        Creation::InDoubt(format!("creating a window of {self}: {}", status.message))
    }

    /// The name is taken by something else.
    pub(super) fn taken(&self, segment: &Segment) -> Refusal {
        self.refusal(segment, "it holds something else: delete it")
    }

    fn refusal(&self, segment: &Segment, why: &str) -> Refusal {
        let name = self.object_name(segment.name().as_str());
        Refusal {
            reason: reasons::STATUS_REFUSED,
            message: format!(
                "the PollerWindow {}/{name} cannot be stored: {why}",
                self.namespace
            ),
        }
    }
}

impl std::fmt::Display for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// What an object holds; where that is no base64 it is no segment, as its digest will show.
pub(super) fn content(object: &PollerWindow) -> Bytes {
    let text = &object.spec.content;
    let decoded = STANDARD.decode(text);
    decoded.map_or_else(|_| text.clone().into_bytes().into(), Bytes::from)
}

/// Whether the object is missing, and not its whole kind.
pub(super) fn is_gone(status: &Status) -> bool {
    status.is_not_found() && status.reason == "NotFound"
}

pub(super) fn create_params() -> PostParams {
    PostParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PostParams::default()
    }
}
