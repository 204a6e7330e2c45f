use clap::Args;

use gametel_batch::manifest::RunId;

use super::output;
use super::place::Tables;

/// Brings back the datasets of an earlier run: exactly its files.
#[derive(Debug, Args)]
pub(super) struct Rollback {
    #[command(flatten)]
    output: Tables,

    /// The run to go back to; without it, the one before the current one.
    #[arg(long, value_name = "RUN")]
    to: Option<RunId>,

    /// Print the manifest of the rollback as JSON.
    #[arg(long)]
    json: bool,
}

impl Rollback {
    pub(super) async fn execute(self) -> super::CommandResult {
        let manifest = gametel_batch::rollback(self.output.location()?, self.to).await?;
        if self.json {
            return output::print_json(&manifest);
        }
        let restored = manifest.restored.map_or_else(String::new, |run| run.to_string());
        output::print(&format!("run {}: brought back run {restored}\n", manifest.run))
    }
}
