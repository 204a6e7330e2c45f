use std::fmt::Write;
use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;
use indicatif::{HumanCount, ProgressBar, ProgressState, ProgressStyle};

use gametel_batch::RunConfig;
use gametel_batch::display::datasets;
use gametel_batch::{BatchError, ErrorKind};

use super::catalog::CatalogFile;
use super::output;
use super::show::Rows;
use super::url::Url;
use super::write::WriteArgs;

/// Reads a source once, and replaces the datasets of the output.
#[derive(Debug, Args)]
pub(super) struct Run {
    /// Where to read: sqlite:PATH or kafka://HOST:PORT[,HOST:PORT]/TOPIC.
    #[arg(long, value_name = "URL", env = "GAMETEL_SOURCE")]
    source: Url,

    /// The folder of the datasets; made if it is not there.
    #[arg(long, value_name = "FOLDER", env = "GAMETEL_OUTPUT")]
    output: PathBuf,

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

impl Run {
    pub(super) async fn execute(self) -> super::CommandResult {
        let source = self.source.endpoint()?;
        let catalog = self.catalog.load()?;
        let output = plain_path(&self.output);
        let bar = progress_bar();
        let shown = bar.clone();
        let config = RunConfig::new(source, output, catalog)
            .with_write(self.write.options())
            .with_progress(move |progress| {
                shown.set_length(progress.offsets);
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
        if self.json {
            return output::print_json(&report);
        }
        let tables = datasets(&report, self.rows.limit(), self.rows.truncate())?;
        output::print(&format!("{tables}{report}"))
    }
}

/// A folder may be given as a `file:` URL.
fn plain_path(output: &std::path::Path) -> PathBuf {
    let path = output.to_str().and_then(|output| output.strip_prefix("file:"));
    path.map_or_else(|| output.to_owned(), |path| path.strip_prefix("//").unwrap_or(path).into())
}

/// A bar where somebody watches, nothing elsewhere.
fn progress_bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let template = "{bar:30} {human_pos}/{human_len} records  {rate}  {eta} left";
    let rate = |state: &ProgressState, text: &mut dyn Write| {
        let _ = write!(text, "{}/s", HumanCount(state.per_sec() as u64));
    };
    let style = ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("rate", rate);
    ProgressBar::new(0).with_style(style)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_may_be_a_file_url() {
        for (output, path) in [
            ("tables", "tables"),
            ("/var/tables", "/var/tables"),
            ("file:///var/tables", "/var/tables"),
            ("file:tables", "tables"),
        ] {
            assert_eq!(plain_path(output.as_ref()), PathBuf::from(path), "{output}");
        }
    }
}
