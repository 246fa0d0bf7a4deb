//! The binary as a child.

use std::{
    fmt,
    path::Path,
    process::{ExitStatus, Stdio},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    process::{Child, Command},
    sync::watch,
    task::JoinHandle,
    time::timeout,
};

use super::PATIENCE;

/// How a run ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
    pub(crate) errors: String,
}

impl Ended {
    /// Fails unless it ended with `code` and said each of `texts` on standard error.
    #[track_caller]
    pub(crate) fn assert_said(&self, code: i32, texts: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        for text in texts {
            assert!(self.errors.contains(text), "{text} is not in {self:?}");
        }
    }
}

/// A command to its end.
pub(super) async fn run(mut pollen: Command) -> Ended {
    let child = pollen.spawn().unwrap();
    let output = timeout(PATIENCE * 2, child.wait_with_output()).await;
    let output = output.expect("pollen did not end").unwrap();
    Ended {
        code: output.status.code(),
        output: String::from_utf8(output.stdout).unwrap(),
        errors: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The variables that name proxies, in both of their forms.
const PROXIES: [&str; 8] = [
    "ALL_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "all_proxy",
    "https_proxy",
    "http_proxy",
    "no_proxy",
];

/// `pollen COMMAND FOLDER --allow-address 127.0.0.0/8 ARGUMENTS`, not yet started.
pub(super) fn pollen(command: &str, folder: &Path, arguments: &[&str]) -> Command {
    let mut pollen = Command::new(env!("CARGO_BIN_EXE_pollen"));
    pollen
        .arg(command)
        .arg(folder)
        .args(["--allow-address", "127.0.0.0/8"])
        .args(arguments)
        .env_remove("POLLEN_LOG")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    // Whoever runs the tests may need a proxy, and what is started here reaches this machine alone.
    for name in PROXIES {
        pollen.env_remove(name);
    }
    pollen
}

/// A `pollen local` that runs until it is told to end, or dropped.
pub(crate) struct Pollen {
    child: Child,
    output: Said,
    errors: Said,
}

impl Pollen {
    pub(super) fn start(mut pollen: Command) -> Self {
        let mut child = pollen.spawn().unwrap();
        Self {
            output: Said::hear(child.stdout.take().unwrap()),
            errors: Said::hear(child.stderr.take().unwrap()),
            child,
        }
    }

    /// Waits until standard error has said `text`.
    pub(crate) async fn has_said(&mut self, text: &str) {
        self.errors.wait_for(text).await;
    }

    /// SIGTERM, and the end that follows.
    pub(crate) async fn terminate(self) -> Ended {
        self.signal().await;
        self.ended().await
    }

    /// SIGTERM.
    pub(crate) async fn signal(&self) {
        let id = self.child.id().unwrap().to_string();
        let kill = Command::new("kill").args(["-TERM", &id]).status().await;
        assert!(kill.unwrap().success());
    }

    /// SIGKILL, and the end that follows.
    pub(crate) async fn kill(mut self) -> Ended {
        self.child.start_kill().unwrap();
        self.ended().await
    }

    /// Waits for an end that it comes to by itself.
    pub(crate) async fn ended(mut self) -> Ended {
        let status = timeout(PATIENCE, self.child.wait()).await;
        let status: ExitStatus = status.expect("pollen did not end").unwrap();
        Ended {
            code: status.code(),
            output: self.output.all().await,
            errors: self.errors.all().await,
        }
    }
}

/// What comes out of a pipe.
struct Said {
    text: watch::Receiver<String>,
    hearing: JoinHandle<()>,
}

impl Said {
    fn hear(mut pipe: impl AsyncRead + Unpin + Send + 'static) -> Self {
        let (heard, text) = watch::channel(String::new());
        let hearing = tokio::spawn(async move {
            let mut bytes = Vec::new();
            while pipe.read_buf(&mut bytes).await.unwrap() > 0 {
                heard.send_replace(String::from_utf8_lossy(&bytes).into_owned());
            }
        });
        Self { text, hearing }
    }

    async fn wait_for(&mut self, text: &str) {
        let waiting = self.text.wait_for(|said| said.contains(text));
        let said = timeout(PATIENCE, waiting)
            .await
            .is_ok_and(|said| said.is_ok());
        assert!(said, "{text} was not said: {:?}", self.text);
    }

    async fn all(self) -> String {
        self.hearing.await.unwrap();
        self.text.borrow().clone()
    }
}

impl fmt::Debug for Pollen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pollen")
            .field("output", &self.output.text)
            .field("errors", &self.errors.text)
            .finish_non_exhaustive()
    }
}
