//! What a recorder logs, and how seldom. In a program of its own, as the recorder's thread logs to
//! the global subscriber.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use gametel_core::batch::EventBatch;
use gametel_core::event::game::PurchaseSword;
use gametel_core::recorder::Recorder;
use gametel_core::sink::{EventSink, MemorySink, SinkError, SinkErrorKind, WriteReport};
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber, span};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// A line of an event's level, message and fields.
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("gametel_core")
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// Answers every write with an error of this kind.
#[derive(Debug)]
struct Broken(SinkErrorKind);

#[async_trait]
impl EventSink for Broken {
    fn name(&self) -> &str {
        "broken"
    }
    async fn write_batch(&self, _: &EventBatch) -> Result<WriteReport, SinkError> {
        Err(SinkError::new(self.0, "broken", "no topic"))
    }
    async fn flush(&self) -> Result<(), SinkError> {
        Ok(())
    }
    async fn close(&self) -> Result<(), SinkError> {
        Ok(())
    }
}

#[test]
fn the_first_loss_and_the_total_are_logged_and_nothing_else() {
    let lines = Lines::default();
    tracing::subscriber::set_global_default(lines.clone()).unwrap();

    let recorder = Recorder::builder(Broken(SinkErrorKind::Config)).build().unwrap();
    for _ in 0..3 {
        recorder.record(&PurchaseSword).unwrap();
        recorder.flush_blocking().unwrap_err();
    }
    assert!(!recorder.close_blocking(Duration::from_secs(60)).is_complete());
    drop(recorder);
    let logged = lines.take();
    assert_eq!(logged.len(), 2, "{logged:#?}");
    assert!(logged[0].contains("WARN message=the recorder loses events"), "{logged:#?}");
    assert!(logged[0].contains("dropped=1") && logged[0].contains("error=broken: no topic"));
    assert!(logged[1].contains("WARN message=the recorder closed with losses"), "{logged:#?}");
    assert!(logged[1].contains("recorded=3") && logged[1].contains("dropped=3"));

    // What the sink refuses is lost as well.
    let recorder = Recorder::builder(Broken(SinkErrorKind::Rejected)).build().unwrap();
    recorder.record(&PurchaseSword).unwrap();
    recorder.flush_blocking().unwrap_err();
    assert!(!recorder.close_blocking(Duration::from_secs(60)).is_complete());
    let logged = lines.take();
    assert_eq!(logged.len(), 2, "{logged:#?}");
    assert!(logged.iter().all(|line| line.contains("refused=1")), "{logged:#?}");

    // A recorder that loses nothing says nothing; one that nobody closes says so.
    let recorder = Recorder::builder(MemorySink::new()).build().unwrap();
    recorder.record(&PurchaseSword).unwrap();
    assert!(recorder.close_blocking(Duration::from_secs(60)).is_complete());
    assert_eq!(lines.take(), [""; 0]);
    let recorder =
        Recorder::builder(MemorySink::new()).linger(Duration::from_secs(60)).build().unwrap();
    recorder.record(&PurchaseSword).unwrap();
    drop(recorder);
    let logged = lines.take();
    assert!(logged[0].contains("dropped without close") && logged[0].contains("queued=1"));
}
