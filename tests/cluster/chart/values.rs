use super::{CHART, WITHOUT_CRDS, release, render};
use crate::control_plane::ControlPlane;

#[tokio::test]
async fn lint_has_nothing_to_say() {
    ControlPlane::shared()
        .await
        .helm(&["lint", "--strict", CHART])
        .await
        .unwrap();
}

#[tokio::test]
async fn values_that_mean_nothing_are_refused_by_name() {
    let plane = ControlPlane::shared().await;
    let cases = [
        ("watchNamespace={helpdesk}", "watchNamespace"),
        ("crds.keeep=false", "keeep"),
        ("metrics.serviceMonitor.intervall=10s", "intervall"),
        ("allowAddresses={10.0.0.0}", "/allowAddresses/0"),
        ("watchNamespaces={Helpdesk}", "/watchNamespaces/0"),
        ("image.digest=latest", "/image/digest"),
        ("apiWritesPerSecond=0", "/apiWritesPerSecond"),
    ];
    for (value, named) in cases {
        let error = release(plane, "template", "pollen-system", &["--set", value])
            .await
            .unwrap_err();
        assert!(error.contains(named), "{value}: {error}");
    }
}

#[tokio::test]
async fn a_service_monitor_without_a_service_says_what_to_set() {
    let options = [
        "--set",
        "metrics.serviceMonitor.enabled=true,metrics.service.enabled=false",
    ];
    let error = release(
        ControlPlane::shared().await,
        "template",
        "pollen-system",
        &options,
    )
    .await
    .unwrap_err();
    assert!(
        error.contains("set metrics.service.enabled to true"),
        "{error}"
    );
}

#[tokio::test]
async fn a_service_monitor_selects_the_metrics_service_and_its_port() {
    let options = [
        &WITHOUT_CRDS[..],
        &["--set", "metrics.serviceMonitor.enabled=true"],
    ]
    .concat();
    let objects = render(ControlPlane::shared().await, &options).await;
    let find = |kind: &str| {
        objects
            .iter()
            .find(|object| object["kind"] == kind)
            .unwrap()
    };
    let (service, monitor) = (find("Service"), find("ServiceMonitor"));

    let wanted = monitor["spec"]["selector"]["matchLabels"]
        .as_object()
        .unwrap();
    for (label, value) in wanted {
        assert_eq!(&service["metadata"]["labels"][label], value, "{label}");
    }
    assert_eq!(
        monitor["spec"]["endpoints"][0]["port"],
        service["spec"]["ports"][0]["name"]
    );
    // Else Prometheus writes the operator's namespace over a poller's.
    assert_eq!(monitor["spec"]["endpoints"][0]["honorLabels"], true);
}

#[tokio::test]
async fn every_object_carries_the_common_labels() {
    let objects = render(
        ControlPlane::shared().await,
        &[
            "--set",
            "commonLabels.team=integration,watchNamespaces={a,b},podDisruptionBudget.enabled=true,\
             networkPolicy.enabled=true,metrics.serviceMonitor.enabled=true",
        ],
    )
    .await;
    assert!(!objects.is_empty());
    for object in &objects {
        assert_eq!(
            object["metadata"]["labels"]["team"], "integration",
            "{}",
            object["kind"]
        );
    }
}
