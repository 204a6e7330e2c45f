//! The manifests that lie beside the data.

use crate::commit::layout;
use crate::error::{BatchError, ErrorKind};
use crate::store::{Location, Store};

use super::{Manifest, RunId};

/// The ids of all runs that have a manifest, in order, and the names of the files there that are
/// none.
pub(crate) fn runs(store: &dyn Store) -> Result<(Vec<RunId>, Vec<String>), BatchError> {
    let (mut runs, mut others) = (Vec::new(), Vec::new());
    for name in store.names(layout::RUNS)? {
        match name.strip_suffix(".json").map(str::parse) {
            Some(Ok(run)) => runs.push(run),
            _ => others.push(name),
        }
    }
    runs.sort();
    Ok((runs, others))
}

/// Reads the manifest of a run.
///
/// # Errors
///
/// There is none ([`ErrorKind::Config`]), it can't be read, or it is no manifest of this run.
pub(crate) fn read(
    store: &dyn Store,
    output: &Location,
    run: RunId,
) -> Result<Manifest, BatchError> {
    let path = layout::manifest(run);
    let name = store.name_of(&path);
    let Some((json, _)) = store.get(&path)? else {
        return Err(BatchError::config(format!("there is no run {run}: {name} is missing")));
    };
    let mut manifest = Manifest::from_json(&json).map_err(|error| {
        BatchError::new(error.kind(), format!("{name} can't be read")).with_source(error)
    })?;
    if manifest.run != run {
        let message = format!("{name} is the manifest of another run, {}", manifest.run);
        return Err(BatchError::new(ErrorKind::Failed, message));
    }
    manifest.output = output.clone();
    Ok(manifest)
}
