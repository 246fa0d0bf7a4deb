//! Manifests with a mistake: `check` and `local` both end with 2, name it, and send nothing.

use rstest::rstest;

use crate::folder::{Folder, INSTANCE, POLLER};

fn assert_refused(folder: &Folder, expected: &[&str]) {
    for command in ["check", "local"] {
        let ended = folder.run(command, &[]);
        assert_eq!(ended.code, Some(2), "{command}: {ended:?}");
        assert!(
            !ended.errors.contains("no ConnectorInstance \"prod\""),
            "{}",
            ended.errors
        );
        for text in expected {
            assert!(
                ended.errors.contains(text),
                "{command}: {text} is not in {}",
                ended.errors
            );
        }
        assert!(
            !ended.errors.contains("hunter2"),
            "{command}: {}",
            ended.errors
        );
    }
    assert!(
        !folder.state().exists(),
        "an invalid folder was given a state"
    );
}

#[rstest]
#[case::unknown_connector("instance.yaml", "servicenowoauth", "servicenowauth", "spec.connector")]
#[case::unknown_field(
    "poller.yaml",
    "spec:",
    "spec:\n  refreshIntervall: 5m",
    "refreshIntervall"
)]
#[case::interval_below_a_second("instance.yaml", "1s", "500ms", "spec.events.refreshInterval")]
#[case::interval_without_unit("instance.yaml", "1s", "15", "spec.events.refreshInterval")]
#[case::callback_with_credentials(
    "instance.yaml",
    "127.0.0.1:9/events",
    "me:hunter2@127.0.0.1/",
    "spec.events.callback.url"
)]
#[case::secret_without_the_entry("secret.yaml", ", clientSecret: hunter2", "", "clientSecret")]
#[case::instance_that_is_not_there(
    "poller.yaml",
    "{name: prod}",
    "{name: test}",
    "spec.instanceRef.name"
)]
#[case::literal_that_a_tool_emptied(
    "poller.yaml",
    "spec:",
    "spec:\n  url: \"/hubs/helpdesk/accounts?where=sys_updated_on>''\"",
    "spec.url"
)]
#[case::misspelt_kind("poller.yaml", "PollerResource", "PollerResouce", "kind")]
#[case::wrong_version("poller.yaml", "v1alpha1", "v1beta7", "apiVersion")]
#[case::name_that_leaves_the_folder(
    "poller.yaml",
    "name: incident",
    "name: ../incident",
    "metadata.name"
)]
#[case::date_format_that_java_refuses(
    "poller.yaml",
    "spec:",
    "spec:\n  datesConfiguration: {updatedDateField: u, updatedDateFormat: \"yyyy-bb\"}",
    "spec.datesConfiguration.updatedDateFormat"
)]
fn a_mistake_is_named(
    #[case] file: &str,
    #[case] from: &str,
    #[case] to: &str,
    #[case] field: &str,
) {
    let folder = Folder::valid();
    folder.replace(file, from, to);
    assert_refused(&folder, &[field, ".yaml:"]);
}

#[test]
fn all_mistakes_are_named_at_once_with_file_line_and_object() {
    let folder = Folder::valid();
    folder.replace(
        "instance.yaml",
        "refreshInterval: 1s",
        "refreshInterval: 1ms",
    );
    folder.write("poller.yaml", &format!("# one\n---\n{POLLER}---\n{POLLER}"));
    folder.replace("secret.yaml", "hunter2", "[hunter2]");
    let first = "poller.yaml:11: PollerResource helpdesk/incident: metadata.name: ";
    assert_refused(
        &folder,
        &[
            "instance.yaml:13: ConnectorInstance helpdesk/prod: spec.events.refreshInterval: ",
            first,
            "stringData.clientSecret",
        ],
    );
}

#[test]
fn a_folder_without_manifests_is_refused() {
    let folder = Folder::valid();
    for name in ["instance.yaml", "poller.yaml", "secret.yaml"] {
        std::fs::remove_file(folder.path().join(name)).unwrap();
    }
    assert_refused(&folder, &["no *.yaml"]);
}

#[test]
fn a_secret_that_is_elsewhere_is_a_note_to_check_and_a_mistake_to_local() {
    let folder = Folder::valid();
    std::fs::remove_file(folder.path().join("secret.yaml")).unwrap();
    let checked = folder.run("check", &[]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
    assert!(
        checked.errors.contains("note: ") && checked.errors.contains("oauth"),
        "{}",
        checked.errors
    );
    let local = folder.poll_once();
    assert_eq!(local.code, Some(2), "{local:?}");
    assert!(
        local.errors.contains("spec.authentication.secretRef"),
        "{}",
        local.errors
    );
}

#[test]
fn a_secret_of_another_namespace_is_told_apart_from_none() {
    let folder = Folder::valid();
    folder.replace("secret.yaml", "namespace: helpdesk", "namespace: default");
    for command in ["check", "local"] {
        let ended = folder.run(command, &[]);
        let hint = "namespace \"default\" has one of that name";
        assert!(ended.errors.contains(hint), "{command}: {ended:?}");
        assert!(
            ended.errors.contains("write namespace: helpdesk"),
            "{command}: {ended:?}"
        );
    }
}

#[test]
fn an_odd_signing_key_is_noted_and_used() {
    let folder = Folder::valid();
    let signing = "/events\", signing: {secretRef: {name: oauth}}}";
    folder.replace("instance.yaml", "/events\"}", signing);
    folder.replace(
        "secret.yaml",
        "clientId: client,",
        "clientId: client, key: \"hunter2\\n\",",
    );
    let checked = folder.run("check", &[]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
    let local = folder.poll_once();
    assert_eq!(local.code, Some(1), "{local:?}");
    for (ended, kind) in [(checked, "note"), (local, "warning")] {
        for text in ["ends with blanks or a line break", "shorter than 16 bytes"] {
            let line = ended
                .errors
                .lines()
                .find(|line| line.contains(text))
                .unwrap();
            assert!(line.starts_with(&format!("{kind}: ")), "{line}");
            assert!(
                line.contains("instance.yaml:14: ConnectorInstance helpdesk/prod"),
                "{line}"
            );
            assert!(!line.contains("hunter2"), "{line}");
        }
    }
}

#[test]
fn valid_manifests_are_counted() {
    let folder = Folder::valid();
    folder.write(
        "configmap.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n",
    );
    let checked = folder.run("check", &[]);
    assert_eq!(
        (
            checked.code,
            checked.output.as_str(),
            checked.errors.as_str()
        ),
        (Some(0), "ok  3 objects (1 of other kinds left out)\n", "")
    );
}

#[test]
fn what_is_no_object_is_left_out_and_named_and_breaks_nothing() {
    let folder = Folder::valid();
    folder.write("kustomization.yaml", "resources: [instance.yaml]\n");
    folder.write("values.yaml", "# of a chart\n\nimage: {tag: v1}\n");
    let checked = folder.run("check", &[]);
    assert_eq!(
        (checked.code, checked.output.as_str()),
        (Some(0), "ok  3 objects\n")
    );
    for named in ["kustomization.yaml:1: left out", "values.yaml:3: left out"] {
        assert!(checked.errors.contains(named), "{}", checked.errors);
    }
    let ran = folder.run("local", &["--once", "--retry-for", "0s"]);
    assert_ne!(ran.code, Some(2), "{ran:?}");
    assert!(
        ran.errors.contains("values.yaml:3: left out"),
        "{}",
        ran.errors
    );
}

#[rstest]
#[case::text("instance of servicenow\n")]
#[case::a_list("- kind: PollerResource\n")]
#[case::an_object_without_kind("metadata: {name: incident}\nspec: {}\n")]
fn what_was_meant_as_an_object_and_is_none_is_a_mistake(#[case] text: &str) {
    let folder = Folder::valid();
    folder.write("other.yaml", text);
    let checked = folder.run("check", &[]);
    assert_eq!(checked.code, Some(2), "{checked:?}");
    assert!(
        checked.errors.contains("other.yaml:1: "),
        "{}",
        checked.errors
    );
}

#[test]
fn what_a_checkpoint_belongs_to_cannot_change() {
    let folder = Folder::valid();
    folder.poll_once();
    folder.write(
        "instance.yaml",
        &format!(
            "{INSTANCE}---\n{}",
            INSTANCE.replace("name: prod", "name: test")
        ),
    );
    folder.replace(
        "poller.yaml",
        "{name: prod}",
        "{name: test}\n  resource: problem",
    );
    let ended = folder.poll_once();
    assert_eq!(ended.code, Some(2), "{ended:?}");
    for text in [
        "spec.instanceRef",
        "spec.resource",
        ".pollen/checkpoints/helpdesk/incident.json",
    ] {
        assert!(
            ended.errors.contains(text),
            "{text} is not in {}",
            ended.errors
        );
    }
}
