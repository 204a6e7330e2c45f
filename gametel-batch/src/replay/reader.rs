use std::collections::VecDeque;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, BinaryArray, PrimitiveArray, RecordBatch, StringArray};
use bytes::Bytes;
use gametel_core::catalog::QUARANTINE;
use gametel_core::event::Position;
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;

use crate::commit::Homes;
use crate::dataset::ParquetFile;
use crate::error::BatchError;
use crate::manifest::ReplayedRows;
use crate::source::SourceRecord;
use crate::store::Store;
use crate::timestamp::read_timestamp;

/// Reads selected rows of the quarantine as the records that they were.
pub(super) struct Reader {
    store: Arc<dyn Store>,
    left: VecDeque<ReplayedRows>,
    /// The bytes that are read at once, about.
    at_once: usize,
    reading: Option<Reading>,
}

/// A file that is being read.
struct Reading {
    selected: ReplayedRows,
    batches: ParquetRecordBatchReader,
    /// The number of the next row.
    next: u64,
    /// How people name the file.
    name: String,
}

/// Records of one file of the quarantine.
pub(super) struct Records {
    /// The file, by one of the selected.
    pub(super) file: ReplayedRows,
    pub(super) rows: Vec<Row>,
}

/// A record, and its row.
pub(super) struct Row {
    pub(super) number: u64,
    /// Why it is in quarantine.
    pub(super) reason: String,
    pub(super) record: SourceRecord,
}

impl Reader {
    pub(super) fn new(store: Arc<dyn Store>, selected: &[ReplayedRows], at_once: usize) -> Self {
        let left = selected.iter().cloned().collect();
        Self { store, left, at_once, reading: None }
    }

    /// The next records; `None` behind the last.
    pub(super) fn next(&mut self) -> Result<Option<Records>, BatchError> {
        loop {
            let Some(reading) = &mut self.reading else {
                let Some(selected) = self.left.pop_front() else { return Ok(None) };
                self.reading = Some(self.open(selected)?);
                continue;
            };
            let Some(batch) = reading.batches.next() else {
                self.reading = None;
                continue;
            };
            let rows = batch.map_err(|error| error.to_string()).and_then(|batch| {
                let first = reading.next;
                reading.next += batch.num_rows() as u64;
                rows(&batch, first, &reading.selected)
            });
            let rows = rows.map_err(|error| unreadable(&reading.name, error))?;
            if !rows.is_empty() {
                return Ok(Some(Records { file: reading.selected.clone(), rows }));
            }
        }
    }

    fn open(&self, selected: ReplayedRows) -> Result<Reading, BatchError> {
        let homes = Homes::now(&*self.store)?;
        let path = homes.home_of(selected.run, QUARANTINE, &selected.file);
        let name = self.store.name_of(&path);
        let batches = ParquetFile::open(self.store.open(&path)?.into())
            .and_then(|file| file.batches_within(self.at_once))
            .map_err(|error| unreadable(&name, error.to_string()))?;
        Ok(Reading { selected, batches, next: 0, name })
    }
}

fn unreadable(name: &str, error: String) -> BatchError {
    BatchError::failed(format!("{name} can't be read"), error)
}

/// The selected ones of a batch's rows.
fn rows(batch: &RecordBatch, first: u64, selected: &ReplayedRows) -> Result<Vec<Row>, String> {
    let columns = Columns::of(batch)?;
    let mut rows = Vec::new();
    let mut topic: Option<Arc<str>> = None;
    for row in 0..batch.num_rows() {
        let number = first + row as u64;
        if !selected.rows.contains(number) {
            continue;
        }
        let name = columns.topic.value(row);
        let topic = match &mut topic {
            Some(topic) if **topic == *name => topic,
            other => other.insert(name.into()),
        };
        let position = Position {
            topic: Arc::clone(topic),
            partition: columns.partition.value(row),
            offset: columns.offset.value(row),
        };
        let timestamp = match columns.timestamp.is_valid(row) {
            true => {
                let text = columns.timestamp.value(row);
                let at = read_timestamp(text);
                Some(at.ok_or_else(|| format!("row {number} has no time, but {text:?}"))?)
            }
            false => None,
        };
        let value = Some(Bytes::copy_from_slice(columns.raw_event.value(row)));
        let reason = columns.reason.value(row).to_owned();
        rows.push(Row { number, reason, record: SourceRecord { position, timestamp, value } });
    }
    Ok(rows)
}

/// What is needed of a row.
struct Columns<'a> {
    raw_event: &'a BinaryArray,
    topic: &'a StringArray,
    partition: &'a PrimitiveArray<Int32Type>,
    offset: &'a PrimitiveArray<Int64Type>,
    timestamp: &'a StringArray,
    reason: &'a StringArray,
}

impl<'a> Columns<'a> {
    fn of(batch: &'a RecordBatch) -> Result<Self, String> {
        let column = |name: &str| batch.column_by_name(name).ok_or_else(|| missing(name));
        let text = |name: &str| column(name)?.as_string_opt().ok_or_else(|| missing(name));
        let numbers = (column("partition")?, column("offset")?);
        Ok(Self {
            raw_event: column("raw_event")?.as_binary_opt().ok_or_else(|| missing("raw_event"))?,
            topic: text("topic")?,
            partition: numbers.0.as_primitive_opt().ok_or_else(|| missing("partition"))?,
            offset: numbers.1.as_primitive_opt().ok_or_else(|| missing("offset"))?,
            timestamp: text("timestamp")?,
            reason: text("reason")?,
        })
    }
}

fn missing(column: &str) -> String {
    format!("it has no column {column} as the quarantine has it")
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use gametel_core::codec::Decoder;
    use gametel_core::event::Timestamp;
    use parquet::arrow::ArrowWriter;

    use super::*;
    use crate::commit::layout;
    use crate::manifest::RunId;
    use crate::parquet::{QuarantineRows, Rows};
    use crate::store::LocalStore;

    #[test]
    fn large_values_that_a_dictionary_has_once_are_read_a_few_at_a_time() {
        const SIZE: usize = 100 * 1024;

        let folder = tempfile::tempdir().unwrap();
        let run = RunId::after(None, Timestamp::from_millis(1));
        let path = folder.path().join(layout::file(run, QUARANTINE, "part"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut rows = QuarantineRows::new();
        for offset in 0..500 {
            let position = Position { topic: "events".into(), partition: 0, offset };
            rows.append(&Decoder::new().decode(vec![b'x'; SIZE].into(), None, position)).unwrap();
        }
        let file = File::create(&path).unwrap();
        let mut writer = ArrowWriter::try_new(file, rows.schema(), None).unwrap();
        writer.write(&rows.finish().unwrap()).unwrap();
        writer.close().unwrap();
        assert!(path.metadata().unwrap().len() < 1024 * 1024, "the dictionary has it once");

        let selected = ReplayedRows::new(run, "part", "3..499".parse().unwrap());
        let store = Arc::new(LocalStore::new(folder.path()));
        let mut reader = Reader::new(store, &[selected], 10 * SIZE);
        let mut offsets = Vec::new();
        while let Some(Records { rows, .. }) = reader.next().unwrap() {
            assert!(rows.len() <= 10, "{} at once", rows.len());
            assert!(rows.iter().all(|row| row.number == row.record.position.offset as u64));
            offsets.extend(rows.iter().map(|row| row.record.position.offset));
        }
        assert_eq!(offsets, (3..499).collect::<Vec<_>>());
    }
}
