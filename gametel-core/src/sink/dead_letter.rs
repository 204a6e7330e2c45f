use std::sync::Arc;

use async_trait::async_trait;

use crate::batch::EventBatch;

use super::parts::{close_all, flush_all, write_parts};
use super::{EventSink, SinkError, WriteReport};

/// Writes events to one sink, and what was [made malformed](crate::event::EncodedEvent::into_malformed)
/// to another: the dead letters.
///
/// A dead letter is written as the event would have been, byte for byte, so that it can be mended
/// and sent again later. In Kafka and in the embedded log its record says why it is one, in
/// [headers](crate::event::Malformed::record_headers).
///
/// Events for the same sink keep their order; the two are written at the same time. If one fails as
/// a whole, what was for it is rejected for that reason, and what the other accepted is accepted; if
/// nothing was for the other, this sink fails as a whole. Both are flushed and closed, whatever the
/// other answers.
///
/// Behind one `Spool`, one of the two that is away holds up the other: the spool tries
/// what failed again before anything later. Where that must not be, each gets a spool of its own.
///
/// The misuse to avoid: dead letters in the sink of the events. What reads that sink takes them for
/// events, since it is in the header alone that they are not.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use std::sync::Arc;
/// use gametel_core::catalog::{EventDefinition, FieldDefinition, FieldType};
/// use gametel_core::event::{EventDraft, Stamp};
/// use gametel_core::sink::{DeadLetter, EventSinkExt, MemorySink};
///
/// let duel = EventDefinition::new("duel_won")
///     .with_field(FieldDefinition::new("winner", FieldType::String).required());
/// let (events, dead) = (Arc::new(MemorySink::new()), Arc::new(MemorySink::named("dead")));
/// let sink = DeadLetter::new(events.clone(), dead.clone());
///
/// let draft = EventDraft::from_json(br#"{"event_type": "duel_won"}"#)?;
/// let fault = duel.check(draft.fields()).unwrap_err();
/// sink.write(draft.encode(&[], Stamp::now())?.into_malformed((&fault).into())).await?;
/// assert_eq!((events.events().len(), dead.events().len()), (0, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Debug)]
pub struct DeadLetter {
    /// For events, and for dead letters.
    sinks: [Arc<dyn EventSink>; 2],
}

const EVENTS: usize = 0;
const DEAD_LETTERS: usize = 1;

impl DeadLetter {
    /// Makes one of a sink for events and a sink for dead letters.
    pub fn new(events: impl EventSink, dead_letters: impl EventSink) -> Self {
        Self { sinks: [Arc::new(events), Arc::new(dead_letters)] }
    }
}

#[async_trait]
#[warn(clippy::missing_trait_methods)]
impl EventSink for DeadLetter {
    fn name(&self) -> &str {
        "dead_letter"
    }

    async fn write_batch(&self, batch: &EventBatch) -> Result<WriteReport, SinkError> {
        let place = |event: &crate::event::EncodedEvent| match event.malformed() {
            None => EVENTS,
            Some(_) => DEAD_LETTERS,
        };
        write_parts("dead_letter", &self.sinks, batch, place).await
    }

    async fn flush(&self) -> Result<(), SinkError> {
        flush_all(&self.sinks).await
    }

    async fn close(&self) -> Result<(), SinkError> {
        close_all(&self.sinks).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EncodedEvent, EventId, EventType, Malformed, QuarantineReason, Timestamp};
    use crate::sink::odd::OddSink;
    use crate::sink::{MemorySink, Outcome, Rejection, SinkErrorKind};

    fn event(payload: &'static str) -> EncodedEvent {
        let at = Timestamp::from_micros(0);
        EncodedEvent::new(EventId::new(at), EventType::new("t"), payload.into(), at)
    }

    fn dead(payload: &'static str) -> EncodedEvent {
        let why = Malformed { reason: QuarantineReason::MissingField, detail: "a".into() };
        event(payload).into_malformed(why)
    }

    fn payloads(sink: &MemorySink) -> Vec<bytes::Bytes> {
        sink.events().iter().map(|event| event.payload().clone()).collect()
    }

    #[tokio::test]
    async fn dead_letters_go_their_own_way_with_the_bytes_that_they_had() {
        let sinks = [MemorySink::named("events"), MemorySink::named("dead")].map(Arc::new);
        let sink = DeadLetter::new(Arc::clone(&sinks[0]), Arc::clone(&sinks[1]));
        let batch = EventBatch::from(vec![event("0"), dead("1"), event("2"), dead("3")]);
        let report = sink.write_batch(&batch).await.unwrap();
        let places = report.into_outcomes().into_iter().map(|outcome| match outcome {
            Outcome::Accepted(receipt) => receipt.position.unwrap().topic,
            Outcome::Rejected(rejection) => panic!("{rejection:?}"),
        });
        assert_eq!(
            places.collect::<Vec<_>>(),
            ["events", "dead", "events", "dead"].map(Into::into)
        );
        assert_eq!(
            (payloads(&sinks[0]), payloads(&sinks[1])),
            (vec!["0".into(), "2".into()], vec!["1".into(), "3".into()])
        );
        assert!(dead("1").id().is_some() && dead("1").event_type().is_none());
    }

    #[tokio::test]
    async fn both_are_flushed_and_closed_when_one_fails() {
        for failing in [0, 1] {
            let sinks = ["events", "dead"].map(|name| Arc::new(OddSink::failing(name)));
            let sink = match failing {
                0 => DeadLetter::new(Arc::clone(&sinks[0]), MemorySink::new()),
                _ => DeadLetter::new(MemorySink::new(), Arc::clone(&sinks[1])),
            };
            assert!(sink.flush().await.is_err() && sink.close().await.is_err());
            assert_eq!(sinks[failing].calls(), ["flush", "close"]);
        }
        let sinks = ["events", "dead"].map(|name| Arc::new(OddSink::failing(name)));
        let sink = DeadLetter::new(Arc::clone(&sinks[0]), Arc::clone(&sinks[1]));
        assert!(sink.flush().await.is_err() && sink.close().await.is_err());
        assert!(sinks.iter().all(|sink| sink.calls() == ["flush", "close"]));
    }

    #[tokio::test]
    async fn what_one_end_accepted_is_told_though_the_other_fails() {
        let events = Arc::new(MemorySink::new());
        let sink = DeadLetter::new(Arc::clone(&events), OddSink::failing("dead"));
        let batch = EventBatch::from(vec![event("0"), dead("1"), event("2")]);
        let report = sink.write_batch(&batch).await.unwrap();
        let rejected: Vec<_> = report.rejected().collect();
        let why = Rejection::new(SinkErrorKind::Io, "dead: it always fails");
        assert_eq!((rejected, payloads(&events).len()), (vec![(1, &why)], 2));
        // Where nothing else was written, it is the failure of the whole.
        let error = sink.write_batch(&EventBatch::from(vec![dead("3")])).await.unwrap_err();
        assert_eq!((error.sink(), error.kind()), ("dead", SinkErrorKind::Io));
    }
}
