//! What a thread sink that nobody closed logs. In a program of its own, as its thread logs to the
//! global subscriber.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::fmt::{Debug, Write};
use std::sync::mpsc;
use std::time::Duration;

use futures_util::future::FutureExt;
use gametel_core::batch::EventBatch;
use gametel_core::sink::{
    BlockingSink, EventSink, SinkError, SinkErrorKind, ThreadSink, ThreadSinkOptions, WriteReport,
};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber, span};

/// Passes on the errors that core logs.
struct Errors(mpsc::Sender<String>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{field}={value:?} ").unwrap();
    }
}

impl Subscriber for Errors {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("gametel_core") && *metadata.level() == Level::ERROR
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        self.0.send(line.0).unwrap();
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// Waits to be let go on, and then can't be flushed.
struct Unflushable(mpsc::Receiver<()>);

impl BlockingSink for Unflushable {
    fn write_group(&mut self, _: &[EventBatch]) -> Result<Vec<WriteReport>, SinkError> {
        unreachable!("the test writes nothing")
    }
    fn flush(&mut self) -> Result<(), SinkError> {
        _ = self.0.recv();
        Err(SinkError::new(SinkErrorKind::Io, "odd", "the disk is full"))
    }
    fn close(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

fn open() -> (ThreadSink, mpsc::Sender<()>) {
    let (go_on, told) = mpsc::channel();
    (ThreadSink::new("odd", Unflushable(told), ThreadSinkOptions::default()).unwrap(), go_on)
}

#[test]
fn a_failed_end_is_logged_where_nobody_is_left_to_hear_of_it() {
    let (lines, logged) = mpsc::channel();
    tracing::subscriber::set_global_default(Errors(lines)).unwrap();
    let is_logged = || {
        let line = logged.recv_timeout(Duration::from_secs(60)).expect("it comes within a minute");
        assert!(line.contains("failed while being dropped"), "{line}");
        assert!(line.contains("error=odd: the disk is full"), "{line}");
    };

    // Nobody closes it.
    let (sink, go_on) = open();
    drop(sink);
    drop(go_on);
    is_logged();

    // Who closes it goes away before the answer.
    let (sink, go_on) = open();
    assert!(sink.close().now_or_never().is_none());
    drop(sink);
    drop(go_on);
    is_logged();

    // Who hears of it is told, and nothing is logged.
    let (sink, go_on) = open();
    drop(go_on);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(sink.close()).unwrap_err();
    drop(sink);
    assert!(logged.try_recv().is_err());
}
