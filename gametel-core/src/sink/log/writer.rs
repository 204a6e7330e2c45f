use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, TransactionBehavior};

use crate::batch::EventBatch;
use crate::codec::json_string;
use crate::event::{EncodedEvent, Malformed, Position};
use crate::sink::{
    BlockingSink, Outcome, Receipt, Rejection, SinkError, SinkErrorKind, WriteReport, sqlite,
};

use super::{LogError, TOPIC, store};

/// The only writer of a log: one transaction, and so one fsync, for each group.
pub(super) struct Writer {
    connection: Connection,
    path: PathBuf,
    topic: Arc<str>,
    max_event_bytes: usize,
}

impl Writer {
    pub(super) fn open(path: &Path, max_event_bytes: usize) -> Result<Self, LogError> {
        let connection = store::open_to_write(path)?;
        Ok(Self { connection, path: path.to_owned(), topic: TOPIC.into(), max_event_bytes })
    }

    fn append(&mut self, group: &[EventBatch]) -> rusqlite::Result<Vec<WriteReport>> {
        // Immediate takes the write lock at once: whoever else writes to the file, offsets are
        // given once.
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut reports = Vec::with_capacity(group.len());
        {
            let mut next: i64 = transaction
                .prepare_cached("SELECT coalesce(max(\"offset\") + 1, 0) FROM events")?
                .query_row([], |row| row.get(0))?;
            let mut insert = transaction.prepare_cached(
                "INSERT INTO events (\"offset\", timestamp_ms, key, value, headers) \
                 VALUES (?, ?, ?, ?, ?)",
            )?;
            for batch in group {
                let mut outcomes = Vec::with_capacity(batch.len());
                for event in batch.iter() {
                    if let Some(rejection) = too_large(event, self.max_event_bytes) {
                        outcomes.push(Outcome::Rejected(rejection));
                        continue;
                    }
                    let millis = event.timestamp().map(|timestamp| timestamp.as_millis());
                    let key = event.key().map(|key| &**key);
                    let headers = event.malformed().map(headers);
                    insert.execute((next, millis, key, &**event.payload(), headers))?;
                    let topic = Arc::clone(&self.topic);
                    let position = Some(Position { topic, partition: 0, offset: next });
                    outcomes.push(Outcome::Accepted(Receipt { position }));
                    next += 1;
                }
                reports.push(outcomes.into_iter().collect());
            }
        }
        transaction.commit()?;
        Ok(reports)
    }
}

/// The headers of a dead letter as a JSON object.
fn headers(malformed: &Malformed) -> String {
    let members = malformed
        .record_headers()
        .map(|(name, value)| format!("{}:{}", json_string(name), json_string(value)));
    format!("{{{}}}", members.join(","))
}

fn too_large(event: &EncodedEvent, limit: usize) -> Option<Rejection> {
    let size = event.payload().len() + event.key().map_or(0, |key| key.len());
    (size > limit).then(|| {
        let reason = format!("the event has {size} bytes, the log takes {limit}");
        Rejection::new(SinkErrorKind::TooLarge, reason)
    })
}

impl BlockingSink for Writer {
    fn write_group(&mut self, group: &[EventBatch]) -> Result<Vec<WriteReport>, SinkError> {
        self.append(group).map_err(|error| LogError::failed(&self.path, "written", error).into())
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        // Every commit has synced already.
        Ok(())
    }

    fn close(&mut self) -> Result<(), SinkError> {
        sqlite::empty_wal(&self.connection, "log");
        Ok(())
    }
}
