use clap::{Args, ValueEnum};

use gametel_batch::{BatchError, CurrentFile, files};

use super::output;
use super::place::Tables;

/// Prints the files of a dataset that readers are to read.
#[derive(Debug, Args)]
pub(super) struct Files {
    #[command(flatten)]
    tables: Tables,

    /// The dataset's name.
    dataset: String,

    /// How to print them.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// One path or URL a line.
    #[default]
    Paths,
    /// A JSON array of objects with path and bytes.
    Json,
    /// A query for DuckDB that reads all of them.
    DuckdbSql,
}

impl Files {
    pub(super) fn execute(self) -> Result<(), BatchError> {
        let found = files(&self.tables.location()?, &self.dataset)?;
        match self.format {
            Format::Paths => output::print(
                &found.iter().map(|file| format!("{}\n", file.path)).collect::<String>(),
            ),
            Format::Json => output::print_json(&found),
            Format::DuckdbSql => output::print(&query(&found)),
        }
    }
}

fn query(files: &[CurrentFile]) -> String {
    let quoted = |file: &CurrentFile| format!("'{}'", file.path.replace('\'', "''"));
    let list: Vec<_> = files.iter().map(quoted).collect();
    let in_folders = files.iter().any(|file| file.path.split('/').any(|part| part.contains('=')));
    let more = if in_folders { ", hive_partitioning = true" } else { "" };
    format!("SELECT * FROM read_parquet([{}]{more});\n", list.join(", "))
}
