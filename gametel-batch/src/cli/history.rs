use std::path::PathBuf;

use clap::Args;

use gametel_batch::history::history;

use super::output;
use super::place::location;

/// Prints the runs of an output, in their order.
#[derive(Debug, Args)]
pub(super) struct HistoryCommand {
    /// The folder of the datasets, or a file: URL of it.
    output: PathBuf,

    /// Print it as JSON, with every partition of every run.
    #[arg(long)]
    json: bool,
}

impl HistoryCommand {
    pub(super) fn execute(self) -> super::CommandResult {
        let history = history(&location(&self.output)?)?;
        if self.json {
            return output::print_json(&history);
        }
        output::print(&history.to_string())
    }
}
