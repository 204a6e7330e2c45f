//! What files a sink makes of rows, whatever the shape.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use gametel_core::batch::EventBatch;
use gametel_core::catalog::{
    Catalog, Column, DatasetDefinition, EventDefinition, FieldType, OnMisfit,
};
use gametel_core::codec::Decoder;
use gametel_core::event::{EncodedEvent, Position, Timestamp};
use gametel_core::sink::EventSink;
use proptest::prelude::*;

use super::{EventRows, ParquetSink};
use crate::commit::{PartNames, Parts};
use crate::dataset::{Dataset, Head};
use crate::store::LocalStore;
use crate::write::{ByteSize, Compression, Share, Shares, WriteOptions};

const DAY: i64 = 86_400_000;

fn catalog(partition_by: Option<&str>) -> Catalog {
    let event = ["guild", "rounds"]
        .into_iter()
        .fold(EventDefinition::new("x").with_dataset("d"), EventDefinition::with_field);
    let rounds = Column::typed("rounds", FieldType::Int64).with_misfit(OnMisfit::Null);
    let dataset =
        DatasetDefinition::new("d", ["raw_event", "timestamp", "guild"].map(Column::named))
            .with_column(rounds);
    let dataset = match partition_by {
        Some(by) => dataset.partitioned_by(by),
        None => dataset,
    };
    Catalog::builder("c").event(event).dataset(dataset).build().unwrap()
}

/// So many events, of seven guilds, over three days, in an order that is none.
fn events(count: u32) -> Vec<EncodedEvent> {
    let mut decoder = Decoder::new();
    let event = |number: u32| {
        let mixed = number.wrapping_mul(2_654_435_761) >> 7;
        let payload = format!(
            r#"{{"event_type":"x","guild":"g{}","rounds":{},"note":"{:0>40}"}}"#,
            mixed % 7,
            mixed % 1_000,
            mixed,
        );
        let at = Timestamp::from_millis(i64::from(mixed % 3) * DAY);
        let position = Position { topic: "t".into(), partition: 0, offset: i64::from(number) };
        decoder.decode(Bytes::from(payload), Some(at), position)
    };
    (0..count).map(event).collect()
}

fn share(bytes: usize) -> Share {
    let share = Shares::of(&WriteOptions::default(), [4, 7]).unwrap().dataset;
    Share { bytes, ..share }
}

/// Writes events, so many at a time, to a folder.
fn write(
    folder: &Path,
    catalog: &Catalog,
    events: &[EncodedEvent],
    together: usize,
    options: &WriteOptions,
    share: &Share,
) {
    let parts =
        Parts::new(Arc::new(LocalStore::new(folder)), "d".to_owned(), PartNames::replacing());
    let (index, _) = catalog.indexed_datasets().next().unwrap();
    let rows = EventRows::new(catalog, index);
    let sink = ParquetSink::create("d", parts, rows, options, share).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        for events in events.chunks(together) {
            let batch = EventBatch::from(events.to_vec());
            assert_eq!(sink.write_batch(&batch).await.unwrap().accepted_count(), events.len());
            sink.flush().await.unwrap();
        }
        sink.close().await.unwrap();
    });
}

/// The files below a folder, by name.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(place) = folders.pop() {
        for entry in std::fs::read_dir(&place).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                files.insert(name, std::fs::read(path).unwrap());
            }
        }
    }
    files
}

struct Written {
    files: BTreeMap<String, Vec<u8>>,
    head: Head,
}

fn written(
    partition_by: Option<&str>,
    count: u32,
    together: usize,
    options: &WriteOptions,
    share: &Share,
) -> Written {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &catalog(partition_by), &events(count), together, options, share);
    let head = Dataset::open(&folder.path().join("d")).unwrap().head(usize::MAX).unwrap();
    Written { files: files(&folder.path().join("d")), head }
}

impl Written {
    fn column(&self, name: &str) -> Vec<&str> {
        let place = self.head.columns.iter().position(|column| column == name).unwrap();
        self.head.rows.iter().map(|row| row[place].as_deref().unwrap_or("null")).collect()
    }

    /// The raw events, sorted: what must be the same in every shape.
    fn events(&self) -> Vec<&str> {
        let mut events = self.column("raw_event");
        events.sort_unstable();
        events
    }
}

/// Every shape, with little enough memory that row groups and files end early.
fn shapes() -> Vec<(Option<&'static str>, WriteOptions, Share)> {
    let plain = WriteOptions::default();
    let sorted = plain.clone().with_sort_by(["guild", "rounds"]);
    let small = plain.clone().with_target_file_size(ByteSize::new(40_000));
    let rows = plain.clone().with_row_group_rows(NonZeroUsize::new(1_000).unwrap());
    let (little, much) = (share(256 << 10), share(64 << 20));
    vec![
        (None, plain.clone(), much.clone()),
        // As they come, and with so little that row groups end for want of memory.
        (None, plain.clone().with_compression(Compression::None), little.clone()),
        // In turn.
        (None, plain.clone(), little.clone()),
        (None, small.clone(), much.clone()),
        (None, rows, much.clone()),
        (None, sorted.clone(), much.clone()),
        (None, sorted.clone(), little.clone()),
        (Some("guild"), plain.clone(), little.clone()),
        (Some("event_date"), small, little.clone()),
        (Some("event_date"), sorted, little),
    ]
}

#[test]
fn files_are_the_same_bytes_however_the_events_come() {
    for (number, (partition_by, options, share)) in shapes().into_iter().enumerate() {
        let at_once = written(partition_by, 6_000, 6_000, &options, &share);
        let in_pieces = written(partition_by, 6_000, 773, &options, &share);
        assert_eq!(at_once.files, in_pieces.files, "shape {number}");
        let events: Vec<_> = events(6_000);
        let mut events: Vec<_> =
            events.iter().map(|event| std::str::from_utf8(event.payload()).unwrap()).collect();
        events.sort_unstable();
        assert_eq!(at_once.events(), events, "shape {number}");
    }
}

#[test]
fn a_file_ends_at_its_size_and_a_row_group_at_its_rows() {
    let small = WriteOptions::default().with_target_file_size(ByteSize::new(40_000));
    let written_small = written(None, 50_000, 50_000, &small, &share(64 << 20));
    assert!(written_small.files.len() > 2, "{:?}", written_small.files.keys());
    assert!(written_small.files.contains_key("part-00001.zstd.parquet"));
    let snappy = small.with_compression(Compression::Snappy);
    let snappy = written(None, 100, 100, &snappy, &share(64 << 20));
    assert_eq!(snappy.files.keys().collect::<Vec<_>>(), ["part-00000.snappy.parquet"]);
}

#[test]
fn rows_are_sorted_within_each_file() {
    let sorted = WriteOptions::default().with_sort_by(["guild", "rounds"]);
    let much = written(None, 5_000, 5_000, &sorted, &share(64 << 20));
    assert_eq!(much.files.len(), 1);
    let guilds = much.column("guild");
    let rounds = much.column("rounds").into_iter().map(|rounds| rounds.parse::<i64>().unwrap());
    let keys: Vec<_> = guilds.into_iter().zip(rounds).collect();
    assert!(keys.is_sorted() && keys[0] != keys[4_999]);
    // What is alike stays in the order of its offsets, by which the raw events' notes are not.
    let plain = written(None, 5_000, 5_000, &WriteOptions::default(), &share(64 << 20));
    assert!(!plain.column("guild").is_sorted());
    let little = written(None, 20_000, 20_000, &sorted, &share(1 << 20));
    assert!(little.files.len() > 1);
}

#[test]
fn a_partition_is_a_folder_and_no_column_of_the_files() {
    let by_day = written(Some("event_date"), 300, 300, &WriteOptions::default(), &share(1 << 20));
    let folders: Vec<_> = by_day.files.keys().map(|name| name.split('/').next().unwrap()).collect();
    let days = ["event_date=1970-01-01", "event_date=1970-01-02", "event_date=1970-01-03"];
    assert_eq!(folders, days);
    assert_eq!(by_day.head.columns, ["raw_event", "timestamp", "guild", "rounds", "event_date"]);
    for (timestamp, day) in by_day.column("timestamp").into_iter().zip(by_day.column("event_date"))
    {
        assert_eq!(&timestamp[..10], day);
    }
    let by_guild = written(Some("guild"), 300, 300, &WriteOptions::default(), &share(1 << 20));
    assert_eq!(by_guild.files.len(), 7);
    assert_eq!(by_guild.head.columns, ["raw_event", "timestamp", "rounds", "guild"]);
    let nothing = written(Some("guild"), 0, 1, &WriteOptions::default(), &share(1 << 20));
    let name = "guild=__HIVE_DEFAULT_PARTITION__/part-00000.zstd.parquet";
    assert_eq!(nothing.files.keys().collect::<Vec<_>>(), [name]);
}

#[test]
fn more_folders_than_files_may_be_open_are_written_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let mut decoder = Decoder::new();
    let event = |number: u32| {
        let guild = number % 200;
        let payload = format!(r#"{{"event_type":"x","guild":"g{guild}","note":"{:0>2000}"}}"#, 0);
        let position = Position { topic: "t".into(), partition: 0, offset: i64::from(number) };
        decoder.decode(Bytes::from(payload), None, position)
    };
    let events: Vec<_> = (0..5_000).map(event).collect();
    let options = WriteOptions::default().with_compression(Compression::None);
    write(folder.path(), &catalog(Some("guild")), &events, 8_192, &options, &share(20 << 20));
    let files = files(&folder.path().join("d"));
    // Rows are written twice, and all but the last guilds' files were ended for others' sake.
    assert!(files.len() > 300, "{}", files.len());
    assert_eq!(Dataset::open(&folder.path().join("d")).unwrap().rows(), 5_000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Each record is a row, with the value or null; what is null and was something is counted.
    #[test]
    fn what_does_not_fit_is_null_and_counted(values in proptest::collection::vec(
        prop_oneof![
            any::<i64>().prop_map(|number| number.to_string()),
            Just("\"three\"".to_owned()),
            Just("null".to_owned()),
            Just("1.5".to_owned()),
            Just("[1]".to_owned()),
            Just("99999999999999999999".to_owned()),
        ], 0..40))
    {
        let catalog = catalog(None);
        let (index, _) = catalog.indexed_datasets().next().unwrap();
        let mut rows = EventRows::new(&catalog, index);
        let mut decoder = Decoder::new();
        for (offset, value) in (0..).zip(&values) {
            let payload = format!(r#"{{"event_type":"x","rounds":{value}}}"#);
            let position = Position { topic: "t".into(), partition: 0, offset };
            let event = decoder.decode(Bytes::from(payload), None, position);
            prop_assert!(catalog.check_columns(&event).is_ok());
            super::Rows::append(&mut rows, &event).unwrap();
        }
        let batch = super::Rows::finish(&mut rows).unwrap();
        let column = batch.column_by_name("rounds").unwrap();
        let fits = values.iter().filter(|value| value.parse::<i64>().is_ok()).count();
        let absent = values.iter().filter(|value| *value == "null").count();
        let nulled = rows.nulled().by_name().get("rounds").copied().unwrap_or(0);
        prop_assert_eq!(batch.num_rows(), values.len());
        prop_assert_eq!(column.len() - column.null_count(), fits);
        prop_assert_eq!(nulled as usize, values.len() - fits - absent);
    }
}
