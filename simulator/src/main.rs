//! A ServiceNow and a callback to watch Pollen at work between them.

mod program;

use std::{
    io::{Write as _, stderr},
    process::ExitCode,
};

use clap::Parser as _;
use program::Arguments;

#[tokio::main]
async fn main() -> ExitCode {
    match program::run(Arguments::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            let _ = writeln!(stderr(), "error: {problem}");
            ExitCode::from(2)
        }
    }
}
