//! A release of the chart, and the operator as its Deployment would run it.

use std::path::PathBuf;

use k8s_openapi::api::{apps::v1::Deployment, core::v1::Container};
use kube::api::Api;

use super::process::{Operator, spawn};
use crate::{
    chart::{WITHOUT_CRDS, release},
    control_plane::ControlPlane,
};

/// Providers and callbacks of these tests listen on loopback; a short Lease keeps handovers short.
const VALUES: [&str; 2] = [
    "--set",
    "allowAddresses={127.0.0.0/8},extraArgs={--lease-seconds=6}",
];

/// An installed release.
pub(super) struct Release<'a> {
    plane: &'a ControlPlane,
    pub(super) namespace: String,
    kubeconfig: PathBuf,
}

impl<'a> Release<'a> {
    /// Installs the chart into `namespace`; the operator serves `watched` alone, so that the operators
    /// of different tests do not meet.
    pub(super) async fn install(plane: &'a ControlPlane, namespace: &str, watched: &str) -> Self {
        let watched = format!("watchNamespaces={{{watched}}}");
        Self::install_with(plane, namespace, &["--set", &watched]).await
    }

    pub(super) async fn install_with(
        plane: &'a ControlPlane,
        namespace: &str,
        options: &[&str],
    ) -> Self {
        let options = [&WITHOUT_CRDS[..], &VALUES, options].concat();
        release(plane, "install", namespace, &options)
            .await
            .unwrap();
        let kubeconfig = plane.service_account_kubeconfig(namespace, "pollen").await;
        Self {
            plane,
            namespace: namespace.to_owned(),
            kubeconfig,
        }
    }

    /// Upgrades the release and keeps the values that it has.
    pub(super) async fn upgrade(&self, options: &[&str]) {
        let options = [&["--reuse-values"], options].concat();
        release(self.plane, "upgrade", &self.namespace, &options)
            .await
            .unwrap();
    }

    /// Starts the operator with the Deployment's arguments and the service account's rights, as the
    /// pod called `pod`.
    pub(super) async fn start(&self, pod: &str) -> Operator {
        self.start_with(pod, &[]).await
    }

    /// Like [`start`](Self::start), with further arguments.
    pub(super) async fn start_with(&self, pod: &str, more: &[&str]) -> Operator {
        let container = self.container().await;
        let mut environment = vec![
            (
                "KUBECONFIG".to_owned(),
                self.kubeconfig.display().to_string(),
            ),
            // The chart's port is one for all pods; here they share the machine.
            ("POLLEN_HTTP_ADDRESS".to_owned(), "127.0.0.1:0".to_owned()),
        ];
        for variable in container.env.unwrap_or_default() {
            let field = variable.value_from.and_then(|from| from.field_ref).unwrap();
            let value = match field.field_path.as_str() {
                "metadata.name" => pod,
                "metadata.namespace" => &self.namespace,
                other => panic!("a pod's {other} is not known here"),
            };
            environment.push((variable.name, value.to_owned()));
        }
        let mut arguments = container.args.unwrap_or_default();
        arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
        spawn(arguments, environment).await
    }

    async fn container(&self) -> Container {
        let client = self.plane.kube_client().await;
        let deployments: Api<Deployment> = Api::namespaced(client, &self.namespace);
        let deployment = deployments.get("pollen").await.unwrap();
        let mut pod = deployment.spec.unwrap().template.spec.unwrap();
        pod.containers.remove(0)
    }

    /// The operator's user, as the audit log names it.
    pub(super) fn user(&self) -> String {
        format!("system:serviceaccount:{}:pollen", self.namespace)
    }
}
