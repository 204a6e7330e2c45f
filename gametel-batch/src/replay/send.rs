use std::sync::Arc;

use gametel_core::codec::Decoder;
use gametel_core::endpoint::Endpoint;
use gametel_core::event::EncodedEvent;
use gametel_core::sink::EventSink;

use crate::commit::Change;
use crate::error::BatchError;
use crate::manifest::Manifest;
use crate::run::{blocking, imbalance};
use crate::store::Store;

use super::intent::Intent;
use super::reader::{Reader, Records};
use super::{Begun, ReplayConfig, Taken, hand_over};

/// The bytes of records that are sent together, about. Well below what a sink's queue takes.
const TOGETHER: usize = 1024 * 1024;

/// Sends the records as they came, and marks them once all are acknowledged.
pub(super) async fn send(
    store: Arc<dyn Store>,
    begun: Begun,
    config: ReplayConfig,
    to: Endpoint,
) -> Result<Manifest, BatchError> {
    let (at, end) = (Arc::clone(&store), to.clone());
    let opened = blocking(move || {
        let sink = open(&end)?;
        let intent = Intent::new(begun.transaction.run(), end.to_string(), begun.selected.clone());
        begun.transaction.check()?;
        intent.put(&*at)?;
        let reader = Reader::new(at, &begun.selected, TOGETHER);
        Ok((begun, intent, reader, sink))
    });
    let (begun, intent, reader, sink) = opened.await?;
    let sent = send_all(reader, &*sink).await;
    let closed = sink
        .close()
        .await
        .map_err(|error| BatchError::failed(format!("{} can't be closed", sink.name()), error));
    let taken = sent.and_then(|taken| closed.map(|()| taken)).map_err(|error| {
        let message = format!(
            "not all records were sent to {to}, and which of them have arrived is not known: look \
             there before you send them again with --allow replay-interrupted"
        );
        BatchError::failed(message, error)
    })?;
    blocking(move || {
        let mut manifest = begun.manifest(&config);
        taken.record(&mut manifest);
        if let Some(replay) = &mut manifest.replay {
            replay.sent = taken.count;
        }
        manifest.check_conservation().map_err(imbalance)?;
        let change = Change::Replay(Vec::new(), taken.rows);
        begun.transaction.commit(&change, &manifest, config.keep)?;
        intent.remove(&*store);
        Ok(manifest)
    })
    .await
}

async fn send_all(mut reader: Reader, sink: &dyn EventSink) -> Result<Taken, BatchError> {
    let mut taken = Taken::default();
    loop {
        let (back, records) = blocking(move || {
            let records = reader.next()?;
            Ok((reader, records))
        })
        .await?;
        reader = back;
        let Some(Records { file, rows }) = records else { return Ok(taken) };
        let mut decoder = Decoder::new();
        let mut events: Vec<EncodedEvent> = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(value) = row.record.value else { continue };
            taken.add(&file, row.number, &row.reason);
            // Which event it is, if it is one, is for the sink; its bytes stay as they are.
            events.push(decoder.decode(value, row.record.timestamp, row.record.position));
        }
        hand_over(sink, events.into()).await?;
    }
}

/// Opens the end that records are sent to. Where it can be found out, it must be there.
fn open(to: &Endpoint) -> Result<Box<dyn EventSink>, BatchError> {
    #[cfg(any(feature = "log", feature = "kafka"))]
    let failed = |error: gametel_core::sink::SinkError| {
        BatchError::failed(format!("{to} can't be written"), error)
    };
    match to {
        #[cfg(feature = "log")]
        Endpoint::Sqlite(path) => {
            // What was in a source once is sent whole.
            let options = gametel_core::sink::log::LogOptions::default();
            let options = options.with_max_event_bytes(usize::MAX);
            Ok(Box::new(gametel_core::sink::LogSink::open(path, options).map_err(failed)?))
        }
        #[cfg(feature = "kafka")]
        Endpoint::Kafka { brokers, topic } => {
            // A typo in its name makes no topic.
            crate::source::kafka::describe(brokers, topic, &Default::default())?;
            let sink = gametel_core::sink::KafkaSink::builder(brokers).topic(topic);
            Ok(Box::new(sink.build().map_err(failed)?))
        }
        other => Err(BatchError::config(format!(
            "{other} takes no records: send them to sqlite:PATH (feature log) or \
             kafka://HOST:PORT/TOPIC (feature kafka)"
        ))),
    }
}
