//! A sink for the tests of combinators: it keeps its place, and not the contract.

use std::sync::Mutex;

use async_trait::async_trait;

use crate::batch::EventBatch;

use super::{EventSink, SinkError, SinkErrorKind, WriteReport};

/// Notes what is called, and either fails it all or succeeds with a report that says nothing.
#[derive(Debug)]
pub(super) struct OddSink {
    name: &'static str,
    fails: bool,
    calls: Mutex<Vec<&'static str>>,
}

impl OddSink {
    pub(super) fn failing(name: &'static str) -> Self {
        Self { name, fails: true, calls: Mutex::default() }
    }

    pub(super) fn silent() -> Self {
        Self { name: "silent", fails: false, calls: Mutex::default() }
    }

    pub(super) fn calls(&self) -> Vec<&'static str> {
        self.calls.lock().unwrap().clone()
    }

    fn note(&self, call: &'static str) -> Result<(), SinkError> {
        self.calls.lock().unwrap().push(call);
        let error = || Err(SinkError::new(SinkErrorKind::Io, self.name, "it always fails"));
        if self.fails { error() } else { Ok(()) }
    }
}

#[async_trait]
impl EventSink for OddSink {
    fn name(&self) -> &str {
        self.name
    }

    async fn write_batch(&self, _: &EventBatch) -> Result<WriteReport, SinkError> {
        self.note("write").map(|()| WriteReport::default())
    }

    async fn flush(&self) -> Result<(), SinkError> {
        self.note("flush")
    }

    async fn close(&self) -> Result<(), SinkError> {
        self.note("close")
    }
}
