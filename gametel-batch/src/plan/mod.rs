//! What a run would do, without doing it.
//!
//! A [`Plan`] has the ranges that a run would read now, what the source has lost since the last
//! run, what a sample of the records becomes with today's catalog, how the datasets' columns would
//! change, what the datasets would be like, about, and what would be [refused](Plan::findings).
//! Nothing is written, and no lock is taken.

mod estimate;
mod sample;
mod summary;

use std::collections::BTreeMap;

use serde::Serialize;

use gametel_core::catalog::QUARANTINE;

use crate::commit;
use crate::config::RunConfig;
use crate::error::BatchError;
use crate::manifest::{Mode, WrittenDataset};
use crate::run::{guard, names_of, wanted};
use crate::safeguard::{Finding, Held, check_rows};
use crate::source::PartitionRange;
use crate::store;

use sample::Sample;

/// How many records a plan looks at, unless it is told otherwise.
pub const SAMPLE: usize = 10_000;

/// What a run would do.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Plan {
    /// How it would change the datasets.
    pub mode: Mode,
    /// Where the datasets are, or would be.
    pub output: String,
    /// Where it would read.
    pub sources: Vec<String>,
    /// What it would read of each partition.
    pub partitions: Vec<PlannedPartition>,
    /// How many offsets these are in all; none where a source's end is known only when it was read.
    pub offsets: Option<u64>,
    /// How many records were looked at. What follows is by these.
    pub sampled: u64,
    /// What would be written to each dataset, and to the quarantine as the last.
    pub datasets: Vec<PlannedDataset>,
    /// The sampled events that land in no dataset, by type.
    pub unselected: BTreeMap<String, u64>,
    /// The sampled records that go to quarantine, by reason.
    pub quarantined: BTreeMap<String, u64>,
    /// The sampled records without a value.
    pub tombstones: u64,
    /// The columns that would come, go or change.
    pub schema: Vec<ColumnChange>,
    /// For what the run would be refused, where that is not allowed.
    pub findings: Vec<Finding>,
}

/// What would be read of one partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlannedPartition {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
    /// The first offset.
    pub start: i64,
    /// One past the last offset, where it is known.
    pub end: Option<i64>,
    /// How many offsets the source has lost that the run would have needed: those of rows that the
    /// datasets have, if it overwrites them, or those that nobody has read, if it adds to them.
    pub removed: u64,
}

/// What would be written to one dataset. Rows, bytes and files are estimates: of each partition its
/// first and last records stand for all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlannedDataset {
    /// The dataset's name.
    pub name: String,
    /// The rows that it has now.
    pub rows_now: u64,
    /// The rows among the sampled records.
    pub sampled: u64,
    /// The rows that would be written, about; none where a source's end is not known.
    pub rows: Option<u64>,
    /// The bytes of their files, about.
    pub bytes: Option<u64>,
    /// How many files these are, at least.
    pub files: Option<u64>,
}

/// One column of a dataset that would not be as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ColumnChange {
    /// The dataset's name.
    pub dataset: String,
    /// The column's name.
    pub column: String,
    /// Its type now; none of a column that would come.
    pub before: Option<String>,
    /// Its type then; none of a column that would go.
    pub after: Option<String>,
}

/// Finds out what a [run](crate::run()) of this configuration would do now. It looks at about so
/// many records, and at most at 32 MiB of them. Blocks its thread.
///
/// ```
/// use gametel_batch::RunConfig;
/// use gametel_batch::plan::plan;
/// use gametel_core::catalog::Catalog;
/// use gametel_core::endpoint::Endpoint;
///
/// # let folder = tempfile::tempdir()?;
/// let events = folder.path().join("events.ndjson");
/// std::fs::write(&events, "{\"event_type\":\"purchase_sword\"}\n")?;
///
/// let tables = folder.path().join("tables");
/// let plan = plan(&RunConfig::new(Endpoint::File(events), &*tables, Catalog::game()), 1_000)?;
/// assert_eq!((plan.sampled, plan.datasets[0].sampled), (1, 1));
/// assert!(plan.findings.is_empty() && !tables.exists());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// The source or the output can't be read; standard input is the source, which could not be read
/// again; or the run would be refused whatever is allowed.
pub fn plan(config: &RunConfig, records: usize) -> Result<Plan, BatchError> {
    let store = store::open(&config.output)?;
    let names = names_of(&config.catalog);
    let base = commit::current(&*store)?;
    let mut there = false;
    for name in &names {
        there |= !commit::shown_names(&*store, name)?.is_empty();
    }
    let (mode, wanted) = wanted(config, base.as_ref(), there)?;
    // Everything that can be known is shown, whatever the mode asks about.
    let held = guard::held(&*store, &config.output, base.as_ref(), &names, Mode::Overwrite)?;
    let wanted = guard::skipping(wanted);
    let (source, mut findings) = guard::examine(&held, &wanted, config, mode)?;
    let ranges = source.ranges().to_vec();
    drop(source);
    let mut sample = Sample::take(config, &wanted, records)?;

    let datasets = estimate::datasets(config, &mut sample, &held)?;
    if mode == Mode::Overwrite {
        let expected = |planned: &PlannedDataset| {
            let (name, rows) = (planned.name.clone(), planned.rows?);
            Some(WrittenDataset { name, rows, ..WrittenDataset::default() })
        };
        let expected: Vec<_> =
            datasets.iter().filter(|d| d.name != QUARANTINE).filter_map(expected).collect();
        findings.extend(check_rows(&held, &expected, config.min_rows_share));
    }
    Ok(Plan {
        mode,
        output: config.output.to_string(),
        sources: config.source.endpoints.iter().map(ToString::to_string).collect(),
        partitions: ranges.iter().map(|range| planned(range, &held, mode)).collect(),
        offsets: ranges.iter().map(PartitionRange::offsets).sum(),
        sampled: sample.records,
        datasets,
        unselected: sample.unselected.by_name(),
        quarantined: sample.quarantined.by_name(),
        tombstones: sample.tombstones,
        schema: column_changes(config, &held),
        findings,
    })
}

fn planned(range: &PartitionRange, held: &Held, mode: Mode) -> PlannedPartition {
    let low = range.there.as_ref().map_or(range.start, |there| there.start);
    let removed = held.range(&range.topic, range.partition).map_or(0, |(start, end)| match mode {
        Mode::Append => low - end,
        _ => low.min(end) - start,
    });
    PlannedPartition {
        topic: range.topic.to_string(),
        partition: range.partition,
        start: range.start,
        end: range.end,
        removed: u64::try_from(removed).unwrap_or(0),
    }
}

fn column_changes(config: &RunConfig, held: &Held) -> Vec<ColumnChange> {
    let mut changes = Vec::new();
    for (dataset, new) in guard::shapes(&config.catalog) {
        let Some(old) = held.shape(dataset) else { continue };
        let type_in = |shape: &crate::safeguard::Shape, name: &str| {
            let column = shape.schema.iter().find(|column| column.name == name);
            column.map(|column| column.r#type.clone())
        };
        let gone = old.schema.iter().filter(|old| type_in(&new, &old.name).is_none());
        for column in new.schema.iter().chain(gone).map(|column| &column.name) {
            let (before, after) = (type_in(old, column), type_in(&new, column));
            if before != after {
                let (dataset, column) = (dataset.to_owned(), column.clone());
                changes.push(ColumnChange { dataset, column, before, after });
            }
        }
    }
    changes
}
