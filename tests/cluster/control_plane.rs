//! A control plane for tests: etcd, API server and controller manager, started by `tests/control-plane/up`.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::OnceCell;

use crate::audit::{self, Request};

mod tests;

/// A running control plane, alone on its ports. It stops when this is dropped or when the test process
/// ends, however it ends: `up --attached` lives as long as its stdin is open.
pub(crate) struct ControlPlane {
    bin: PathBuf,
    folder: PathBuf,
    up: Child,
    names: AtomicU32,
    crds: OnceCell<()>,
}

const FAILED: &str = "the control plane did not start; tests/control-plane/up has said why";

/// What a program printed: stdout where it succeeded, stderr where it failed.
pub(crate) type Outcome = Result<String, String>;

impl ControlPlane {
    /// The control plane that all tests of this binary share, started by the first that asks. What a test
    /// does here stays in its own [`namespace`](Self::namespace).
    pub(crate) async fn shared() -> &'static Self {
        static SHARED: OnceCell<Option<ControlPlane>> = OnceCell::const_new();
        // One failure is enough: the tests that wait do not try again.
        SHARED
            .get_or_init(Self::try_start)
            .await
            .as_ref()
            .expect(FAILED)
    }

    /// A control plane of one's own (about 6 s), for tests that change what is cluster-wide.
    pub(crate) async fn start() -> Self {
        Self::try_start().await.expect(FAILED)
    }

    async fn try_start() -> Option<Self> {
        tokio::task::spawn_blocking(launch).await.unwrap()
    }

    /// Runs kubectl as the cluster's admin.
    pub(crate) async fn kubectl(&self, arguments: &[&str]) -> Outcome {
        self.run("kubectl", arguments).await
    }

    /// `kubectl apply` of a manifest, YAML or JSON, into a namespace.
    pub(crate) async fn apply(&self, namespace: &str, manifest: &str) -> Outcome {
        let number = self.names.fetch_add(1, Ordering::Relaxed);
        let file = self.folder.join(format!("manifest-{number}.yaml"));
        tokio::fs::write(&file, manifest).await.unwrap();
        let path = file.to_str().unwrap();
        self.kubectl(&["apply", "--namespace", namespace, "-f", path])
            .await
    }

    /// Installs the CRDs as they are generated, once.
    pub(crate) async fn install_crds(&self) {
        let install = async {
            self.kubectl(&["apply", "-f", "crds/"]).await.unwrap();
            let wait = ["wait", "--for=condition=Established", "-f", "crds/"];
            self.kubectl(&wait).await.unwrap();
        };
        self.crds.get_or_init(|| install).await;
    }

    /// Runs helm as the cluster's admin.
    pub(crate) async fn helm(&self, arguments: &[&str]) -> Outcome {
        self.run("helm", arguments).await
    }

    // Nothing of the person's own configuration, caches or plugins may decide a test.
    async fn run(&self, program: &str, arguments: &[&str]) -> Outcome {
        let output = tokio::process::Command::new(self.bin.join(program))
            .args(arguments)
            .env_clear()
            .env("HOME", &self.folder)
            .env("KUBECONFIG", self.admin_kubeconfig())
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .unwrap_or_else(|error| panic!("run {program}: {error}"));
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        if output.status.success() {
            Ok(text(output.stdout))
        } else {
            Err(text(output.stderr))
        }
    }

    /// A kubeconfig of the group `system:masters`.
    pub(crate) fn admin_kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }

    /// A kubeconfig with the rights of a service account and nothing else; its token lives for an hour.
    pub(crate) async fn service_account_kubeconfig(&self, namespace: &str, name: &str) -> PathBuf {
        let token = self
            .kubectl(&["create", "token", name, "--namespace", namespace])
            .await
            .unwrap();
        let kubeconfig = self.folder.join(format!("{namespace}.{name}.kubeconfig"));
        std::fs::copy(self.admin_kubeconfig(), &kubeconfig).unwrap();
        let (file, token) = (
            kubeconfig.to_str().unwrap(),
            format!("--token={}", token.trim()),
        );
        self.kubectl(&[
            "config",
            "set-credentials",
            "user",
            &token,
            "--kubeconfig",
            file,
        ])
        .await
        .unwrap();
        kubeconfig
    }

    /// A client with the rights of the cluster's admin.
    pub(crate) async fn kube_client(&self) -> kube::Client {
        client(&self.admin_kubeconfig()).await
    }

    /// Creates a namespace that no other test has.
    pub(crate) async fn namespace(&self) -> String {
        let name = format!("test-{}", self.names.fetch_add(1, Ordering::Relaxed));
        self.kubectl(&["create", "namespace", &name]).await.unwrap();
        name
    }

    /// What a user has asked of the API server so far, such as `system:serviceaccount:NAMESPACE:NAME`.
    pub(crate) async fn requests_by(&self, user: &str) -> Vec<Request> {
        let marker = format!(
            "/version?up-to={}.",
            self.names.fetch_add(1, Ordering::Relaxed)
        );
        self.kubectl(&["get", "--raw", &marker]).await.unwrap();
        let log = audit::read_up_to(&marker, &self.folder.join("audit.log")).await;
        audit::requests_by(user, &log)
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        drop(self.up.stdin.take());
        // A panic here would hide the test's own.
        self.up.wait().ok();
    }
}

/// A client with the rights of a kubeconfig. A client belongs to the runtime that made it, so each test has its own.
pub(crate) async fn client(kubeconfig: &Path) -> kube::Client {
    let kubeconfig = kube::config::Kubeconfig::read_from(kubeconfig).unwrap();
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &Default::default())
        .await
        .unwrap();
    kube::Client::try_from(config).unwrap()
}

fn launch() -> Option<ControlPlane> {
    static STARTED: AtomicU32 = AtomicU32::new(0);
    let started = STARTED.fetch_add(1, Ordering::Relaxed);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("control-plane-{}-{started}", std::process::id()));
    let mut up = std::process::Command::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/control-plane/up"
    ))
    .arg("--attached")
    .arg(&folder)
    .stdin(Stdio::piped())
    .stdout(Stdio::piped())
    // Ctrl-C ends the tests alone, and their end stops the control plane in order.
    .process_group(0)
    .spawn()
    .expect("run tests/control-plane/up");
    let bin = read_bin(&mut up)?;
    Some(ControlPlane {
        bin,
        folder,
        up,
        names: AtomicU32::new(0),
        crds: OnceCell::new(),
    })
}

// The last line that `up` prints, once all is ready.
fn read_bin(up: &mut Child) -> Option<PathBuf> {
    let lines = BufReader::new(up.stdout.take()?).lines();
    lines.map_while(Result::ok).find_map(|line| {
        let bin = line.strip_prefix("export PATH=")?.strip_suffix(":$PATH")?;
        Some(PathBuf::from(bin))
    })
}
