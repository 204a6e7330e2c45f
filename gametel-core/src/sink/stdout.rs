use std::fmt;
use std::io::{self, Write};

use async_trait::async_trait;

use crate::batch::EventBatch;

use super::{
    BlockingSink, EventSink, SinkError, SinkErrorKind, ThreadSink, ThreadSinkOptions, WriteReport,
};

/// Writes events to standard output, one line each (NDJSON).
///
/// Accepted means: handed to the operating system. What the reader of a pipe does with it is beyond
/// us, so this is a sink to look at events with, and none to keep them in.
pub struct StdoutSink {
    thread: ThreadSink,
}

impl StdoutSink {
    /// A sink that writes to this process's standard output.
    ///
    /// # Errors
    ///
    /// No thread can be had (kind `Io`).
    pub fn new() -> Result<Self, SinkError> {
        Self::to(io::stdout())
    }

    /// A sink that writes its lines elsewhere.
    ///
    /// # Errors
    ///
    /// No thread can be had (kind `Io`).
    pub fn to(output: impl Write + Send + 'static) -> Result<Self, SinkError> {
        let thread = ThreadSink::new("stdout", Lines { output }, ThreadSinkOptions::default())?;
        Ok(Self { thread })
    }
}

impl fmt::Debug for StdoutSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StdoutSink")
    }
}

struct Lines<W> {
    output: W,
}

impl<W: Write + Send + 'static> BlockingSink for Lines<W> {
    fn write_group(&mut self, group: &[EventBatch]) -> Result<Vec<WriteReport>, SinkError> {
        // One buffer and one write a group: a failure in the middle of a line would leave half an
        // event.
        let mut lines =
            Vec::with_capacity(group.iter().map(|batch| batch.bytes() + batch.len()).sum());
        for event in group.iter().flat_map(EventBatch::iter) {
            lines.extend_from_slice(event.payload());
            lines.push(b'\n');
        }
        self.output.write_all(&lines).and_then(|()| self.output.flush()).map_err(failed)?;
        Ok(group.iter().map(|batch| WriteReport::accepted(batch.len())).collect())
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        self.output.flush().map_err(failed)
    }

    fn close(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

fn failed(error: io::Error) -> SinkError {
    SinkError::new(SinkErrorKind::Io, "stdout", "the output can't be written").with_source(error)
}

#[async_trait]
#[warn(clippy::missing_trait_methods)]
impl EventSink for StdoutSink {
    fn name(&self) -> &str {
        self.thread.name()
    }

    async fn write_batch(&self, batch: &EventBatch) -> Result<WriteReport, SinkError> {
        self.thread.write_batch(batch).await
    }

    async fn flush(&self) -> Result<(), SinkError> {
        self.thread.flush().await
    }

    async fn close(&self) -> Result<(), SinkError> {
        self.thread.close().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::game::PurchaseSword;
    use crate::sink::EventSinkExt;

    #[tokio::test]
    async fn what_is_accepted_has_left_the_process() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let sink = StdoutSink::to(io::BufWriter::new(file.reopen().unwrap())).unwrap();
        sink.send(&PurchaseSword).await.unwrap();
        assert_eq!(std::fs::read_to_string(file.path()).unwrap().lines().count(), 1);
        sink.close().await.unwrap();
    }
}
