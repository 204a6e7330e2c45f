use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use gametel_batch::dataset::Dataset;
use gametel_batch::display::tree;

use super::output;
use super::place::location;

/// Prints the schema of a dataset.
#[derive(Debug, Args)]
pub(super) struct Schema {
    /// The dataset's folder, or one Parquet file: a path, or a URL as OUTPUT/DATASET.
    dataset: PathBuf,

    /// Print the columns as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Column<'a> {
    name: &'a str,
    r#type: &'a str,
    nullable: bool,
}

impl Schema {
    pub(super) fn execute(self) -> super::CommandResult {
        let columns = Dataset::open_at(&location(&self.dataset)?)?.columns();
        if self.json {
            let columns =
                columns.iter().map(|(name, r#type)| Column { name, r#type, nullable: true });
            return output::print_json(&columns.collect::<Vec<_>>());
        }
        output::print(&tree(&columns))
    }
}
