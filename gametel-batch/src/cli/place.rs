use std::path::{Path, PathBuf};

use clap::Args;

use gametel_batch::{BatchError, Location};

/// Where the datasets are.
#[derive(Debug, Args)]
pub(super) struct Output {
    /// Where the datasets are: a folder, or a file: URL of one.
    #[arg(long, value_name = "URL", env = "GAMETEL_OUTPUT")]
    output: PathBuf,
}

/// Where datasets are that were written before.
#[derive(Debug, Args)]
pub(super) struct Tables {
    /// Where the datasets are: a folder, or a file: URL of one.
    #[arg(value_name = "OUTPUT", env = "GAMETEL_OUTPUT")]
    output: PathBuf,
}

impl Tables {
    pub(super) fn location(&self) -> Result<Location, BatchError> {
        location(&self.output)
    }
}

impl Output {
    pub(super) fn location(&self) -> Result<Location, BatchError> {
        location(&self.output)
    }
}

/// What a path or URL names. A name that is not UTF-8 can only be a path.
pub(super) fn location(output: &Path) -> Result<Location, BatchError> {
    output.to_str().map_or_else(|| Ok(output.into()), str::parse)
}
