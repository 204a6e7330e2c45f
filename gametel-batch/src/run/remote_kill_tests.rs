//! Runs and rollbacks on HDFS and S3 that are killed at calls of the store, before them and after
//! them.
//!
//! A run takes a second or more there (on HDFS the end of a file alone does), so as a rule only some of
//! the calls are tried; all of them where `GAMETEL_EVERY_CALL` is set.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::collections::BTreeMap;
use std::sync::Arc;

use gametel_core::batch::EventBatch;
use gametel_core::catalog::{Catalog, QUARANTINE};
use gametel_core::endpoint::Endpoint;
use gametel_core::event::{EncodedEvent, EventId, EventType, Timestamp};
use gametel_core::sink::{EventSink, LogSink};

use crate::commit::layout;
use crate::dataset::Dataset;
use crate::error::BatchError;
use crate::rollback::rollback_on;
use crate::store::stop_at::StopAt;
use crate::store::{self, Location, Store, StoreOptions};
use crate::{OutputMode, RunConfig};

use super::run_on;

/// The raw events of each dataset, as a reader finds them.
type Rows = BTreeMap<String, Vec<String>>;

/// An output somewhere else, and the log that it is read from.
struct Bench {
    folder: tempfile::TempDir,
    location: Location,
    events: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    Run(OutputMode),
    Rollback,
}

const OVERWRITE: Act = Act::Run(OutputMode::Overwrite);
const APPEND: Act = Act::Run(OutputMode::Append);

impl Bench {
    fn new(location: &str, options: StoreOptions) -> Self {
        let location: Location = location.parse().unwrap();
        let location = location.with_options(options);
        Self { folder: tempfile::tempdir().unwrap(), location, events: 0 }
    }

    fn hdfs(test: &str) -> Option<Self> {
        let url = gametel_cluster::hdfs(test)?;
        let output = gametel_cluster::unique("output");
        Some(Self::new(&format!("{url}/{output}"), StoreOptions::default()))
    }

    fn s3(test: &str) -> Option<Self> {
        let endpoint = gametel_cluster::s3(test)?;
        let bucket = gametel_cluster::bucket(&endpoint);
        let variables = [
            ("AWS_ENDPOINT_URL", endpoint.as_str()),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let options = StoreOptions::default().with_variables(variables);
        Some(Self::new(&format!("s3://{bucket}/tables"), options))
    }

    fn store(&self) -> Arc<dyn Store> {
        store::open(&self.location).unwrap()
    }

    /// Adds three events to the log: a sword, a potion, and what goes to quarantine.
    async fn add_events(&mut self) {
        self.events += 1;
        let at = Timestamp::from_millis(1_795_486_294_340);
        let event = |(_, value): (&str, String)| {
            EncodedEvent::new(EventId::new(at), EventType::new("x"), value.into(), at)
        };
        let sink = LogSink::open(&self.folder.path().join("log.db"), Default::default()).unwrap();
        let batch: EventBatch = events(self.events).map(event).into_iter().collect();
        assert_eq!(sink.write_batch(&batch).await.unwrap().rejected().count(), 0);
        sink.close().await.unwrap();
    }

    async fn act(&self, store: Arc<dyn Store>, act: Act) -> Result<(), BatchError> {
        match act {
            Act::Run(mode) => {
                let log = Endpoint::Sqlite(self.folder.path().join("log.db"));
                let config = RunConfig::new(log, self.location.clone(), Catalog::game());
                run_on(store, config.with_mode(mode).with_keep(2)).await.map(drop)
            }
            Act::Rollback => rollback_on(store, &self.location, None).map(drop),
        }
    }

    async fn act_whole(&self, act: Act, context: &str) {
        self.act(self.store(), act).await.unwrap_or_else(|error| {
            panic!("{context}: {act:?} fails: {}", error.one_line());
        });
    }

    /// What a reader sees. A dataset that is not there has no entry.
    fn rows(&self) -> Rows {
        let catalog = Catalog::game();
        let names = catalog.datasets().iter().map(|dataset| dataset.name()).chain([QUARANTINE]);
        let mut rows = Rows::new();
        for name in names {
            let Ok(dataset) = Dataset::open_in(&self.location, name) else { continue };
            let head = dataset.head(1_000).unwrap();
            let at = head.columns.iter().position(|column| column == "raw_event").unwrap();
            let raw = head.rows.into_iter().map(|mut row| row.swap_remove(at).unwrap());
            rows.insert(name.to_owned(), raw.collect());
        }
        rows
    }

    /// What a reader is to see when all of the first events are there.
    fn rows_of(count: usize) -> Rows {
        let mut rows = Rows::from([("guild_joins".to_owned(), Vec::new())]);
        for (dataset, value) in (1..=count).flat_map(events) {
            let shown = if dataset == QUARANTINE {
                let bytes: Vec<_> = value.bytes().map(|byte| format!("{byte:02X}")).collect();
                format!("[{}]", bytes.join(" "))
            } else {
                value
            };
            rows.entry(dataset.to_owned()).or_default().push(shown);
        }
        rows
    }

    /// Nothing is staged and nothing is pending.
    fn assert_tidy(&self, context: &str) {
        let store = self.store();
        for path in [layout::STAGING, layout::PENDING] {
            assert!(!store.exists(path).unwrap(), "{context}: {path} is left");
        }
    }
}

fn events(number: usize) -> [(&'static str, String); 3] {
    [
        ("equipment_purchases", format!(r#"{{"event_type":"purchase_sword","n":{number}}}"#)),
        ("consumable_purchases", format!(r#"{{"event_type":"purchase_potion","n":{number}}}"#)),
        (QUARANTINE, format!("{number}, no event")),
    ]
}

/// Kills a run at every so-many-th call, each time one that has three more events than the last, and
/// does it again.
async fn kill_runs(bench: &mut Bench, mode: OutputMode, step: usize) -> usize {
    let act = Act::Run(mode);
    bench.add_events().await;
    bench.act_whole(OVERWRITE, "at first").await;
    bench.add_events().await;
    let counted = StopAt::never(bench.store());
    bench.act(Arc::new(counted.clone()), act).await.unwrap();
    assert_eq!(bench.rows(), Bench::rows_of(bench.events));
    let points = (0..2 * counted.calls()).step_by(step);
    let tried = points.len();
    for point in points {
        let (call, after) = (point / 2, point % 2 == 1);
        let context = format!("{act:?}, killed at call {call} (after it: {after})");
        let old = bench.rows();
        bench.add_events().await;
        let new = Bench::rows_of(bench.events);
        drop(bench.act(Arc::new(StopAt::new(bench.store(), call, after)), act).await);
        let seen = bench.rows();
        for name in new.keys() {
            let (seen, old, new) = (seen.get(name), old.get(name), new.get(name));
            assert!(seen == old || seen == new, "{context}: {name} is {seen:?}");
        }
        bench.act_whole(act, &context).await;
        assert_eq!(bench.rows(), new, "{context}, and done again");
        bench.assert_tidy(&context);
    }
    tried
}

/// Kills a rollback, which takes back an append in turn with a run of whole datasets.
async fn kill_rollbacks(bench: &mut Bench, step: usize) -> usize {
    for mode in [OVERWRITE, APPEND] {
        bench.add_events().await;
        bench.act_whole(mode, "at first").await;
    }
    let mut tried = 0;
    for point in (0..).step_by(step) {
        let act = if tried % 2 == 0 { APPEND } else { OVERWRITE };
        let old = bench.rows();
        bench.add_events().await;
        bench.act_whole(act, "before the rollback").await;
        let new = bench.rows();
        let (call, after) = (point / 2, point % 2 == 1);
        let context = format!("the rollback of {act:?}, killed at call {call} (after it: {after})");
        let stopping = StopAt::new(bench.store(), call, after);
        drop(bench.act(Arc::new(stopping.clone()), Act::Rollback).await);
        let seen = bench.rows();
        for name in new.keys() {
            let (seen, old, new) = (seen.get(name), old.get(name), new.get(name));
            // Between two renames, there may be none.
            let none = seen.is_none() && bench.location.to_string().starts_with("hdfs://");
            assert!(seen == old || seen == new || none, "{context}: {name} is {seen:?}");
        }
        bench.act_whole(OVERWRITE, &context).await;
        assert_eq!(bench.rows(), Bench::rows_of(bench.events), "{context}, and an overwrite");
        bench.assert_tidy(&context);
        tried += 1;
        if stopping.calls() < call {
            break;
        }
    }
    tried
}

fn some_calls(step: usize) -> usize {
    if std::env::var_os("GAMETEL_EVERY_CALL").is_some() { 1 } else { step }
}

#[tokio::test]
async fn runs_and_rollbacks_on_s3_can_be_killed_anywhere() {
    let test = "runs_and_rollbacks_on_s3_can_be_killed_anywhere";
    let Some(mut bench) = Bench::s3(test) else { return };
    let mut points = kill_runs(&mut bench, OutputMode::Overwrite, some_calls(13)).await;
    points += kill_runs(&mut bench, OutputMode::Append, some_calls(17)).await;
    points += kill_rollbacks(&mut bench, some_calls(19)).await;
    eprintln!("on S3: {points} kill points");
}

#[tokio::test]
async fn an_overwrite_on_hdfs_can_be_killed_anywhere() {
    let test = "an_overwrite_on_hdfs_can_be_killed_anywhere";
    let Some(mut bench) = Bench::hdfs(test) else { return };
    let points = kill_runs(&mut bench, OutputMode::Overwrite, some_calls(13)).await;
    eprintln!("an overwrite on HDFS: {points} kill points");
}

#[tokio::test]
async fn an_append_on_hdfs_can_be_killed_anywhere() {
    let test = "an_append_on_hdfs_can_be_killed_anywhere";
    let Some(mut bench) = Bench::hdfs(test) else { return };
    let points = kill_runs(&mut bench, OutputMode::Append, some_calls(17)).await;
    eprintln!("an append on HDFS: {points} kill points");
}

#[tokio::test]
async fn a_rollback_on_hdfs_can_be_killed_anywhere() {
    let Some(mut bench) = Bench::hdfs("a_rollback_on_hdfs_can_be_killed_anywhere") else { return };
    let points = kill_rollbacks(&mut bench, some_calls(19)).await;
    eprintln!("a rollback on HDFS: {points} kill points");
}

#[tokio::test]
async fn of_two_runs_on_s3_at_once_one_wins_and_none_mixes() {
    let test = "of_two_runs_on_s3_at_once_one_wins_and_none_mixes";
    let Some(mut bench) = Bench::s3(test) else { return };
    bench.add_events().await;
    bench.act_whole(OVERWRITE, "at first").await;
    bench.add_events().await;
    for round in 0..5 {
        let (one, other) =
            tokio::join!(bench.act(bench.store(), OVERWRITE), bench.act(bench.store(), OVERWRITE),);
        let lost: Vec<_> = [one, other].into_iter().filter_map(Result::err).collect();
        assert!(lost.len() < 2, "round {round}: {lost:?}");
        assert!(lost.iter().all(|error| error.exit_code() == 3), "round {round}: {lost:?}");
        assert_eq!(bench.rows(), Bench::rows_of(bench.events));
        bench.assert_tidy("two runs at once");
    }
}
