//! Who may do what once the chart is installed, asked of the API server's own authorizer.

use std::time::Duration;

use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec,
};
use kube::api::{Api, PostParams};

use super::{WITHOUT_CRDS, install, render};
use crate::control_plane::ControlPlane;

/// Asks what `kubectl auth can-i` asks. `resource` is `GROUP/PLURAL[/SUBRESOURCE]`, the core group empty.
async fn can(
    client: &kube::Client,
    user: &str,
    verb: &str,
    resource: &str,
    namespace: &str,
) -> bool {
    let mut parts = resource.splitn(3, '/').map(str::to_owned);
    let attributes = ResourceAttributes {
        verb: Some(verb.to_owned()),
        group: parts.next(),
        resource: parts.next(),
        subresource: parts.next(),
        namespace: Some(namespace.to_owned()),
        ..Default::default()
    };
    let spec = SubjectAccessReviewSpec {
        user: Some(user.to_owned()),
        resource_attributes: Some(attributes),
        ..Default::default()
    };
    let review = SubjectAccessReview {
        spec,
        ..Default::default()
    };
    let reviews: Api<SubjectAccessReview> = Api::all(client.clone());
    reviews
        .create(&PostParams::default(), &review)
        .await
        .unwrap()
        .status
        .unwrap()
        .allowed
}

/// Compares a table of `verbs, resource` with what the user may do in a namespace, row by row.
async fn expect(
    client: &kube::Client,
    user: &str,
    namespace: &str,
    allowed: bool,
    table: &[(&str, &str)],
) {
    for (verbs, resource) in table {
        for verb in verbs.split_whitespace() {
            let found = can(client, user, verb, resource, namespace).await;
            assert_eq!(found, allowed, "{user} in {namespace}: {verb} {resource}");
        }
    }
}

const WRITE: &str = "create update patch delete deletecollection";

const WORKLOAD: [(&str, &str); 7] = [
    ("get list watch", "pollen.dev/connectorinstances"),
    ("get list watch", "pollen.dev/pollerresources"),
    ("update", "pollen.dev/connectorinstances/status"),
    ("update", "pollen.dev/pollerresources/status"),
    ("get list create delete", "pollen.dev/pollerwindows"),
    ("get list watch", "/secrets"),
    ("create patch", "events.k8s.io/events"),
];

/// Whether another release lives is read off its Lease.
const LEASES_OF_OTHERS: (&str, &str) = ("get", "coordination.k8s.io/leases");

/// What would make an operator more than a reader of its users' namespaces.
const NOT_ANYWHERE_ELSE: [(&str, &str); 9] = [
    (WRITE, "/secrets"),
    (WRITE, "pollen.dev/connectorinstances"),
    (WRITE, "pollen.dev/pollerresources"),
    ("update patch deletecollection", "pollen.dev/pollerwindows"),
    (WRITE, "/configmaps"),
    (WRITE, "/pods"),
    (WRITE, "rbac.authorization.k8s.io/rolebindings"),
    (WRITE, "coordination.k8s.io/leases"),
    ("impersonate", "/serviceaccounts"),
];

#[tokio::test]
async fn the_operator_reads_everywhere_and_writes_secrets_in_its_own_namespace_alone() {
    let plane = ControlPlane::shared().await;
    let client = plane.kube_client().await;
    let (own, users) = (install(plane, &[]).await, plane.namespace().await);
    let operator = format!("system:serviceaccount:{own}:pollen");

    expect(&client, &operator, &users, true, &WORKLOAD).await;
    expect(&client, &operator, &users, true, &[LEASES_OF_OTHERS]).await;
    expect(&client, &operator, &users, false, &NOT_ANYWHERE_ELSE).await;

    let in_its_own = [
        ("get list create update delete", "/secrets"),
        ("get create update", "coordination.k8s.io/leases"),
    ];
    expect(&client, &operator, &own, true, &in_its_own).await;
    let not_even_there = [
        ("patch deletecollection", "/secrets"),
        (
            "patch delete deletecollection",
            "coordination.k8s.io/leases",
        ),
        (WRITE, "pollen.dev/connectorinstances"),
        (WRITE, "/configmaps"),
        (WRITE, "apps/deployments"),
    ];
    expect(&client, &operator, &own, false, &not_even_there).await;
}

#[tokio::test]
async fn the_token_of_the_operator_is_held_to_its_rights() {
    let plane = ControlPlane::shared().await;
    let (own, users) = (install(plane, &[]).await, plane.namespace().await);
    let kubeconfig = plane.service_account_kubeconfig(&own, "pollen").await;
    let create = |namespace: String| {
        let kubeconfig = kubeconfig.to_str().unwrap().to_owned();
        async move {
            let options = [
                "create",
                "secret",
                "generic",
                "token",
                "-n",
                &namespace,
                "--kubeconfig",
                &kubeconfig,
            ];
            plane.kubectl(&options).await
        }
    };
    create(own).await.unwrap();
    let error = create(users).await.unwrap_err();
    assert!(
        error.contains("cannot create resource \"secrets\""),
        "{error}"
    );
}

#[tokio::test]
async fn watched_namespaces_are_all_that_the_operator_sees() {
    let plane = ControlPlane::shared().await;
    let client = plane.kube_client().await;
    let (watched, other) = (plane.namespace().await, plane.namespace().await);
    let own = install(plane, &["--set", &format!("watchNamespaces={{{watched}}}")]).await;
    let operator = format!("system:serviceaccount:{own}:pollen");

    expect(&client, &operator, &watched, true, &WORKLOAD).await;
    expect(&client, &operator, &watched, false, &NOT_ANYWHERE_ELSE).await;
    expect(&client, &operator, &other, false, &WORKLOAD).await;
    expect(&client, &operator, &watched, true, &[LEASES_OF_OTHERS]).await;
    expect(&client, &operator, &other, false, &[LEASES_OF_OTHERS]).await;
    expect(&client, &operator, &other, false, &NOT_ANYWHERE_ELSE).await;
    expect(
        &client,
        &operator,
        &own,
        true,
        &[("get list create update delete", "/secrets")],
    )
    .await;
}

#[tokio::test]
async fn a_namespaced_release_has_no_cluster_scoped_object() {
    let options = [
        &WITHOUT_CRDS[..],
        &["--set", "watchNamespaces={helpdesk},rbac.aggregate=false"],
    ]
    .concat();
    let objects = render(ControlPlane::shared().await, &options).await;
    assert!(!objects.is_empty());
    for object in &objects {
        assert!(
            object["metadata"]["namespace"].is_string(),
            "{}",
            object["kind"]
        );
    }
}

const READ: [(&str, &str); 3] = [
    ("get list watch", "pollen.dev/connectorinstances"),
    ("get list watch", "pollen.dev/pollerresources"),
    ("get list watch", "pollen.dev/pollerwindows"),
];
const CHANGE: [(&str, &str); 3] = [
    (WRITE, "pollen.dev/connectorinstances"),
    (WRITE, "pollen.dev/pollerresources"),
    (WRITE, "pollen.dev/pollerwindows"),
];
const STATUS: [(&str, &str); 2] = [
    ("update patch", "pollen.dev/connectorinstances/status"),
    ("update patch", "pollen.dev/pollerresources/status"),
];

#[tokio::test]
async fn users_edit_and_view_by_the_clusters_own_roles_and_none_writes_a_status() {
    let plane = ControlPlane::shared().await;
    let client = plane.kube_client().await;
    install(plane, &[]).await;
    let namespace = plane.namespace().await;
    let user = |role: &str| format!("{role}@{namespace}");
    for role in ["view", "edit", "admin"] {
        let (granted, to) = (
            format!("--clusterrole={role}"),
            format!("--user={}", user(role)),
        );
        plane
            .kubectl(&[
                "create",
                "rolebinding",
                role,
                &granted,
                &to,
                "-n",
                &namespace,
            ])
            .await
            .unwrap();
    }
    aggregated(&client, &user("admin"), &namespace).await;
    aggregated(&client, &user("edit"), &namespace).await;

    for (role, changes) in [("view", false), ("edit", true), ("admin", true)] {
        expect(&client, &user(role), &namespace, true, &READ).await;
        expect(&client, &user(role), &namespace, changes, &CHANGE).await;
        expect(&client, &user(role), &namespace, false, &STATUS).await;
    }
}

/// Waits until the controller manager has copied the chart's rules into the cluster's role.
async fn aggregated(client: &kube::Client, user: &str, namespace: &str) {
    let copied = async {
        while !can(
            client,
            user,
            "create",
            "pollen.dev/pollerresources",
            namespace,
        )
        .await
        {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), copied)
        .await
        .expect("aggregation within 30 s");
}
