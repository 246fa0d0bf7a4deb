use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Pod, ServiceAccount};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding};
use kube::api::{Api, PostParams};

use super::{CHART, WITHOUT_CRDS, install, release};
use crate::control_plane::ControlPlane;

async fn arguments(client: &kube::Client, namespace: &str) -> Vec<String> {
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), namespace);
    let deployment = deployments.get("pollen").await.unwrap();
    let mut pod = deployment.spec.unwrap().template.spec.unwrap();
    pod.containers.remove(0).args.unwrap()
}

#[tokio::test]
async fn values_reach_the_operator_as_arguments() {
    let plane = ControlPlane::shared().await;
    let watched = plane.namespace().await;
    let values = format!(
        "logLevel=info\\,pollen::poll=debug,watchNamespaces={{{watched}}},allowAddresses={{fd00::/8:443@crm}},\
         denyAddresses={{203.0.113.0/24}},extraArgs={{--help}}"
    );
    let namespace = install(plane, &["--set", &values]).await;
    assert_eq!(
        arguments(&plane.kube_client().await, &namespace).await,
        [
            "operator",
            &format!("--controller-name={namespace}.pollen"),
            "--lease-name=pollen",
            "--log=info,pollen::poll=debug",
            "--api-writes-per-second=50",
            &format!("--watch-namespace={watched}"),
            "--allow-address=fd00::/8:443@crm",
            "--deny-address=203.0.113.0/24",
            "--help",
        ]
    );
}

#[tokio::test]
async fn an_upgrade_changes_the_arguments_and_an_uninstall_leaves_nothing() {
    let plane = ControlPlane::shared().await;
    let client = plane.kube_client().await;
    let options = [
        "--set",
        "podDisruptionBudget.enabled=true,networkPolicy.enabled=true",
    ];
    let namespace = install(plane, &options).await;
    let name = format!("{namespace}:pollen");
    let (roles, bindings) = (
        Api::<ClusterRole>::all(client.clone()),
        Api::<ClusterRoleBinding>::all(client.clone()),
    );
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), &namespace);
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), &namespace);
    let budgets: Api<PodDisruptionBudget> = Api::namespaced(client.clone(), &namespace);
    let policies: Api<NetworkPolicy> = Api::namespaced(client.clone(), &namespace);
    roles.get(&name).await.unwrap();
    bindings.get(&name).await.unwrap();
    accounts.get("pollen").await.unwrap();
    budgets.get("pollen").await.unwrap();
    policies.get("pollen").await.unwrap();

    let faster = [&WITHOUT_CRDS[..], &["--set", "apiWritesPerSecond=200"]].concat();
    release(plane, "upgrade", &namespace, &faster)
        .await
        .unwrap();
    assert!(
        arguments(&client, &namespace)
            .await
            .contains(&"--api-writes-per-second=200".to_owned())
    );
    assert!(
        budgets.get_opt("pollen").await.unwrap().is_none(),
        "no longer enabled"
    );

    plane
        .helm(&["uninstall", "pollen", "--namespace", &namespace])
        .await
        .unwrap();
    assert!(roles.get_opt(&name).await.unwrap().is_none());
    assert!(bindings.get_opt(&name).await.unwrap().is_none());
    assert!(accounts.get_opt("pollen").await.unwrap().is_none());
    let gone = |deployment: Option<&Deployment>| deployment.is_none();
    kube::runtime::wait::await_condition(deployments, "pollen", gone)
        .await
        .unwrap();
}

#[tokio::test]
async fn two_namespaces_hold_a_release_each() {
    let plane = ControlPlane::shared().await;
    let (one, other) = (install(plane, &[]).await, install(plane, &[]).await);
    let roles: Api<ClusterRole> = Api::all(plane.kube_client().await);
    for namespace in [one, other] {
        roles.get(&format!("{namespace}:pollen")).await.unwrap();
    }
}

#[tokio::test]
async fn the_pods_meet_the_restricted_pod_security_standard() {
    let plane = ControlPlane::shared().await;
    let namespace = install(plane, &[]).await;
    let enforced = "pod-security.kubernetes.io/enforce=restricted";
    plane
        .kubectl(&["label", "namespace", &namespace, enforced])
        .await
        .unwrap();

    let client = plane.kube_client().await;
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), &namespace);
    let template = deployments
        .get("pollen")
        .await
        .unwrap()
        .spec
        .unwrap()
        .template;
    let mut pod = Pod {
        metadata: kube::core::ObjectMeta {
            name: Some("pollen".to_owned()),
            ..template.metadata.unwrap()
        },
        spec: template.spec,
        ..Default::default()
    };
    // No kubelet makes pods here, so one is offered to admission as the Deployment would make it.
    let pods: Api<Pod> = Api::namespaced(client, &namespace);
    let offer = PostParams {
        dry_run: true,
        ..Default::default()
    };
    pods.create(&offer, &pod).await.unwrap();

    pod.spec.as_mut().unwrap().containers[0].security_context = None;
    let error = pods.create(&offer, &pod).await.unwrap_err();
    assert!(
        error.to_string().contains("violates PodSecurity"),
        "the standard is enforced here: {error}"
    );
}

#[tokio::test]
async fn the_chart_accepts_the_oldest_supported_kubernetes_and_refuses_the_one_before() {
    let plane = ControlPlane::shared().await;
    let template = |version| async move {
        plane
            .helm(&["template", CHART, "--kube-version", version])
            .await
    };
    template("1.33.0").await.unwrap();
    let error = template("1.32.9").await.unwrap_err();
    assert!(error.contains("kubeVersion"), "{error}");
}
