use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use gametel_batch::{BatchError, Location, StoreOptions};

/// Where the datasets are.
#[derive(Debug, Args)]
pub(super) struct Output {
    /// Where the datasets are: a folder, hdfs://NAMENODE:PORT/PATH or s3://BUCKET/PREFIX.
    #[arg(long, value_name = "URL", env = "GAMETEL_OUTPUT")]
    output: PathBuf,

    #[command(flatten)]
    reach: Reach,
}

/// How a store on another machine is reached.
#[derive(Clone, Copy, Debug, Args)]
struct Reach {
    /// After how long without an answer of HDFS or S3 a request is an error, and how long one is
    /// tried again that failed for a reason that may pass.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    store_timeout: u64,
}

/// Where datasets are that were written before.
#[derive(Debug, Args)]
pub(super) struct Tables {
    /// Where the datasets are: a folder, hdfs://NAMENODE:PORT/PATH or s3://BUCKET/PREFIX.
    #[arg(value_name = "OUTPUT", env = "GAMETEL_OUTPUT")]
    output: PathBuf,

    #[command(flatten)]
    reach: Reach,
}

impl Tables {
    pub(super) fn location(&self) -> Result<Location, BatchError> {
        located(&self.output, self.reach.options())
    }
}

impl Output {
    pub(super) fn location(&self) -> Result<Location, BatchError> {
        located(&self.output, self.reach.options())
    }
}

impl Reach {
    fn options(self) -> StoreOptions {
        let mut options = StoreOptions::default();
        options.call_timeout = Duration::from_secs(self.store_timeout);
        options.retry_for = options.call_timeout;
        options
    }
}

/// What a path or URL names.
pub(super) fn location(output: &Path) -> Result<Location, BatchError> {
    located(output, StoreOptions::default())
}

/// What a path or URL names, reached in this way. A name that is not UTF-8 can only be a path.
fn located(output: &Path, options: StoreOptions) -> Result<Location, BatchError> {
    let location: Location = output.to_str().map_or_else(|| Ok(output.into()), str::parse)?;
    let readable = |(name, value): (OsString, OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    Ok(location.with_options(options.with_variables(std::env::vars_os().filter_map(readable))))
}
