use clap::Args;
use gametel_batch::{ReplayConfig, Safeguard};

use super::catalog::CatalogFile;
use super::output;
use super::place::Tables;
use super::url::Url;
use super::write::WriteArgs;

/// Decodes records of the quarantine again, or sends them to a topic or a log.
#[derive(Debug, Args)]
pub(super) struct Replay {
    #[command(flatten)]
    output: Tables,

    /// Why the records are in quarantine: column_type_mismatch, invalid_json, ... Several have commas
    /// between.
    #[arg(long = "reason", value_name = "REASON", value_delimiter = ',', required = true)]
    reasons: Vec<String>,

    /// Send them there: kafka://HOST:PORT/TOPIC, which must be there, or sqlite:PATH. May be where
    /// they came from.
    #[arg(long, value_name = "URL")]
    to: Option<Url>,

    /// How many earlier states of the output to keep for `rollback`.
    #[arg(long, value_name = "N", default_value_t = 3)]
    keep: usize,

    /// Go on where this would refuse the replay: schema-change, replay-interrupted. May be given
    /// several times.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    allow: Vec<Safeguard>,

    #[command(flatten)]
    catalog: CatalogFile,

    #[command(flatten)]
    write: WriteArgs,

    /// Print the manifest of the replay as JSON.
    #[arg(long)]
    json: bool,
}

impl Replay {
    pub(super) async fn execute(self) -> super::CommandResult {
        let (output, catalog) = (self.output.location()?, self.catalog.load()?);
        let mut config = ReplayConfig::new(output, self.reasons, catalog)
            .with_keep(self.keep)
            .with_allow(self.allow)
            .with_write(self.write.options());
        if let Some(to) = self.to {
            config = config.with_to(to.endpoint()?);
        }
        let manifest = gametel_batch::replay(config).await?;
        if manifest.nothing_new() {
            output::say("nothing to replay; nothing was written");
        }
        if self.json {
            return output::print_json(&manifest);
        }
        output::print(&manifest.to_string())
    }
}
