use std::sync::Arc;

use gametel_core::batch::EventBatch;
use gametel_core::catalog::Catalog;
use gametel_core::codec::Decoder;
use gametel_core::event::EncodedEvent;
use gametel_core::sink::{EventSink, Router};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::config::{Progress, RunConfig};
use crate::error::BatchError;
use crate::source::{PartitionRange, Source, SourceRecord};

use super::write_error;

/// How many batches of records may wait between reading and writing: one being written, one ready.
const AHEAD: usize = 2;

/// What was counted on the way.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) read: u64,
    pub(super) tombstones: u64,
}

/// Records that were read together, and found to be events or not.
struct Chunk {
    events: EventBatch,
    tombstones: u64,
}

/// Reads and decodes on one thread while what came before is being written.
pub(super) async fn copy(
    source: Box<dyn Source>,
    decoder: RowDecoder,
    router: &Router,
    ranges: &[PartitionRange],
    config: &RunConfig,
) -> Result<Tally, BatchError> {
    let (chunks, mut inbox) = mpsc::channel(AHEAD);
    let reader = spawn_reader(source, decoder, chunks);
    let offsets = ranges.iter().map(PartitionRange::offsets).sum();
    let mut tally = Tally::default();
    while let Some(chunk) = inbox.recv().await {
        let report = router.write_batch(&chunk.events).await.map_err(write_error)?;
        if let Some((index, rejection)) = report.rejected().next() {
            let position = chunk.events.get(index).and_then(EncodedEvent::position);
            let position = position.map_or_else(String::new, ToString::to_string);
            let reason = rejection.reason.to_string();
            return Err(BatchError::failed(format!("the record {position} was refused"), reason));
        }
        tally.read += chunk.events.len() as u64 + chunk.tombstones;
        tally.tombstones += chunk.tombstones;
        config.report_progress(Progress { read: tally.read, offsets });
    }
    match reader.await {
        Ok(result) => result.map(|()| tally),
        Err(error) => Err(BatchError::failed("the reading thread has died", error)),
    }
}

fn spawn_reader(
    mut source: Box<dyn Source>,
    mut decoder: RowDecoder,
    chunks: mpsc::Sender<Chunk>,
) -> JoinHandle<Result<(), BatchError>> {
    tokio::task::spawn_blocking(move || {
        while let Some(records) = source.next()? {
            if chunks.blocking_send(decoder.decode(records)).is_err() {
                // The writing side has failed, and says so itself.
                break;
            }
        }
        Ok(())
    })
}

/// Finds out what each record is: a row of a dataset, or for the quarantine.
pub(super) struct RowDecoder {
    decoder: Decoder,
    catalog: Arc<Catalog>,
}

impl RowDecoder {
    pub(super) fn new(catalog: &Arc<Catalog>) -> Self {
        Self { decoder: Decoder::new(), catalog: Arc::clone(catalog) }
    }

    fn decode(&mut self, records: Vec<SourceRecord>) -> Chunk {
        let count = records.len();
        let events: Vec<_> =
            records.into_iter().filter_map(|record| self.decode_one(record)).collect();
        Chunk { tombstones: (count - events.len()) as u64, events: events.into() }
    }

    fn decode_one(&mut self, record: SourceRecord) -> Option<EncodedEvent> {
        let event = self.decoder.decode(record.value?, record.timestamp, record.position);
        Some(match self.catalog.check_columns(&event) {
            Ok(()) => event,
            Err(misfit) => event.into_malformed(misfit),
        })
    }
}
