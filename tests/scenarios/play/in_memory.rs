//! The whole of Pollen in this process, under a paused clock and without a socket.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll as Progress},
    time::Duration,
};

use pollen::{
    callback::RetryPolicy,
    catalog::{Catalog, Connector},
    clock::Clock,
    fleet::Environment,
    local::{self, Ended, LocalError, Options, Streams},
    network::{AddressPolicy, Clients, Transport},
};
use serde_json::Value;

use super::{
    Run, RunEnd,
    hosts::Hosts,
    traffic::Signals,
    world::{Addresses, World, lock, merge},
};
use crate::format::Fields;

const PROVIDER: &str = "http://10.0.0.1";
const CALLBACK: &str = "http://10.0.0.2";

/// The definition that comes with Pollen.
const CONNECTOR: &str = include_str!("../../../src/catalog/builtin/servicenowoauth.yaml");

/// Pollen in this process.
pub(super) struct InMemory {
    clock: Clock,
    catalog: Arc<Catalog>,
    hosts: Arc<Hosts>,
}

impl InMemory {
    pub(super) fn new(world: &World) -> Self {
        let hosts = Hosts::new([
            (PROVIDER, world.instance.router()),
            (CALLBACK, world.receiver.router()),
        ]);
        Self {
            clock: Clock::starting_at(world.scenario.start),
            catalog: Arc::new(catalog(&world.scenario.connector)),
            hosts: Arc::new(hosts),
        }
    }

    pub(super) fn addresses() -> Addresses {
        Addresses {
            provider: PROVIDER.to_owned(),
            callback: CALLBACK.to_owned(),
        }
    }

    /// `pollen local --once`, killed at the turn with this number.
    pub(super) async fn run(
        &self,
        world: &World,
        retry_for: Duration,
        signals: Signals,
        turns: Option<usize>,
    ) -> Run {
        let said = Said::default();
        let streams = Streams::to(Box::new(io::sink()), Box::new(said.clone()));
        let options = Options {
            folder: world.manifests.path().to_owned(),
            state: None,
            once: Some(retry_for),
            environment: self.environment(retry_for),
            streams,
        };
        let running = Mortal {
            run: Box::pin(local::run(options, signals.stop)),
            turns,
        };
        let ended = tokio::select! {
            biased;
            () = signals.kill.cancelled() => None,
            ended = running => ended,
        };
        if ended.is_none() {
            // A write under way ends with a process that is killed, and not with a future that is dropped.
            tokio::task::spawn_blocking(|| ()).await.unwrap();
        }
        let (end, problems) = end(ended);
        let errors = format!("{}{problems}", said.text());
        Run { end, errors }
    }

    fn environment(&self, retry_for: Duration) -> Environment {
        let allowed = vec!["10.0.0.0/8".parse().unwrap()];
        let policy = Arc::new(AddressPolicy::new(allowed, Vec::new()));
        let transport: Arc<dyn Transport> = self.hosts.clone();
        Environment {
            clock: self.clock,
            catalog: Arc::clone(&self.catalog),
            clients: Arc::new(Clients::over(transport, policy)),
            // As the command has it.
            retry: RetryPolicy {
                first: Duration::from_secs(1),
                max: Duration::from_secs(8),
                give_up_after: retry_for,
            },
        }
    }
}

/// The catalog with these fields in its definition.
fn catalog(changes: &Fields) -> Catalog {
    let mut definition = serde_saphyr::from_str(CONNECTOR).unwrap();
    for (field, value) in changes {
        merge(&mut definition, field, value);
    }
    let definition = Value::Object(definition).to_string();
    Catalog::from_iter([Connector::read(&definition).unwrap()])
}

fn end(ended: Option<Result<Ended, LocalError>>) -> (RunEnd, String) {
    let end = match ended {
        None => RunEnd::Killed,
        Some(Ok(Ended::Well)) => RunEnd::Code(0),
        Some(Ok(Ended::Failed)) => RunEnd::Code(1),
        Some(Ok(Ended::Invalid)) => RunEnd::Code(2),
        Some(Err(LocalError::Invalid(problems))) => {
            let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
            return (RunEnd::Code(2), lines.join("\n"));
        }
        Some(Err(error)) => return (RunEnd::Code(1), error.to_string()),
    };
    (end, String::new())
}

/// A run that dies after so many turns, wherever it is then.
struct Mortal<F> {
    run: Pin<Box<F>>,
    turns: Option<usize>,
}

impl<F: Future> Future for Mortal<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Progress<Self::Output> {
        if self.turns == Some(0) {
            return Progress::Ready(None);
        }
        self.turns = self.turns.map(|turns| turns - 1);
        self.run.as_mut().poll(context).map(Some)
    }
}

/// What is said to the person who watches.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl Said {
    fn text(&self) -> String {
        String::from_utf8_lossy(&lock(&self.0)).into_owned()
    }
}

impl io::Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        lock(&self.0).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
