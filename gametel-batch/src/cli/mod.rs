//! The command line: one file a command. stdout carries results, stderr carries logs and progress.

mod catalog;
mod files;
mod gc;
mod history;
mod output;
mod place;
mod plan;
mod replay;
mod rollback;
mod run;
mod safeguard;
mod schema;
mod show;
mod source;
mod tail;
#[cfg(feature = "kafka")]
mod topic;
mod url;
mod verify;
mod write;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use gametel_batch::BatchError;

/// Lands gametel events from Kafka, an embedded log or files as Parquet datasets.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  gametel-batch run --source sqlite:gametel-events.db --output tables
  gametel-batch run --source kafka://127.0.0.1:9092/events --output tables --json
  gametel-batch run --source kafka://127.0.0.1:9092/logins,purchases --output tables \
      --start 2026-11-24 --end 2026-11-25
  zcat old/*.gz | gametel-batch run --source - --output tables
  gametel-batch run --source kafka://127.0.0.1:9092/events --output tables --mode append
  gametel-batch replay tables --reason column_type_mismatch --catalog arena.toml
  gametel-batch rollback tables
  gametel-batch verify tables --deep
  gametel-batch history tables
  gametel-batch run --source kafka://127.0.0.1:9092/events --output hdfs://127.0.0.1:8020/tmp
  gametel-batch files s3://bucket/tables equipment_purchases --format duckdb-sql
  gametel-batch show tables/equipment_purchases --rows 5
  gametel-batch catalog --catalog arena.toml > TRACKING_PLAN.md
  gametel-batch tail --source kafka://127.0.0.1:9092/events -f

Exit codes: 0 done, 1 failed (nothing half-visible), 2 usage or configuration,
3 refused for safety.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Read a source once, and replace the datasets of the output.
    Run(run::Run),
    /// Decode records of the quarantine again, or send them elsewhere.
    ///
    /// Without --to they are decoded with today's catalog. What is an event of a dataset now is added
    /// to it; what still fits nowhere stays. With --to they are sent as they came, whatever they are.
    /// Either way their rows stay in the quarantine, and are marked: they are not replayed again,
    /// unless a rollback brings back what was before.
    Replay(replay::Replay),
    /// Bring back the datasets of an earlier run: exactly its files.
    ///
    /// It is a run of its own, and can itself be taken back: without --to, the state before the
    /// current one comes back, so a second rollback undoes the first. An append behind it goes on at
    /// the offsets where the run that was brought back has ended. Datasets that were not there then
    /// are gone until a rollback to where they were.
    Rollback(rollback::Rollback),
    /// Remove earlier states of the output, and what is of none.
    ///
    /// What readers see stays. Each run does the same at its end.
    Gc(gc::Gc),
    /// Compute what the runs claim of the datasets anew from the files.
    Verify(verify::Verify),
    /// Print the runs of an output.
    History(history::HistoryCommand),
    /// Say what a run with the same options would do, and write nothing.
    Plan(plan::PlanCommand),
    /// Print the first rows of a dataset.
    Show(show::Show),
    /// Print the schema of a dataset.
    Schema(schema::Schema),
    /// Print the files of a dataset that readers are to read.
    Files(files::Files),
    /// Check a catalog, and print it: as a tracking plan, as TOML, or as JSON Schema.
    Catalog(catalog::CatalogCommand),
    /// Print the events of a source, one a line.
    Tail(tail::Tail),
    /// Make or look at a Kafka topic.
    #[cfg(feature = "kafka")]
    #[command(subcommand)]
    Topic(topic::Topic),
}

impl Cli {
    /// Does what was asked, and says on one line of stderr what failed.
    pub(crate) async fn execute(self) -> ExitCode {
        let result = match self.command {
            Command::Run(run) => run.execute().await,
            Command::Replay(replay) => replay.execute().await,
            Command::Rollback(rollback) => rollback.execute().await,
            Command::Gc(gc) => gc.execute().await,
            Command::Verify(verify) => verify.execute(),
            Command::History(history) => history.execute(),
            Command::Plan(plan) => plan.execute(),
            Command::Show(show) => show.execute(),
            Command::Schema(schema) => schema.execute(),
            Command::Files(files) => files.execute(),
            Command::Catalog(catalog) => catalog.execute(),
            Command::Tail(tail) => tail.execute().await,
            #[cfg(feature = "kafka")]
            Command::Topic(topic) => topic.execute().await,
        };
        match result {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                output::complain(&error);
                ExitCode::from(error.exit_code())
            }
        }
    }
}

type CommandResult = Result<(), BatchError>;
