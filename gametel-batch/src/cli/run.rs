use std::fmt::Write;
use std::io::IsTerminal;

use clap::{Args, ValueEnum};
use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressState, ProgressStyle};

use gametel_batch::display::datasets;
use gametel_batch::{BatchError, ErrorKind};
use gametel_batch::{OutputMode, RunConfig};

use super::catalog::CatalogFile;
use super::output;
use super::place::Output;
use super::safeguard::SafeguardArgs;
use super::show::Rows;
use super::source::{RangeArgs, SourceArgs};
use super::write::WriteArgs;

/// Reads a source once, and replaces the datasets of the output.
#[derive(Debug, Args)]
pub(super) struct Run {
    #[command(flatten)]
    source: SourceArgs,

    #[command(flatten)]
    range: RangeArgs,

    #[command(flatten)]
    output: Output,

    /// What becomes of datasets that are there already.
    #[arg(long, value_enum, default_value_t = Mode::Overwrite)]
    mode: Mode,

    /// How many earlier states of the output to keep for `rollback`.
    #[arg(long, value_name = "N", default_value_t = 3)]
    keep: usize,

    #[command(flatten)]
    safeguards: SafeguardArgs,

    #[command(flatten)]
    catalog: CatalogFile,

    #[command(flatten)]
    write: WriteArgs,

    #[command(flatten)]
    rows: Rows,

    /// Print the report as JSON, and no tables.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Mode {
    /// Replace them.
    Overwrite,
    /// Add what came since the last run, each record once.
    Append,
    /// Write nothing, and exit with 3.
    Fail,
}

impl From<Mode> for OutputMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Overwrite => Self::Overwrite,
            Mode::Append => Self::Append,
            Mode::Fail => Self::Fail,
        }
    }
}

impl Run {
    pub(super) async fn execute(self) -> super::CommandResult {
        let source = self.range.of(self.source.config()?);
        let catalog = self.catalog.load()?;
        let output = self.output.location()?;
        let bar = progress_bar();
        let shown = bar.clone();
        let config = RunConfig::new(source, output, catalog)
            .with_mode(self.mode.into())
            .with_keep(self.keep)
            .with_allow(self.safeguards.allow)
            .with_min_rows_share(self.safeguards.min_rows_share)
            .with_write(self.write.options())
            .with_progress(move |progress| {
                match progress.offsets {
                    Some(offsets) => shown.set_length(offsets),
                    None => shown.unset_length(),
                }
                shown.set_position(progress.read);
            });
        let report = tokio::select! {
            report = gametel_batch::run(config) => report,
            _ = tokio::signal::ctrl_c() => {
                Err(BatchError::new(ErrorKind::Failed, "interrupted; nothing was replaced"))
            }
        };
        bar.finish_and_clear();
        let report = report?;
        if report.nothing_new() {
            output::say("nothing new since the last run; nothing was written");
        }
        if self.json {
            return output::print_json(&report);
        }
        let tables = datasets(&report, self.rows.limit(), self.rows.truncate())?;
        output::print(&format!("{tables}{report}"))
    }
}

/// A bar where somebody watches, nothing elsewhere.
fn progress_bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let template = "{bar:30} {human_pos}{of} records  {rate}{left}";
    let rate = |state: &ProgressState, text: &mut dyn Write| {
        let _ = write!(text, "{}/s", HumanCount(state.per_sec() as u64));
    };
    // Where the end is not known, nothing is said of it.
    let of = |state: &ProgressState, text: &mut dyn Write| {
        let _ = state.len().map(|offsets| write!(text, "/{}", HumanCount(offsets)));
    };
    let left = |state: &ProgressState, text: &mut dyn Write| {
        let _ = state.len().map(|_| write!(text, "  {:#} left", HumanDuration(state.eta())));
    };
    let style = ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("rate", rate)
        .with_key("of", of)
        .with_key("left", left);
    ProgressBar::new(0).with_style(style)
}
