//! The operator as a process of its own.

use std::{
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, ChildStderr, Command},
};

use super::eventually;

/// A running operator. It is killed when this is dropped.
pub(super) struct Operator {
    child: Child,
    log: Arc<Mutex<String>>,
    /// Where it serves health and metrics.
    address: String,
}

/// Starts `pollen` and waits until it serves health and metrics.
pub(super) async fn spawn(arguments: Vec<String>, environment: Vec<(String, String)>) -> Operator {
    // The operator must not outlive a test process that is killed.
    let mut child = Command::new("setpriv")
        .args(["--pdeathsig", "KILL", env!("CARGO_BIN_EXE_pollen")])
        .args(arguments)
        .env_clear()
        .envs(environment)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let log = Arc::<Mutex<String>>::default();
    tokio::spawn(keep(child.stderr.take().unwrap(), Arc::clone(&log)));
    let mut operator = Operator {
        child,
        log,
        address: String::new(),
    };
    operator.address = operator.await_address().await;
    operator
}

async fn keep(stderr: ChildStderr, log: Arc<Mutex<String>>) {
    let mut lines = BufReader::new(stderr).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let mut log = log.lock().unwrap();
        log.push_str(&line);
        log.push('\n');
    }
}

impl Operator {
    async fn await_address(&self) -> String {
        let found = || {
            let log = self.log();
            let line = log
                .lines()
                .find(|line| line.contains("serving health and metrics"))?;
            let (_, address) = line.split_once("address=")?;
            Some(address.trim().to_owned())
        };
        eventually("the operator serves health and metrics", async || found()).await
    }

    /// What it has logged so far.
    pub(super) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Asks its HTTP server; status and body.
    pub(super) async fn get(&self, path: &str) -> (u16, String) {
        let answer = reqwest::get(format!("http://{}{path}", self.address))
            .await
            .unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// The value of a metric without labels, or of the one line that begins with `name`.
    pub(super) async fn metric(&self, name: &str) -> Option<f64> {
        let (_, text) = self.get("/metrics").await;
        let line = text.lines().find(|line| {
            line.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with(' '))
        })?;
        line.rsplit(' ').next()?.parse().ok()
    }

    pub(super) async fn leads(&self) -> bool {
        self.metric("pollen_is_leader").await == Some(1.0)
    }

    /// Waits until it leads and thus polls.
    pub(super) async fn await_leadership(&self) {
        eventually("the operator leads", async || {
            self.leads().await.then_some(())
        })
        .await;
    }

    /// Resident memory in KiB.
    pub(super) fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// kill -9.
    pub(super) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// SIGTERM; answers how long it took to end, and how it did.
    pub(super) async fn terminate(mut self) -> (Duration, ExitStatus) {
        let begun = Instant::now();
        let pid = self.pid().to_string();
        let sent = Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .await
            .unwrap();
        assert!(sent.success());
        let ended = tokio::time::timeout(Duration::from_secs(20), self.child.wait()).await;
        let status = ended.expect("the operator ends within 20 s").unwrap();
        (begun.elapsed(), status)
    }

    fn pid(&self) -> u32 {
        self.child.id().expect("the operator runs")
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the operator's log:\n{}", self.log());
        }
    }
}
