use std::path::PathBuf;

use clap::{Args, ValueEnum};
use gametel_batch::{BatchError, ErrorKind};
use gametel_core::catalog::Catalog;

use super::output;

/// Which catalog a command goes by.
#[derive(Debug, Args)]
pub(super) struct CatalogFile {
    /// The catalog's TOML file; without it, the built-in catalog `game`.
    #[arg(long, value_name = "FILE", env = "GAMETEL_CATALOG")]
    catalog: Option<PathBuf>,
}

impl CatalogFile {
    pub(super) fn load(&self) -> Result<Catalog, BatchError> {
        let Some(path) = &self.catalog else {
            return Ok(Catalog::game());
        };
        Catalog::load(path).map_err(|error| {
            BatchError::new(ErrorKind::Config, "the catalog is not valid").with_source(error)
        })
    }
}

/// Checks a catalog, and prints it: as a tracking plan, as TOML, or as an event's JSON Schema.
#[derive(Debug, Args)]
pub(super) struct CatalogCommand {
    #[command(flatten)]
    file: CatalogFile,

    /// The form to print it in.
    #[arg(long, value_enum, default_value_t = Format::Markdown)]
    format: Format,

    /// The type of the event whose schema is printed.
    #[arg(long, value_name = "TYPE", required_if_eq("format", "json-schema"))]
    event: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// A tracking plan: events, fields and datasets as a page for people.
    Markdown,
    /// The catalog as a file for --catalog: what to start an own one from.
    Toml,
    /// One event as it is on the wire, for producers in other languages.
    JsonSchema,
}

impl CatalogCommand {
    pub(super) fn execute(self) -> super::CommandResult {
        let catalog = self.file.load()?;
        let text = match self.format {
            Format::Markdown => catalog.to_markdown(),
            Format::Toml => catalog.to_toml(),
            Format::JsonSchema => json_schema(&catalog, &self.event.unwrap_or_default())?,
        };
        output::print(&text)
    }
}

fn json_schema(catalog: &Catalog, event_type: &str) -> Result<String, BatchError> {
    let schema = catalog.json_schema(event_type).ok_or_else(|| {
        let known: Vec<_> = catalog.events().iter().map(|e| e.event_type().as_str()).collect();
        let (name, known) = (catalog.name(), known.join(", "));
        let message = format!("the catalog {name} has no event {event_type:?} (there is: {known})");
        BatchError::new(ErrorKind::Config, message)
    })?;
    Ok(schema + "\n")
}
