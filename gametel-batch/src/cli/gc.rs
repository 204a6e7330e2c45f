use clap::Args;

use super::output;
use super::place::Tables;

/// Removes earlier states of the output, and what is of none.
#[derive(Debug, Args)]
pub(super) struct Gc {
    #[command(flatten)]
    output: Tables,

    /// How many states before the current one to keep for `rollback`.
    #[arg(long, value_name = "N")]
    keep: usize,

    /// Print what was removed as JSON.
    #[arg(long)]
    json: bool,
}

impl Gc {
    pub(super) async fn execute(self) -> super::CommandResult {
        let collected = gametel_batch::gc(self.output.location()?, self.keep).await?;
        if self.json {
            return output::print_json(&collected);
        }
        let runs = collected.runs.len();
        let (files, bytes) = (collected.files, collected.bytes);
        output::print(&format!("removed {runs} states, {files} files, {bytes} bytes\n"))
    }
}
