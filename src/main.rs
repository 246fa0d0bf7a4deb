//! The `pollen` command.

fn main() -> std::process::ExitCode {
    pollen::cli::run()
}
