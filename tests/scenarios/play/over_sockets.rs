//! The binary, with provider and callback behind sockets.

use std::{io, process::Stdio, time::Duration};

use simulator::Served;
use tokio::{
    io::AsyncReadExt as _,
    process::{Child, Command},
    time::timeout,
};

use super::{
    Run, RunEnd,
    traffic::Signals,
    world::{Addresses, World},
};

/// Longer than any poll takes.
pub(super) const LONGEST: Duration = Duration::from_secs(120);

/// Both ends, which listen.
pub(super) struct OverSockets {
    provider: Served,
    callback: Served,
}

impl OverSockets {
    pub(super) async fn new(world: &World) -> io::Result<Self> {
        world.instance.freeze_at(world.scenario.start);
        Ok(Self {
            provider: world.instance.listen("127.0.0.1:0").await?,
            callback: world.receiver.listen("127.0.0.1:0").await?,
        })
    }

    pub(super) fn addresses(&self) -> Addresses {
        Addresses {
            provider: self.provider.url(),
            callback: self.callback.url(),
        }
    }

    /// `pollen local --once` in a process of its own.
    pub(super) async fn run(&self, world: &World, retry_for: Duration, signals: Signals) -> Run {
        let mut child = command(world, retry_for).spawn().unwrap();
        let mut pipe = child.stderr.take().unwrap();
        let mut errors = String::new();
        let end = timeout(LONGEST, async {
            let (end, read) = tokio::join!(end(child, signals), pipe.read_to_string(&mut errors));
            read.unwrap();
            end
        });
        let end = end.await.unwrap_or(RunEnd::Hung);
        Run { end, errors }
    }
}

fn command(world: &World, retry_for: Duration) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pollen"));
    command
        .arg("local")
        .arg(world.manifests.path())
        .args(["--allow-address", "127.0.0.0/8", "--once", "--retry-for"])
        .arg(format!("{}ms", retry_for.as_millis()))
        .env_remove("POLLEN_LOG")
        .envs([("NO_PROXY", "*"), ("no_proxy", "*")])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

async fn end(mut child: Child, signals: Signals) -> RunEnd {
    tokio::select! {
        biased;
        () = signals.kill.cancelled() => {
            child.kill().await.unwrap();
            return RunEnd::Killed;
        }
        () = signals.stop.cancelled() => terminate(&child).await,
        _ = child.wait() => {}
    }
    RunEnd::Code(child.wait().await.unwrap().code().unwrap_or(-1))
}

async fn terminate(child: &Child) {
    if let Some(id) = child.id() {
        let id = id.to_string();
        let kill = Command::new("kill").args(["-TERM", &id]).status().await;
        assert!(kill.unwrap().success());
    }
}
