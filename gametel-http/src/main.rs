//! The command `gametel-http`: reads the command line and the environment, and runs a server.

mod cli;
#[cfg(feature = "log")]
mod spool;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;
use gametel_core::catalog::Catalog;
use gametel_core::endpoint::Endpoint;
use gametel_core::sink::{SinkError, SinkErrorKind};
use gametel_http::Server;
#[cfg(not(feature = "log"))]
use gametel_http::sinks;
use tracing_subscriber::EnvFilter;

use cli::{Cli, Command, LogArgs, LogFormat, Settings};

/// What ends the process before its time, by what its caller can do.
enum Failure {
    /// It was told something impossible: exit code 2.
    Config(anyhow::Error),
    /// It was told right, and it failed: exit code 1.
    Failed(anyhow::Error),
    /// It was told something that could do harm, and did nothing: exit code 3.
    #[cfg(feature = "log")]
    Refused(anyhow::Error),
}

fn main() -> ExitCode {
    // On an error of usage clap says so and exits with 2.
    let cli = Cli::parse();
    match start(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let (error, code) = match failure {
                Failure::Config(error) => (error, 2),
                Failure::Failed(error) => (error, 1),
                #[cfg(feature = "log")]
                Failure::Refused(error) => (error, 3),
            };
            // With stderr closed there is nobody left to tell.
            let _ = writeln!(std::io::stderr(), "gametel-http: {error:#}");
            ExitCode::from(code)
        }
    }
}

fn start(cli: Cli) -> Result<(), Failure> {
    log_to_stderr(&cli.log).map_err(Failure::Config)?;
    match cli.command {
        Command::Serve(args) => {
            let settings = args.resolve().context("--sink").map_err(Failure::Config)?;
            runtime()?.block_on(serve(settings))
        }
        #[cfg(feature = "log")]
        Command::Spool(command) => command.run(),
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Runtime::new().context("the threads can't be started").map_err(Failure::Failed)
}

async fn serve(settings: Settings) -> Result<(), Failure> {
    let Settings { mut server, sink: endpoint, topic, catalog, headers, .. } = settings;
    #[cfg(feature = "log")]
    let spool = settings.spool;
    let catalog = match &catalog {
        None => Catalog::game(),
        Some(path) => {
            Catalog::load(path).context("the catalog can't be used").map_err(Failure::Config)?
        }
    };
    let rule = headers.rule(&catalog).context("the headers to keep can't be kept");
    server.routes.header_rule = Some(rule.map_err(Failure::Config)?);
    #[cfg(feature = "log")]
    let opened = spool.open(&endpoint, topic).await;
    #[cfg(not(feature = "log"))]
    let opened = sinks::open(&endpoint, topic).await;
    let sink = opened.map_err(|error| not_opened(&endpoint, error))?;
    let catalog_name = catalog.name().to_owned();
    let server = match Server::bind(server, Arc::new(catalog), Arc::clone(&sink)).await {
        Ok(server) => server,
        Err(error) => {
            // Nothing was written to it, so there is nothing to lose if it can't be closed.
            let _ = sink.close().await;
            return Err(Failure::Failed(error.into()));
        }
    };
    // The signals are caught before anyone is told that there is a server to send them to.
    let shutdown = shutdown_signal().context("signals can't be caught").map_err(Failure::Failed)?;
    let address = server.local_addr();
    tracing::info!(sink = %endpoint, catalog = catalog_name, "listening on http://{address}");
    match server.run(shutdown).await {
        Ok(summary) => {
            tracing::info!("stopped: {}", summary.totals);
            Ok(())
        }
        Err(error) => {
            tracing::info!("stopped: {}", error.totals());
            Err(Failure::Failed(error.into()))
        }
    }
}

fn not_opened(endpoint: &Endpoint, error: SinkError) -> Failure {
    let failure =
        if error.kind() == SinkErrorKind::Config { Failure::Config } else { Failure::Failed };
    // The spool in front of it says itself which it is.
    let is_the_sink = error.sink() != "spool";
    let error = anyhow::Error::new(error);
    failure(match is_the_sink {
        true => error.context(format!("the sink {endpoint} can't be opened")),
        false => error,
    })
}

/// Ends at the first SIGTERM or ctrl-c. A second one ends the process at once.
#[cfg(unix)]
fn shutdown_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        tracing::info!("{name}: stopping, once the requests in hand are answered");
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::warn!("a second signal: stopped at once");
            std::process::exit(1);
        });
    })
}

#[cfg(not(unix))]
fn shutdown_signal() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Where ctrl-c can't be caught it ends the process, which is a stop too.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

fn log_to_stderr(args: &LogArgs) -> anyhow::Result<()> {
    let rust_log = match std::env::var("RUST_LOG") {
        Ok(filter) if !filter.is_empty() => Some(filter),
        Ok(_) | Err(std::env::VarError::NotPresent) => None,
        Err(error) => return Err(error).context("RUST_LOG can't be read"),
    };
    let filter = args.log.as_ref().or(rust_log.as_ref()).map_or("info", String::as_str);
    let env_filter = EnvFilter::try_new(filter)
        .with_context(|| format!("{filter:?} is no filter for the log"))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(env_filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match args.log_format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
    Ok(())
}
