use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value};

use gametel_batch::BatchError;
use gametel_batch::dataset::{Dataset, Head};
use gametel_batch::display::{Truncate, table};

use super::output;
use super::place::location;

/// Prints the first rows of a dataset.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// The dataset's folder, or one Parquet file: a path, or a URL as OUTPUT/DATASET.
    dataset: PathBuf,

    #[command(flatten)]
    rows: Rows,

    /// Print each row as a JSON object on a line.
    #[arg(long)]
    json: bool,
}

/// How much of a dataset is shown.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Rows {
    /// How many rows to show.
    #[arg(long = "rows", value_name = "N", default_value_t = 20)]
    limit: usize,

    /// Show long values whole, instead of their first 17 characters.
    #[arg(long)]
    no_truncate: bool,
}

impl Rows {
    pub(super) fn limit(self) -> usize {
        self.limit
    }

    pub(super) fn truncate(self) -> Truncate {
        if self.no_truncate { Truncate::Never } else { Truncate::To(20) }
    }
}

impl Show {
    pub(super) fn execute(self) -> super::CommandResult {
        let head = Dataset::open_at(&location(&self.dataset)?)?.head(self.rows.limit())?;
        if self.json {
            return output::print(&json_lines(&head)?);
        }
        output::print(&table(&head, self.rows.truncate()))
    }
}

fn json_lines(head: &Head) -> Result<String, BatchError> {
    let mut lines = String::new();
    for row in &head.rows {
        let values = row.iter().map(|value| value.clone().map_or(Value::Null, Value::String));
        let object: Map<String, Value> = head.columns.iter().cloned().zip(values).collect();
        let line = serde_json::to_string(&object)
            .map_err(|error| output::failed("a row can't be written as JSON", error))?;
        lines.push_str(&line);
        lines.push('\n');
    }
    Ok(lines)
}
