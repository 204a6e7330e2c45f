use std::sync::Arc;

use gametel_core::batch::EventBatch;
use gametel_core::catalog::Catalog;
use gametel_core::codec::Decoder;
use gametel_core::event::EncodedEvent;
use gametel_core::sink::{EventSink, Router};
use tokio::sync::{mpsc, oneshot};

use crate::config::{Progress, RunConfig};
use crate::error::{BatchError, ErrorKind};
use crate::source::{PartitionRange, PartitionRead, Source, SourceRecord};

use super::write_error;

/// How many batches of records may wait between reading and writing: one being written, one ready.
const AHEAD: usize = 2;

/// What was counted on the way.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) read: u64,
    pub(super) tombstones: u64,
    pub(super) partitions: Vec<PartitionRead>,
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
    config: &RunConfig,
) -> Result<Tally, BatchError> {
    let (chunks, mut inbox) = mpsc::channel(AHEAD);
    let offsets = source.ranges().iter().map(PartitionRange::offsets).sum();
    let reader = spawn_reader(source, decoder, chunks)?;
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
        Ok(partitions) => Ok(Tally { partitions: partitions?, ..tally }),
        Err(_) => Err(BatchError::new(ErrorKind::Failed, "the reading thread has died")),
    }
}

/// Starts the thread that reads. Not one of the runtime's own: the runtime waits for those when it
/// ends, and who waits for standard input may wait for ever.
fn spawn_reader(
    mut source: Box<dyn Source>,
    mut decoder: RowDecoder,
    chunks: mpsc::Sender<Chunk>,
) -> Result<oneshot::Receiver<Result<Vec<PartitionRead>, BatchError>>, BatchError> {
    let (done, result) = oneshot::channel();
    let mut read = move || {
        while let Some(records) = source.next()? {
            if chunks.blocking_send(decoder.decode(records)).is_err() {
                // The writing side has failed, and says so itself.
                break;
            }
        }
        Ok(source.read())
    };
    std::thread::Builder::new()
        .name("gametel-read".to_owned())
        .spawn(move || drop(done.send(read())))
        .map_err(|error| BatchError::failed("no thread could be started", error))?;
    Ok(result)
}

/// Finds out what each record is: a row of a dataset, or for the quarantine.
pub(crate) struct RowDecoder {
    decoder: Decoder,
    catalog: Arc<Catalog>,
}

impl RowDecoder {
    pub(crate) fn new(catalog: &Arc<Catalog>) -> Self {
        Self { decoder: Decoder::new(), catalog: Arc::clone(catalog) }
    }

    fn decode(&mut self, records: Vec<SourceRecord>) -> Chunk {
        let count = records.len();
        let events: Vec<_> =
            records.into_iter().filter_map(|record| self.decode_one(record)).collect();
        Chunk { tombstones: (count - events.len()) as u64, events: events.into() }
    }

    /// The event that a record is, or `None` of a tombstone.
    pub(crate) fn decode_one(&mut self, record: SourceRecord) -> Option<EncodedEvent> {
        let event = self.decoder.decode(record.value?, record.timestamp, record.position);
        Some(match self.catalog.check_columns(&event) {
            Ok(()) => event,
            Err(misfit) => event.into_malformed(misfit),
        })
    }
}
