use clap::Args;

use gametel_batch::RunConfig;
use gametel_batch::plan::{SAMPLE, plan};

use super::catalog::CatalogFile;
use super::output;
use super::place::Output;
use super::run::Mode;
use super::safeguard::SafeguardArgs;
use super::source::{RangeArgs, SourceArgs};
use super::write::WriteArgs;

/// Says what a run with the same options would do, and writes nothing.
#[derive(Debug, Args)]
pub(super) struct PlanCommand {
    #[command(flatten)]
    source: SourceArgs,

    #[command(flatten)]
    range: RangeArgs,

    #[command(flatten)]
    output: Output,

    /// What would become of datasets that are there already.
    #[arg(long, value_enum, default_value_t = Mode::Overwrite)]
    mode: Mode,

    #[command(flatten)]
    safeguards: SafeguardArgs,

    #[command(flatten)]
    catalog: CatalogFile,

    #[command(flatten)]
    write: WriteArgs,

    /// How many records to look at, about.
    #[arg(long, value_name = "N", default_value_t = SAMPLE)]
    sample: usize,

    /// Print the plan as JSON.
    #[arg(long)]
    json: bool,
}

impl PlanCommand {
    pub(super) fn execute(self) -> super::CommandResult {
        let source = self.range.of(self.source.config()?);
        let config = RunConfig::new(source, self.output.location()?, self.catalog.load()?)
            .with_mode(self.mode.into())
            .with_allow(self.safeguards.allow)
            .with_min_rows_share(self.safeguards.min_rows_share)
            .with_write(self.write.options());
        let plan = plan(&config, self.sample)?;
        if self.json {
            return output::print_json(&plan);
        }
        output::print(&plan.to_string())
    }
}
