//! Runs, rollbacks and sweeps that are killed at every call of the store, before it and after it.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

mod replay;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gametel_core::batch::EventBatch;
use gametel_core::catalog::{Catalog, QUARANTINE};
use gametel_core::endpoint::Endpoint;
use gametel_core::event::{EncodedEvent, EventId, EventType, Timestamp};
use gametel_core::sink::{EventSink, LogSink};

use crate::commit::{self, layout};
use crate::dataset::Dataset;
use crate::error::BatchError;
use crate::gc::gc_on;
use crate::replay::replay_on;
use crate::rollback::rollback_on;
use crate::store::stop_at::StopAt;
use crate::store::{LocalStore, Location, Store};
use crate::{OutputMode, RunConfig};

use super::run_on;

/// The raw events of each dataset, as a reader finds them who lists the folder.
type Rows = BTreeMap<String, Vec<String>>;

/// An output and the log that it is read from.
struct Bench {
    folder: tempfile::TempDir,
    events: usize,
    catalog: Arc<Catalog>,
}

/// What is done to an output.
#[derive(Clone, Copy, Debug)]
enum Act {
    Run(OutputMode),
    Rollback,
    Gc,
    Replay,
    /// A replay that sends to another log.
    Send,
}

/// In memory where there is such a place: a killed process loses nothing of what it wrote, so there
/// is no use in waiting a thousand times for a disk.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

impl Bench {
    fn new() -> Self {
        Self { folder: folder(), events: 0, catalog: Catalog::game().into() }
    }

    fn output(&self) -> PathBuf {
        self.folder.path().join("tables")
    }

    fn store(&self) -> Arc<dyn Store> {
        Arc::new(LocalStore::new(self.output()))
    }

    /// Adds four events to the log: a sword, a potion, what goes to quarantine for good, and what is
    /// there for as long as its column has no rule for it.
    async fn add_events(&mut self) {
        self.events += 1;
        let (at, number) = (Timestamp::from_millis(1_795_486_294_340), self.events);
        let event = |value: String| {
            EncodedEvent::new(EventId::new(at), EventType::new("x"), value.into(), at)
        };
        let values = [
            format!(r#"{{"event_type":"purchase_sword","n":{number}}}"#),
            format!(r#"{{"event_type":"purchase_potion","n":{number}}}"#),
            format!("{number}, no event"),
            format!(r#"{{"event_type":"duel_won","rounds":"{number}, no number"}}"#),
        ];
        let sink = LogSink::open(&self.folder.path().join("log.db"), Default::default()).unwrap();
        let events: EventBatch = values.map(event).into_iter().collect();
        assert_eq!(sink.write_batch(&events).await.unwrap().rejected_count(), 0);
        sink.close().await.unwrap();
    }

    async fn act(&self, store: Arc<dyn Store>, act: Act) -> Result<(), BatchError> {
        let location = Location::from(self.output());
        match act {
            Act::Run(mode) => {
                let log = Endpoint::Sqlite(self.folder.path().join("log.db"));
                let catalog = Arc::clone(&self.catalog);
                let config = RunConfig::new(log, location, catalog).with_mode(mode);
                run_on(store, config.with_keep(2)).await.map(drop)
            }
            Act::Rollback => rollback_on(store, &location, None).map(drop),
            Act::Gc => gc_on(store, 1).map(drop),
            Act::Replay => replay_on(store, self.replay()).await.map(drop),
            Act::Send => replay_on(store, self.replay().with_to(self.other())).await.map(drop),
        }
    }

    /// What a reader sees. A dataset that is not there has no entry.
    fn rows(&self) -> Rows {
        rows_of(&self.output(), &self.catalog)
    }

    /// A copy of the output, as it would be on the disk of another machine.
    fn copy(&self) -> Self {
        let catalog = Arc::clone(&self.catalog);
        let copy = Self { folder: folder(), events: self.events, catalog };
        copy_folder(self.folder.path(), copy.folder.path());
        copy
    }

    /// Every state that can be brought back has its files, at any moment.
    fn assert_kept_whole(&self, context: &str) {
        for snapshot in commit::chain(&*self.store()).unwrap() {
            for (dataset, files) in &snapshot.datasets {
                for file in files {
                    let path = layout::file(file.run, dataset, &file.name);
                    assert!(self.store().exists(&path).unwrap(), "{context}: {path} is missing");
                }
            }
        }
    }

    /// Nothing is staged, nothing is pending, and every file that lies there is of a snapshot.
    fn assert_tidy(&self, context: &str) {
        let store = self.store();
        for path in [layout::STAGING, layout::PENDING] {
            assert!(!store.exists(path).unwrap(), "{context}: {path} is left");
        }
        let mut needed: Vec<_> = commit::chain(&*store)
            .unwrap()
            .iter()
            .flat_map(|snapshot| &snapshot.datasets)
            .flat_map(|(dataset, files)| {
                files.iter().map(move |file| layout::file(file.run, dataset, &file.name))
            })
            .collect();
        needed.sort();
        needed.dedup();
        let there = store.list(layout::DATA).unwrap().into_iter().map(|entry| entry.path);
        assert_eq!(there.collect::<Vec<_>>(), needed, "{context}");
    }
}

fn rows_of(output: &Path, catalog: &Catalog) -> Rows {
    let names = catalog.datasets().iter().map(|dataset| dataset.name()).chain([QUARANTINE]);
    let mut rows = Rows::new();
    for name in names {
        let Ok(dataset) = Dataset::open(&output.join(name)) else { continue };
        let head = dataset.head(1_000).unwrap();
        let at = head.columns.iter().position(|column| column == "raw_event").unwrap();
        let raw = head.rows.into_iter().map(|mut row| row.swap_remove(at).unwrap());
        rows.insert(name.to_owned(), raw.collect());
    }
    rows
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            // A second name, where the file can't change: so the output has links, as it had.
            let fixed = entry.path().extension().is_some_and(|end| end == "parquet");
            if fixed {
                std::fs::hard_link(entry.path(), &to).unwrap();
            } else {
                std::fs::copy(entry.path(), &to).unwrap();
            }
        }
    }
}

/// Kills `act` at each call of the store, and looks at the output as it is then and after the same
/// act is done again. Gives the number of kill points.
async fn kill_everywhere(before: &Bench, act: Act, exchanges: bool) -> usize {
    let store = |bench: &Bench, call: Option<(usize, bool)>| {
        let stop = match call {
            Some((call, after)) => StopAt::new(bench.store(), call, after),
            None => StopAt::never(bench.store()),
        };
        if exchanges { stop } else { stop.without_exchange() }
    };
    let old = before.rows();
    let whole = before.copy();
    let counted = store(&whole, None);
    whole.act(Arc::new(counted.clone()), act).await.unwrap();
    let new = whole.rows();
    whole.assert_tidy("a run that nobody kills");

    let calls = counted.calls();
    for call in 0..calls {
        for after in [false, true] {
            let context = format!("{act:?}, killed at call {call} of {calls} (after it: {after})");
            let bench = before.copy();
            let killed = bench.act(Arc::new(store(&bench, Some((call, after)))), act).await;
            // From the switch on what can't be removed is no failure.
            drop(killed);
            bench.assert_kept_whole(&context);
            let seen = bench.rows();
            for name in old.keys().chain(new.keys()) {
                let seen = seen.get(name);
                let whole = seen == old.get(name) || seen == new.get(name);
                // Without an exchange, there may be none between two renames.
                assert!(whole || (!exchanges && seen.is_none()), "{context}: {name} is {seen:?}");
            }
            // Whoever comes next: the same again, or an append that finds nothing or all of it.
            let next = if let Act::Run(_) | Act::Replay = act { act } else { Act::Gc };
            bench.act(bench.store(), next).await.unwrap_or_else(|error| {
                panic!("{context}: the next one fails: {}", error.one_line())
            });
            let after = bench.rows();
            match act {
                Act::Run(_) | Act::Replay => assert_eq!(after, new, "{context}, and done again"),
                _ => assert!(after == old || after == new, "{context}, and swept: {after:?}"),
            }
            bench.assert_tidy(&context);
        }
    }
    2 * calls
}

/// An output after two runs, and events that are in neither.
async fn bench() -> Bench {
    let mut bench = Bench::new();
    for mode in [OutputMode::Overwrite, OutputMode::Append] {
        bench.add_events().await;
        bench.act(bench.store(), Act::Run(mode)).await.unwrap();
    }
    bench.add_events().await;
    bench
}

#[tokio::test]
async fn a_first_run_can_be_killed_anywhere() {
    let mut bench = Bench::new();
    bench.add_events().await;
    let points = kill_everywhere(&bench, Act::Run(OutputMode::Overwrite), true).await;
    eprintln!("a first run: {points} kill points");
}

#[tokio::test]
async fn an_overwrite_can_be_killed_anywhere() {
    let bench = bench().await;
    let points = kill_everywhere(&bench, Act::Run(OutputMode::Overwrite), true).await;
    let points = points + kill_everywhere(&bench, Act::Run(OutputMode::Overwrite), false).await;
    eprintln!("an overwrite: {points} kill points");
}

#[tokio::test]
async fn an_append_can_be_killed_anywhere_and_is_exactly_once() {
    let bench = bench().await;
    let points = kill_everywhere(&bench, Act::Run(OutputMode::Append), true).await;
    let points = points + kill_everywhere(&bench, Act::Run(OutputMode::Append), false).await;
    eprintln!("an append: {points} kill points");
}

#[tokio::test]
async fn a_rollback_can_be_killed_anywhere() {
    let bench = bench().await;
    let points = kill_everywhere(&bench, Act::Rollback, true).await;
    let points = points + kill_everywhere(&bench, Act::Rollback, false).await;
    eprintln!("a rollback: {points} kill points");
}

#[tokio::test]
async fn a_sweep_can_be_killed_anywhere() {
    let mut bench = bench().await;
    bench.act(bench.store(), Act::Run(OutputMode::Overwrite)).await.unwrap();
    bench.add_events().await;
    bench.act(bench.store(), Act::Run(OutputMode::Overwrite)).await.unwrap();
    let points = kill_everywhere(&bench, Act::Gc, true).await;
    eprintln!("a sweep: {points} kill points");
}

#[tokio::test]
async fn an_output_of_an_earlier_version_is_replaced_and_kept() {
    let mut bench = Bench::new();
    bench.add_events().await;
    bench.act(bench.store(), Act::Run(OutputMode::Overwrite)).await.unwrap();
    // As it was before there were snapshots.
    std::fs::remove_dir_all(bench.output().join("_gametel")).unwrap();
    let old = bench.rows();
    bench.add_events().await;
    let error = bench.act(bench.store(), Act::Run(OutputMode::Append)).await.unwrap_err();
    assert_eq!(error.exit_code(), 3, "{error}");
    assert_eq!(bench.rows(), old);
    let points = kill_everywhere(&bench, Act::Run(OutputMode::Overwrite), true).await;
    eprintln!("an overwrite of an earlier version's output: {points} kill points");
    bench.act(bench.store(), Act::Run(OutputMode::Overwrite)).await.unwrap();
    assert_ne!(bench.rows(), old);
    bench.act(bench.store(), Act::Rollback).await.unwrap();
    assert_eq!(bench.rows(), old);
}
