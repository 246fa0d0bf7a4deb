use super::{ControlPlane, client};

#[tokio::test]
async fn the_requests_of_a_service_account_are_told_from_everyone_elses() {
    let plane = ControlPlane::shared().await;
    let namespace = plane.namespace().await;
    plane
        .kubectl(&["create", "serviceaccount", "writer", "-n", &namespace])
        .await
        .unwrap();
    let account = format!("--serviceaccount={namespace}:writer");
    plane
        .kubectl(&[
            "create",
            "rolebinding",
            "writer",
            "--clusterrole=edit",
            &account,
            "-n",
            &namespace,
        ])
        .await
        .unwrap();

    let kubeconfig = plane.service_account_kubeconfig(&namespace, "writer").await;
    let config_maps = kube::Api::namespaced(client(&kubeconfig).await, &namespace);
    let map = k8s_openapi::api::core::v1::ConfigMap {
        metadata: kube::core::ObjectMeta {
            name: Some("a".to_owned()),
            ..Default::default()
        },
        ..Default::default()
    };
    config_maps.create(&Default::default(), &map).await.unwrap();
    config_maps
        .create(&Default::default(), &map)
        .await
        .unwrap_err();
    config_maps.get("a").await.unwrap();

    let requests = plane
        .requests_by(&format!("system:serviceaccount:{namespace}:writer"))
        .await;
    let seen: Vec<_> = requests
        .iter()
        .map(|request| {
            (
                request.verb.as_str(),
                request.object.resource.as_str(),
                request.status(),
                request.is_write(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("create", "configmaps", 201, true),
            ("create", "configmaps", 409, true),
            ("get", "configmaps", 200, false),
        ]
    );
    assert!(
        requests
            .iter()
            .all(|request| request.object.namespace == namespace)
    );
}

#[tokio::test]
async fn a_dropped_control_plane_leaves_no_process_and_no_file() {
    let plane = ControlPlane::start().await;
    let folder = plane.folder.clone();
    let processes: Vec<_> = ["etcd", "kube-apiserver", "kube-controller-manager"]
        .map(|program| std::fs::read_to_string(folder.join(format!("{program}.pid"))).unwrap())
        .map(|pid| format!("/proc/{}", pid.trim()))
        .into();
    assert!(
        processes
            .iter()
            .all(|process| std::fs::exists(process).unwrap())
    );

    tokio::task::spawn_blocking(|| drop(plane)).await.unwrap();

    let running: Vec<_> = processes
        .iter()
        .filter(|process| std::fs::exists(process).unwrap())
        .collect();
    assert!(running.is_empty(), "still running: {running:?}");
    assert!(!folder.exists());
}
