//! The program: a storyline played between a ServiceNow and a callback, and what came of it.

mod arguments;
mod arrivals;
mod cast;
mod command;
mod run;
mod screen;
mod stage;
mod stop;
mod story;
mod timeline;

use std::io;

pub(crate) use arguments::Arguments;
use arrivals::Arrivals;
use command::Beside;
use run::Run;
use screen::{Screen, Tone};
use simulator::{Served, receiver::Receiver, servicenow::Instance};
use stage::Stage;
use stop::Stop;
use timeline::Timeline;

/// Runs to the end; returns whether all was as it must be.
pub(crate) async fn run(arguments: Arguments) -> Result<bool, String> {
    let keys: Vec<_> = arguments.signing_keys.iter().map(String::as_str).collect();
    let (servicenow, receiver) = (Instance::new(), Receiver::with_keys(&keys));
    let [provider, callback] = listen(&servicenow, &receiver, &arguments).await?;
    let screen = Screen::new();
    screen.write(&beginning(&provider, &callback), Tone::Plain);
    let timeline = Timeline::default();
    let stage = Stage::set(&servicenow, &receiver, &timeline, screen, arguments.seed);
    let arrivals = Arrivals::new(receiver.clone(), timeline.clone(), screen);
    let stop =
        Stop::on_signals().map_err(|error| format!("signals cannot be received: {error}"))?;
    let beside = Beside::start(&arguments.command, &servicenow, screen)?;
    let run = Run {
        begun: servicenow.history().len(),
        servicenow,
        receiver,
        timeline,
        arguments,
        stop,
    };
    let ended = tokio::select! {
        ended = run.through(stage, beside) => ended?,
        never = arrivals.watch() => match never {},
    };
    let well = run.conclude(screen);
    ended.and(Ok(well))
}

fn beginning(provider: &Served, callback: &Served) -> String {
    let (provider, callback) = (provider.url(), callback.url());
    format!("ServiceNow at {provider}, callback at {callback}; changes begin with the first poll")
}

async fn listen(
    servicenow: &Instance,
    receiver: &Receiver,
    arguments: &Arguments,
) -> Result<[Served; 2], String> {
    let taken = |address: &str, option: &str, error: io::Error| {
        format!(
            "cannot listen at {address}: {error}; end what listens there, or choose another address with {option}"
        )
    };
    let Arguments {
        servicenow: here,
        receiver: there,
        ..
    } = arguments;
    let provider = servicenow.listen(here).await;
    let callback = receiver.listen(there).await;
    Ok([
        provider.map_err(|error| taken(here, "--servicenow", error))?,
        callback.map_err(|error| taken(there, "--receiver", error))?,
    ])
}
