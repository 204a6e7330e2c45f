//! Replays that are killed at every call of the store.

use super::*;

use crate::Safeguard;
use crate::replay::ReplayConfig;
use crate::source::{self, SourceConfig, SourceRecord};

impl Bench {
    pub(super) fn replay(&self) -> ReplayConfig {
        ReplayConfig::new(self.output(), ["column_type_mismatch"], duels(r#", on_misfit = "null""#))
    }

    /// The log that a replay sends to.
    pub(super) fn other(&self) -> Endpoint {
        Endpoint::Sqlite(self.folder.path().join("other.db"))
    }

    /// The values in it.
    fn sent(&self) -> Vec<String> {
        let Endpoint::Sqlite(path) = self.other() else { panic!("it is a log") };
        let mut source = match path.exists() {
            true => source::open(&SourceConfig::new(self.other())).unwrap(),
            false => return Vec::new(),
        };
        let mut values = Vec::new();
        while let Some(records) = source.next().unwrap() {
            let value = |record: SourceRecord| String::from_utf8(record.value.unwrap().into());
            values.extend(records.into_iter().map(|record| value(record).unwrap()));
        }
        values
    }
}

/// A catalog of one dataset, with this said of a column.
fn duels(rule: &str) -> Catalog {
    let text = format!(
        r#"
name = "arena"
[[event]]
type = "duel_won"
dataset = "duels"
[[event.field]]
name = "rounds"
type = "int64"
[[dataset]]
name = "duels"
columns = ["raw_event", "timestamp", {{ name = "rounds", type = "int64"{rule} }}]
"#
    );
    Catalog::from_toml(&text).unwrap()
}

/// An output of two runs, in whose quarantine two records would fit now.
async fn bench_of_duels() -> Bench {
    let mut bench = Bench::new();
    bench.catalog = duels("").into();
    for mode in [OutputMode::Overwrite, OutputMode::Append] {
        bench.add_events().await;
        bench.act(bench.store(), Act::Run(mode)).await.unwrap();
    }
    bench
}

#[tokio::test]
async fn a_replay_can_be_killed_anywhere_and_is_exactly_once() {
    let bench = bench_of_duels().await;
    let points = kill_everywhere(&bench, Act::Replay, true).await;
    let points = points + kill_everywhere(&bench, Act::Replay, false).await;
    eprintln!("a replay: {points} kill points");
    bench.act(bench.store(), Act::Replay).await.unwrap();
    let rows = bench.rows();
    assert_eq!((rows["duels"].len(), rows[QUARANTINE].len()), (2, 4));
    for act in [Act::Replay, Act::Send] {
        bench.act(bench.store(), act).await.unwrap();
        assert_eq!(bench.rows(), rows);
    }
    assert!(bench.sent().is_empty());
}

#[tokio::test]
async fn a_replay_that_sends_can_be_killed_anywhere_and_sends_nothing_twice_unasked() {
    let bench = bench_of_duels().await;
    let whole = bench.copy();
    let counted = StopAt::never(whole.store());
    whole.act(Arc::new(counted.clone()), Act::Send).await.unwrap();
    let sent = whole.sent();
    assert_eq!(sent.len(), 2);

    let (calls, mut refused) = (counted.calls(), 0);
    for call in 0..calls {
        for after in [false, true] {
            let context = format!("killed at call {call} of {calls} (after it: {after})");
            let bench = bench.copy();
            let store = StopAt::new(bench.store(), call, after);
            drop(bench.act(Arc::new(store), Act::Send).await);
            // Neither way to replay goes on unasked where records may have arrived.
            for act in [Act::Send, Act::Replay] {
                let copy = bench.copy();
                let before = copy.rows();
                match copy.act(copy.store(), act).await {
                    Ok(()) => {
                        let added = copy.rows().get("duels").map_or(0, Vec::len);
                        assert_eq!(copy.sent().len() + added, 2, "{context}, then {act:?}");
                    }
                    Err(error) => {
                        assert_eq!(error.exit_code(), 3, "{context}: {error}");
                        assert!(error.to_string().contains("replay-interrupted"), "{error}");
                        assert_eq!(copy.rows(), before, "{context}");
                        refused += 1;
                    }
                }
            }
            let config = bench.replay().with_to(bench.other());
            let config = config.with_allow([Safeguard::ReplayInterrupted]);
            replay_on(bench.store(), config).await.unwrap();
            assert!((2..=4).contains(&bench.sent().len()), "{context}: {:?}", bench.sent());
            assert!(sent.iter().all(|value| bench.sent().contains(value)), "{context}");
            let sent = bench.sent();
            bench.act(bench.store(), Act::Send).await.unwrap();
            assert_eq!(bench.sent(), sent, "{context}, and all is recorded");
            // What may have been sent is remembered for as long as a rollback can bring it back.
            for (act, left) in [(Act::Run(OutputMode::Overwrite), true), (Act::Send, false)] {
                bench.act(bench.store(), act).await.unwrap();
                bench.store().remove(layout::SNAPSHOTS).unwrap();
                let there = !bench.store().names(layout::REPLAYS).unwrap().is_empty();
                assert!(left || !there, "{context}, and {act:?}");
            }
        }
    }
    assert!(refused > 0);
    eprintln!("a replay that sends: {} kill points, {refused} refusals", 2 * calls);
}
