//! The runs of an output, by their manifests.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use gametel_core::event::Timestamp;
use serde::Serialize;

use crate::commit;
use crate::display::printable;
use crate::error::BatchError;
use crate::manifest::{Manifest, Mode, ReadPartition, RunId, json, stored};
use crate::store::{self, Location};
use crate::timestamp::write_rfc3339;

/// The runs of an output, in their order.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct History {
    /// Where the datasets are.
    pub output: String,
    /// The run as of which readers see the datasets; none, if there was no run yet.
    pub current: Option<RunId>,
    /// The runs, oldest first.
    pub runs: Vec<PastRun>,
    /// What lies among the manifests, and can't be read as one.
    pub damaged: Vec<Damaged>,
}

/// One run, by its manifest.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PastRun {
    /// Its id.
    pub run: RunId,
    /// When it began.
    #[serde(serialize_with = "json::rfc3339::serialize")]
    pub started: Timestamp,
    /// When everything was written and checked.
    #[serde(serialize_with = "json::rfc3339::serialize")]
    pub finished: Timestamp,
    /// How it changed the datasets.
    pub mode: Mode,
    /// Of a rollback, the run whose datasets it brought back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restored: Option<RunId>,
    /// Of a replay, how many records of the quarantine it took, by their reasons.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub replayed: BTreeMap<String, u64>,
    /// Of a replay that sent them away, where to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_to: Option<String>,
    /// Where the records came from.
    pub sources: Vec<String>,
    /// What it read of each partition.
    pub partitions: Vec<ReadPartition>,
    /// How many records it read.
    pub read: u64,
    /// How many rows it wrote to datasets, but for quarantine.
    pub rows: u64,
    /// How many rows it wrote to quarantine.
    pub quarantined: u64,
    /// Whether readers see the datasets as of this run.
    pub is_current: bool,
    /// Whether the datasets as of this run are kept, and can be brought back.
    pub can_be_restored: bool,
}

/// A file among the manifests that can't be read as one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Damaged {
    /// Its name.
    pub file: String,
    /// Why it can't.
    pub why: String,
}

/// Reads the manifests of an output. Blocks its thread.
///
/// # Errors
///
/// The output can't be read. A manifest that can't is [damaged](History::damaged), and no error.
pub fn history(output: &Location) -> Result<History, BatchError> {
    let store = store::open(output)?;
    let snapshots = commit::chain(&*store)?;
    let current = snapshots.first().map(|snapshot| snapshot.run);
    let kept: BTreeSet<RunId> = snapshots.iter().skip(1).map(|snapshot| snapshot.run).collect();
    let (ids, others) = stored::runs(&*store)?;
    let why = "it is named after no run".to_owned();
    let damaged = others.into_iter().map(|file| Damaged { file, why: why.clone() }).collect();
    let mut history = History { output: output.to_string(), current, runs: Vec::new(), damaged };
    for run in ids {
        match stored::read(&*store, output, run) {
            Ok(manifest) => {
                let (is_current, can_be_restored) = (current == Some(run), kept.contains(&run));
                history.runs.push(PastRun::new(manifest, is_current, can_be_restored));
            }
            Err(error) => {
                let file = format!("{run}.json");
                history.damaged.push(Damaged { file, why: error.one_line() });
            }
        }
    }
    Ok(history)
}

impl PastRun {
    fn new(manifest: Manifest, is_current: bool, can_be_restored: bool) -> Self {
        Self {
            run: manifest.run,
            started: manifest.started,
            finished: manifest.finished,
            mode: manifest.mode,
            restored: manifest.restored,
            sent_to: manifest.replay.as_ref().and_then(|replay| replay.to.clone()),
            replayed: manifest.replay.map(|replay| replay.replayed).unwrap_or_default(),
            sources: manifest.sources,
            read: manifest.read,
            rows: manifest.datasets.iter().fold(0, |rows, dataset| {
                // Whatever a file says that nobody has verified yet.
                u64::saturating_add(rows, dataset.rows)
            }),
            quarantined: manifest.quarantine.rows,
            partitions: manifest.partitions,
            is_current,
            can_be_restored,
        }
    }

    /// What it is to somebody who wants to go back.
    fn state(&self) -> &'static str {
        match (self.is_current, self.can_be_restored) {
            (true, _) => "current",
            (_, true) => "kept",
            _ => "",
        }
    }
}

impl fmt::Display for History {
    /// A line for each run, under a line of headings.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |run: &str, began: &str, mode: &str, counts: [&str; 3], more: [&str; 2]| {
            let [read, rows, quarantined] = counts;
            let [state, offsets] = more;
            let text = format!(
                "{run:<36}  {began:<20}  {mode:<9}  {read:>10}  {rows:>10}  {quarantined:>11}  \
                 {state:<7}  {offsets}"
            );
            writeln!(f, "{}", text.trim_end())
        };
        let counts = ["read", "rows", "quarantined"];
        line("run", "began", "mode", counts, ["state", "offsets"])?;
        for run in &self.runs {
            let mut began = String::new();
            write_rfc3339(
                &mut began,
                Timestamp::from_millis(run.started.as_millis() / 1_000 * 1_000),
            );
            let counts = [run.read, run.rows, run.quarantined].map(|count| count.to_string());
            let more = match (run.restored, run.mode) {
                (Some(restored), _) => format!("as of {restored}"),
                (None, Mode::Replay) => replayed(run),
                (None, _) => offsets(&run.partitions),
            };
            let counts = counts.each_ref().map(String::as_str);
            line(&run.run.to_string(), &began, run.mode.as_str(), counts, [run.state(), &more])?;
        }
        for Damaged { file, why } in &self.damaged {
            writeln!(f, "damaged: {}: {}", printable(file), printable(why))?;
        }
        if let Some(current) = self.current.filter(|id| !self.runs.iter().any(|run| run.run == *id))
        {
            writeln!(f, "current: {current}, of which there is no manifest")?;
        }
        Ok(())
    }
}

/// `of quarantine: invalid_json, too_long, to kafka://…`
fn replayed(run: &PastRun) -> String {
    let reasons: Vec<_> = run.replayed.keys().map(|reason| printable(reason).to_string()).collect();
    let to = run.sent_to.iter().map(|to| format!(", to {}", printable(to))).collect::<String>();
    format!("of quarantine: {}{to}", reasons.join(", "))
}

/// `events/0 0..60, events/1 0..7`; of a long list, the first and how many there are in all.
fn offsets(partitions: &[ReadPartition]) -> String {
    const SHOWN: usize = 3;
    let shown = partitions.iter().take(SHOWN);
    let mut texts: Vec<_> = shown
        .map(|read| {
            let ReadPartition { topic, partition, start, end, .. } = read;
            format!("{}/{partition} {start}..{end}", printable(topic))
        })
        .collect();
    if partitions.len() > SHOWN {
        texts.push(format!("and {} partitions more", partitions.len() - SHOWN));
    }
    texts.join(", ")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn thousands_of_runs_are_told_in_order() {
        const RUNS: i64 = 3_000;

        let folder = tempfile::tempdir().unwrap();
        let runs = folder.path().join("_gametel/runs");
        fs::create_dir_all(&runs).unwrap();
        let golden = include_bytes!("manifest/golden/manifest.json");
        let mut manifest = Manifest::from_json(golden).unwrap();
        for number in 0..RUNS {
            let began = Timestamp::from_millis(manifest.started.as_millis() + 3_600_000);
            manifest.previous = Some(manifest.run);
            manifest.run = RunId::after(manifest.previous, began);
            manifest.started = began;
            // One in a thousand was cut short, by somebody else than us.
            let json = manifest.to_json();
            let json = if number % 1_000 == 7 { &json[..100] } else { &json[..] };
            fs::write(runs.join(format!("{}.json", manifest.run)), json).unwrap();
        }
        let history = history(&folder.path().into()).unwrap();
        assert_eq!((history.runs.len(), history.damaged.len()), (2_997, 3));
        assert!(history.runs.is_sorted_by(|one, next| one.run < next.run));
        assert!(history.runs.is_sorted_by(|one, next| one.started < next.started));
        let text = history.to_string();
        assert_eq!(text.lines().filter(|line| line.starts_with("damaged: ")).count(), 3);
        assert_eq!(text.lines().count(), 1 + 3_000);
    }
}
