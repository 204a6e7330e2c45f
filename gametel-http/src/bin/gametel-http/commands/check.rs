use anyhow::Context;

use super::{open_sink, print, runtime};
use crate::cli::CheckArgs;
use crate::failure::Failure;
use crate::settings::Settings;

/// Checks the configuration as [`serve`](super::serve()) would, and prints it.
pub(crate) fn check(args: CheckArgs) -> Result<(), Failure> {
    let settings = Settings::load(args.overrides).map_err(Failure::Settings)?;
    let prepared = settings.prepare().map_err(Failure::Settings)?;
    prepared.server.check_exposure()?;
    if args.connect {
        runtime()?.block_on(async {
            let sink = open_sink(&prepared).await?.sink;
            let closed = sink.close().await;
            let context = || format!("the sink {} can't be closed", prepared.sink);
            closed.with_context(context).map_err(Failure::Failed)
        })?;
    }
    let text = if args.json {
        settings.to_json().map(|json| format!("{json:#}\n"))
    } else {
        settings.to_toml()
    };
    print(&text.map_err(Failure::Failed)?)
}
