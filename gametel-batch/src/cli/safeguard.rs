use clap::Args;

use gametel_batch::{RowsShare, Safeguard};

/// What a run asks before it replaces anything.
#[derive(Debug, Args)]
pub(super) struct SafeguardArgs {
    /// Go on where this would refuse the run: empty-topic, topic-recreated, removed-by-retention,
    /// fewer-rows, schema-change. May be given several times.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(super) allow: Vec<Safeguard>,

    /// The share of its rows, from 0 to 1, that each dataset must keep when it is overwritten.
    #[arg(long, value_name = "SHARE", default_value_t)]
    pub(super) min_rows_share: RowsShare,
}
