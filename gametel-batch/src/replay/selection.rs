use std::collections::{BTreeMap, BTreeSet};

use arrow_array::Array;
use arrow_array::cast::AsArray;
use gametel_core::catalog::QUARANTINE;

use crate::commit::{Homes, Snapshot};
use crate::dataset::ParquetFile;
use crate::display::printable;
use crate::error::BatchError;
use crate::manifest::{ReplayedRows, RowRanges};
use crate::store::Store;

/// The rows of the quarantine that are asked for, and that no replay has taken yet.
pub(super) fn select(
    store: &dyn Store,
    base: &Snapshot,
    reasons: &BTreeSet<String>,
) -> Result<Vec<ReplayedRows>, BatchError> {
    let mut there: BTreeMap<String, u64> = BTreeMap::new();
    let mut selected = Vec::new();
    let homes = Homes::now(store)?;
    for file in base.files(QUARANTINE) {
        let path = homes.home_of(file.run, QUARANTINE, &file.name);
        let rows = rows_of(store, &path, reasons, &mut there)?;
        let rows = rows.without(&base.replayed(file.run, &file.name));
        if !rows.is_empty() {
            selected.push(ReplayedRows::new(file.run, &file.name, rows));
        }
    }
    let unknown: Vec<_> = reasons.iter().filter(|reason| !there.contains_key(*reason)).collect();
    if !there.is_empty() && !unknown.is_empty() {
        let list = |names: &[&String]| {
            let names: Vec<_> = names.iter().map(|name| printable(name).to_string()).collect();
            names.join(", ")
        };
        return Err(BatchError::config(format!(
            "the quarantine has no record with the reason {}; its reasons are {}",
            list(&unknown),
            list(&there.keys().collect::<Vec<_>>()),
        )));
    }
    Ok(selected)
}

/// The rows of one file with such a reason. All reasons are counted.
fn rows_of(
    store: &dyn Store,
    path: &str,
    reasons: &BTreeSet<String>,
    there: &mut BTreeMap<String, u64>,
) -> Result<RowRanges, BatchError> {
    let unreadable = || format!("{} can't be read", store.name_of(path));
    let failed = |error| BatchError::failed(unreadable(), error);
    let file = ParquetFile::open(store.open(path)?.into()).map_err(failed)?;
    let mut rows = RowRanges::default();
    let mut number = 0;
    for batch in file.column("reason").map_err(failed)? {
        let batch = batch.map_err(|error| BatchError::failed(unreadable(), error))?;
        let column =
            batch.column_by_name("reason").and_then(|column| column.as_string_opt::<i32>());
        let column = column.ok_or_else(|| BatchError::failed(unreadable(), "it has no reasons"))?;
        for row in 0..column.len() {
            let reason = if column.is_valid(row) { column.value(row) } else { "" };
            match there.get_mut(reason) {
                Some(count) => *count += 1,
                None => drop(there.insert(reason.to_owned(), 1)),
            }
            if reasons.contains(reason) {
                rows.push(number);
            }
            number += 1;
        }
    }
    Ok(rows)
}
