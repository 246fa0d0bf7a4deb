//! Whom a connection believes, and how it shows itself: `spec.tls`, `spec.events.callback.tls`
//! and `spec.events.callback.deadLetter.tls`.

#![expect(
    unreachable_pub,
    reason = "KubeSchema repeats the struct inside a function"
)]

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::SecretRef;

/// The certificates of a connection. The entries of the Secrets are those that cert-manager writes; both
/// fields may name the same Secret.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = (
    "has(self.caRef) || has(self.secretRef)",
    "needs caRef, whom to believe, or secretRef, the certificate to show: write one, or leave tls out"
))]
pub struct Tls {
    /// The Secret, in the instance's namespace, whose `ca.crt` holds the authorities (PEM) by which the
    /// host's certificate must be signed: these alone, in place of the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_ref: Option<SecretRef>,
    /// The Secret, in the instance's namespace, whose `tls.crt` and `tls.key` (PEM) Pollen shows to a host
    /// that asks for a certificate (mutual TLS).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretRef>,
}
