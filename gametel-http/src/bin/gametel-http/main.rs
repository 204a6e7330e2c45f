//! The command `gametel-http`: reads the command line and the environment, and runs a server.

mod cli;
mod commands;
mod failure;
mod log;
mod reload;
mod settings;
mod signals;

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

use cli::{Cli, Command};
use failure::Failure;
use settings::Overrides;

fn main() -> ExitCode {
    // On an error of usage clap says so and exits with 2.
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let mut stderr = std::io::stderr().lock();
            for line in failure.lines() {
                // With stderr closed there is nobody left to tell.
                let _ = writeln!(stderr, "gametel-http: {line}");
            }
            failure.exit_code()
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Serve { overrides } => commands::serve(with_rust_log(overrides)?),
        Command::Check(mut args) => {
            args.overrides = with_rust_log(args.overrides)?;
            commands::check(args)
        }
        Command::SampleConfig => commands::sample_config(),
        Command::Key(command) => commands::key(command),
        #[cfg(feature = "log")]
        Command::Spool(command) => commands::spool(command),
    }
}

fn with_rust_log(overrides: Overrides) -> Result<Overrides, Failure> {
    match std::env::var("RUST_LOG") {
        Ok(filter) => Ok(overrides.with_rust_log(filter)),
        Err(std::env::VarError::NotPresent) => Ok(overrides),
        Err(error) => Err(error).context("RUST_LOG can't be read").map_err(Failure::Config),
    }
}
