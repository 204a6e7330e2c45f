use std::path::PathBuf;

use clap::Args;

use gametel_batch::manifest::RunId;
use gametel_batch::verify::{VerifyConfig, verify};
use gametel_batch::{BatchError, ErrorKind};

use super::catalog::CatalogFile;
use super::output;
use super::place::location;
use super::source::{KafkaArgs, source_of};
use super::url::Url;

/// Computes what the manifests claim anew from the files: each file's size, checksum, rows and
/// columns, that there are no others, and that the counts add up.
///
/// Each claim that is not true is a line, and the exit code is 1.
#[derive(Debug, Args)]
pub(super) struct Verify {
    /// The folder of the datasets, or a file: URL of it.
    output: PathBuf,

    /// Read every row again, and while the source still has the records that a run read, these too,
    /// and compare row by row.
    #[arg(long)]
    deep: bool,

    /// Verify the datasets as they were after this run; `history` has the ids.
    #[arg(long, value_name = "RUN")]
    run: Option<String>,

    /// Where the records are read again, in place of the sources that the manifests name.
    #[arg(long = "source", value_name = "URL", requires = "deep")]
    sources: Vec<Url>,

    #[command(flatten)]
    kafka: KafkaArgs,

    #[command(flatten)]
    catalog: CatalogFile,

    /// Print what was looked at and what was found as JSON.
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub(super) fn execute(self) -> super::CommandResult {
        let mut config = VerifyConfig::new(location(&self.output)?);
        config = config.with_kafka(self.kafka.settings()?);
        if let Some(run) = &self.run {
            config = config.with_run(run.parse::<RunId>()?);
        }
        if self.deep {
            config = config.with_deep(self.catalog.load()?);
        }
        if let Some(source) = source_of(self.sources, &self.kafka)? {
            config = config.with_source(source);
        }
        let verification = verify(&config)?;
        if self.json {
            output::print_json(&verification)?;
        } else {
            output::print(&verification.to_string())?;
        }
        match verification.findings.len() {
            0 => Ok(()),
            count => {
                let s = if count == 1 { " is" } else { "s are" };
                let message = format!("{count} claim{s} not true");
                Err(BatchError::new(ErrorKind::Failed, message))
            }
        }
    }
}
