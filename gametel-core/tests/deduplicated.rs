//! Each id once, whatever happens at the same time: against a model, and case by case.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt;
use futures_util::future::{Either, join, join_all, join3, select};
use gametel_core::batch::EventBatch;
use gametel_core::codec::Decoder;
use gametel_core::event::{
    EncodedEvent, EventId, EventType, Malformed, Position, QuarantineReason, Timestamp,
};
use gametel_core::sink::{
    Deduplicated, DeduplicationOptions, EventSink, EventSinkExt, MemorySink, Outcome, SinkError,
    SinkErrorKind, WriteReport,
};
use gametel_core::testing::{Call, Fault, FaultSink, When};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use tokio::task::yield_now;

/// Hands a write on after as many turns of the others as it is told.
#[derive(Debug)]
struct Slow<S> {
    sink: S,
    turns: Mutex<VecDeque<u8>>,
}

#[async_trait]
impl<S: EventSink> EventSink for Slow<S> {
    fn name(&self) -> &str {
        self.sink.name()
    }

    async fn write_batch(&self, batch: &EventBatch) -> Result<WriteReport, SinkError> {
        let turns = self.turns.lock().unwrap().pop_front().unwrap_or(0);
        for _ in 0..turns {
            yield_now().await;
        }
        self.sink.write_batch(batch).await
    }

    async fn flush(&self) -> Result<(), SinkError> {
        self.sink.flush().await
    }

    async fn close(&self) -> Result<(), SinkError> {
        self.sink.close().await
    }
}

type Memory = Arc<FaultSink<MemorySink>>;
type Sink = Deduplicated<Slow<Memory>>;

fn open(turns: &[u8], options: DeduplicationOptions) -> (Sink, Memory) {
    let memory = Arc::new(FaultSink::new(MemorySink::new()));
    let slow =
        Slow { sink: Arc::clone(&memory), turns: Mutex::new(turns.iter().copied().collect()) };
    (Deduplicated::new(slow, options), memory)
}

fn id(number: u8) -> EventId {
    EventId::from_parts(Timestamp::from_micros(0), [number; 10])
}

fn event(number: u8) -> EncodedEvent {
    let at = Timestamp::from_micros(0);
    EncodedEvent::new(id(number), EventType::new("t"), vec![number].into(), at)
}

fn batch(numbers: &[u8]) -> EventBatch {
    numbers.iter().map(|number| event(*number)).collect()
}

/// How often each id is stored.
fn stored(memory: &Memory) -> BTreeMap<EventId, usize> {
    let mut counts = BTreeMap::new();
    for event in memory.inner().events() {
        *counts.entry(event.id().unwrap()).or_insert(0) += 1;
    }
    counts
}

fn once(numbers: &[u8]) -> BTreeMap<EventId, usize> {
    numbers.iter().map(|number| (id(*number), 1)).collect()
}

fn offsets(report: WriteReport) -> Vec<Option<i64>> {
    let offset = |outcome| match outcome {
        Outcome::Accepted(receipt) => receipt.position.map(|position| position.offset),
        Outcome::Rejected(rejection) => panic!("{rejection:?}"),
    };
    report.into_outcomes().into_iter().map(offset).collect()
}

/// One sender: when it comes, what it sends, and when it leaves if it does not stay.
#[derive(Clone, Debug)]
struct Sender {
    comes: u8,
    sends: Vec<u8>,
    leaves: Option<u8>,
}

fn sender() -> impl Strategy<Value = Sender> {
    (0..12_u8, vec(0..6_u8, 0..5), option::weighted(0.2, 0..8_u8))
        .prop_map(|(comes, sends, leaves)| Sender { comes, sends, leaves })
}

/// Gives the ids that the sender was told are accepted.
async fn send(sink: Arc<Sink>, sender: Sender) -> Vec<EventId> {
    for _ in 0..sender.comes {
        yield_now().await;
    }
    let batch = batch(&sender.sends);
    let leave = async {
        match sender.leaves {
            Some(turns) => {
                for _ in 0..turns {
                    yield_now().await;
                }
            }
            None => std::future::pending().await,
        }
    };
    let written = match select(sink.write_batch(&batch), Box::pin(leave)).await {
        Either::Left((Ok(report), _)) => report.into_outcomes(),
        Either::Left((Err(_), _)) | Either::Right(_) => return Vec::new(),
    };
    assert_eq!(written.len(), batch.len());
    let accepted = |(event, outcome): (&EncodedEvent, &Outcome)| match outcome {
        Outcome::Accepted(_) => event.id(),
        Outcome::Rejected(_) => None,
    };
    batch.iter().zip(&written).filter_map(accepted).collect()
}

/// Lets all senders loose on one sink, and gives what they were told and what is stored.
fn run(
    senders: Vec<Sender>,
    turns: &[u8],
    faults: &[(u64, Fault)],
) -> (BTreeSet<EventId>, BTreeMap<EventId, usize>) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(async {
        let options = DeduplicationOptions::default().with_max_events(1_000);
        let (sink, memory) = open(turns, options);
        for (number, fault) in faults {
            memory.inject(Call::Write, When::Nth(*number), *fault);
        }
        let sink = Arc::new(sink);
        let tasks = senders.into_iter().map(|sender| tokio::spawn(send(Arc::clone(&sink), sender)));
        // Paused time passes once all wait, for ever: for each other.
        let told = tokio::time::timeout(Duration::from_secs(1), join_all(tasks)).await;
        let told = told.expect("nobody waits for ever").into_iter().flat_map(Result::unwrap);
        (told.collect(), stored(&memory))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// The faults and the departures here are of the kind that store nothing.
    #[test]
    fn what_is_acknowledged_is_stored_once_and_nothing_else_is(
        senders in vec(sender(), 1..12),
        turns in vec(0..6_u8, 0..20),
        faults in vec((1..20_u64, prop_oneof![
            Just(Fault::Fail(SinkErrorKind::Unavailable)),
            (1..4_usize).prop_map(|every| Fault::RejectEvery { every, kind: SinkErrorKind::Rejected }),
        ]), 0..8),
    ) {
        let (told, stored) = run(senders, &turns, &faults);
        let expected: BTreeMap<_, _> = told.into_iter().map(|id| (id, 1)).collect();
        prop_assert_eq!(stored, expected);
    }

    #[test]
    fn what_is_acknowledged_is_stored_though_failures_may_store_too(
        senders in vec(sender(), 1..12),
        turns in vec(0..6_u8, 0..20),
        faults in vec((1..20_u64, 0..4_usize), 0..8),
    ) {
        let fault = |stored| Fault::FailAfterStoring { stored, kind: SinkErrorKind::Io };
        let faults: Vec<_> = faults.into_iter().map(|(nth, stored)| (nth, fault(stored))).collect();
        let (told, stored) = run(senders, &turns, &faults);
        prop_assert!(told.iter().all(|id| stored.contains_key(id)));
    }
}

#[tokio::test]
async fn a_repeat_is_accepted_and_not_written() {
    let (sink, memory) = open(&[], DeduplicationOptions::default());
    assert_eq!(offsets(sink.write_batch(&batch(&[1, 2])).await.unwrap()), [Some(0), Some(1)]);
    let report = sink.write_batch(&batch(&[2, 3, 1])).await.unwrap();
    assert_eq!(offsets(report), [None, Some(2), None]);
    // Another event of the same id and type is taken for the first one.
    let at = Timestamp::from_micros(7);
    let other = EncodedEvent::new(id(1), EventType::new("t"), "other".into(), at);
    assert_eq!(sink.write(other).await.unwrap().position, None);
    assert_eq!(stored(&memory), once(&[1, 2, 3]));
    assert_eq!(memory.calls(Call::Write), 2, "of repeats alone there is nothing to write");
}

#[tokio::test]
async fn repeats_in_one_batch_have_the_first_ones_outcome() {
    let (sink, memory) = open(&[], DeduplicationOptions::default());
    let report = sink.write_batch(&batch(&[1, 2, 1, 1])).await.unwrap();
    assert_eq!(offsets(report), [Some(0), Some(1), Some(0), Some(0)]);
    assert_eq!(stored(&memory), once(&[1, 2]));
    let fault = Fault::RejectEvery { every: 1, kind: SinkErrorKind::TooLarge };
    memory.inject(Call::Write, When::Next(1), fault);
    let report = sink.write_batch(&batch(&[3, 3])).await.unwrap();
    assert_eq!((report.rejected_count(), memory.calls(Call::Write)), (2, 2));
}

#[tokio::test]
async fn a_repeat_waits_for_the_first_and_has_its_receipt() {
    let (sink, memory) = open(&[3], DeduplicationOptions::default());
    let (first, second) = (batch(&[7, 1]), batch(&[2, 1]));
    let (first, second) = join(sink.write_batch(&first), sink.write_batch(&second)).await;
    assert_eq!(offsets(first.unwrap()), [Some(0), Some(1)]);
    assert_eq!(offsets(second.unwrap()), [Some(2), Some(1)]);
    assert_eq!(stored(&memory), once(&[1, 2, 7]));
}

#[tokio::test]
async fn a_repeat_is_written_itself_if_the_first_fails() {
    for fault in [
        Fault::Fail(SinkErrorKind::Unavailable),
        Fault::RejectEvery { every: 1, kind: SinkErrorKind::Rejected },
    ] {
        let (sink, memory) = open(&[3], DeduplicationOptions::default());
        memory.inject(Call::Write, When::Nth(1), fault);
        let batch = batch(&[1]);
        let (first, second) = join(sink.write_batch(&batch), sink.write_batch(&batch)).await;
        assert!(
            first.is_err_and(|error| error.is_retryable())
                || matches!(fault, Fault::RejectEvery { .. })
        );
        assert_eq!(offsets(second.unwrap()), [Some(0)]);
        assert_eq!(stored(&memory), once(&[1]));
        // And what was refused is not remembered: the first sender comes again.
        assert_eq!(offsets(sink.write_batch(&batch).await.unwrap()), [None]);
    }
}

#[tokio::test]
async fn nobody_waits_for_more_than_two_failures() {
    let (sink, memory) = open(&[2; 10], DeduplicationOptions::default());
    memory.inject(Call::Write, When::Always, Fault::Fail(SinkErrorKind::Unavailable));
    let batch = batch(&[1]);
    let write = || sink.write_batch(&batch);
    let all = join3(write(), join_all((0..10).map(|_| write())), write()).await;
    assert!(all.0.is_err());
    assert_eq!(memory.calls(Call::Write), 2);
    let kinds = all.1.into_iter().chain([all.2]).map(|written| match written {
        Ok(report) => report.rejected().next().map(|(_, why)| why.kind),
        Err(error) => Some(error.kind()),
    });
    assert!(kinds.into_iter().all(|kind| kind == Some(SinkErrorKind::Unavailable)));
    memory.heal();
    assert_eq!(offsets(write().await.unwrap()), [Some(0)]);
}

#[tokio::test]
async fn a_first_write_that_is_dropped_frees_its_ids() {
    let (sink, memory) = open(&[], DeduplicationOptions::default());
    memory.inject(Call::Write, When::Nth(1), Fault::Hang);
    let (first, second) = (batch(&[1, 2]), batch(&[2]));
    let mut first = sink.write_batch(&first);
    assert!((&mut first).now_or_never().is_none());
    let mut waiting = sink.write_batch(&second);
    assert!((&mut waiting).now_or_never().is_none());
    drop(first);
    assert_eq!(offsets(waiting.await.unwrap()), [Some(0)]);
    assert_eq!(stored(&memory), once(&[2]));
}

#[tokio::test]
async fn a_dead_letter_and_its_mended_event_are_two() {
    let (sink, memory) = open(&[], DeduplicationOptions::default());
    let why = Malformed { reason: QuarantineReason::TooLong, detail: "so it is".into() };
    let dead = event(1).into_malformed(why);
    for sent in [&dead, &event(1), &dead, &event(1)] {
        sink.write(sent.clone()).await.unwrap();
    }
    assert_eq!(memory.inner().events().len(), 2);
}

#[tokio::test]
async fn one_id_in_two_types_or_scopes_is_two_events() {
    let (sink, memory) = open(&[], DeduplicationOptions::default());
    let at = Timestamp::from_micros(0);
    let other = EncodedEvent::new(id(1), EventType::new("other"), vec![2].into(), at);
    let both = EventBatch::from(vec![event(1), other, event(1)]);
    for (scope, repeats, stored) in
        [("", vec![2], 2), ("web", vec![2], 4), ("", vec![0, 1, 2], 4), ("web", vec![0, 1, 2], 4)]
    {
        let written = sink.write_scoped(scope, &both).await.unwrap();
        assert_eq!((written.repeats, written.report.accepted_count()), (repeats, 3), "{scope}");
        assert_eq!(memory.inner().events().len(), stored, "{scope}");
    }
    // What fails is no repeat of anything.
    memory.inject(Call::Write, When::Always, Fault::Fail(SinkErrorKind::Unavailable));
    let sent = batch(&[3, 3, 1]);
    let written = sink.write_scoped("", &sent).await.unwrap();
    assert_eq!((written.repeats, written.report.accepted_count()), (vec![2], 1));
}

#[tokio::test]
async fn an_event_without_an_id_passes() {
    let (sink, memory) = open(&[], DeduplicationOptions::default());
    let position = Position { topic: "events".into(), partition: 0, offset: 0 };
    let event = Decoder::new().decode(r#"{"event_type":"x"}"#.into(), None, position);
    for _ in 0..2 {
        sink.write(event.clone()).await.unwrap();
    }
    assert_eq!(memory.inner().events().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_id_is_forgotten_after_the_window() {
    let options = DeduplicationOptions::default().with_window(Duration::from_secs(60));
    let (sink, memory) = open(&[], options);
    sink.write(event(1)).await.unwrap();
    tokio::time::advance(Duration::from_secs(60)).await;
    sink.write(event(1)).await.unwrap();
    assert_eq!(memory.inner().events().len(), 1);
    // From the first time on, not the last.
    tokio::time::advance(Duration::from_secs(1)).await;
    sink.write(event(1)).await.unwrap();
    assert_eq!(memory.inner().events().len(), 2);
}

#[tokio::test]
async fn of_too_many_ids_the_oldest_is_forgotten() {
    let (sink, memory) = open(&[], DeduplicationOptions::default().with_max_events(2));
    for number in [1, 2, 3, 2, 3, 1] {
        sink.write(event(number)).await.unwrap();
    }
    let stored: Vec<_> = memory.inner().events().iter().map(|event| event.payload()[0]).collect();
    assert_eq!(stored, [1, 2, 3, 1]);
    let (sink, memory) = open(&[], DeduplicationOptions::default().with_max_events(0));
    for _ in 0..2 {
        sink.write(event(1)).await.unwrap();
    }
    assert_eq!(memory.inner().events().len(), 2);
}

#[tokio::test]
async fn a_repeat_after_the_close_is_refused() {
    let (sink, _) = open(&[], DeduplicationOptions::default());
    sink.write(event(1)).await.unwrap();
    sink.close().await.unwrap();
    assert_eq!(sink.write(event(1)).await.unwrap_err().kind(), SinkErrorKind::Closed);
}

/// Accepts, and does not say what.
#[derive(Debug)]
struct Silent;

#[async_trait]
impl EventSink for Silent {
    fn name(&self) -> &str {
        "silent"
    }

    async fn write_batch(&self, _: &EventBatch) -> Result<WriteReport, SinkError> {
        Ok(WriteReport::default())
    }

    async fn flush(&self) -> Result<(), SinkError> {
        Ok(())
    }

    async fn close(&self) -> Result<(), SinkError> {
        Ok(())
    }
}

#[tokio::test]
async fn what_the_sink_does_not_speak_of_is_not_accepted() {
    let sink = Deduplicated::new(Silent, DeduplicationOptions::default());
    for _ in 0..2 {
        let error = sink.write(event(1)).await.unwrap_err();
        assert_eq!((error.kind(), error.sink()), (SinkErrorKind::Config, "silent"));
    }
}
