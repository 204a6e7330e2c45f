mod options;
mod worker;

use std::fmt;

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot, watch};

use crate::batch::EventBatch;

use super::{EventSink, SinkError, SinkErrorKind, WriteReport};

pub use options::ThreadSinkOptions;

use worker::{Command, Worker};

/// A destination whose calls block their thread: a file, a database.
///
/// It is written without locks and without async, for one caller, and becomes an [`EventSink`] in a
/// [`ThreadSink`], whose thread calls it.
pub trait BlockingSink: Send + 'static {
    /// Writes several batches as one group, and gives a report for each, in order.
    ///
    /// A group is what waited while the last one was being written: write it with one fsync. It is
    /// never empty; its batches may be.
    ///
    /// # Errors
    ///
    /// The whole group failed, as [`EventSink::write_batch`] may. Other groups may follow: what a
    /// failed one left half-written is the sink's to undo.
    fn write_group(&mut self, group: &[EventBatch]) -> Result<Vec<WriteReport>, SinkError>;

    /// Makes durable what was accepted before.
    ///
    /// # Errors
    ///
    /// What was accepted may not be durable.
    fn flush(&mut self) -> Result<(), SinkError>;

    /// Ends the destination, and is the last call. Comes after a [`flush`](Self::flush).
    ///
    /// # Errors
    ///
    /// The destination could not be ended as it should.
    fn close(&mut self) -> Result<(), SinkError>;
}

/// Runs a [`BlockingSink`] on a thread of its own, behind a bounded queue.
///
/// Batches that arrive while the thread is busy form the next group (group commit): many waiting
/// callers, one fsync. Their order is the order in which they were handed over. Dropping the future
/// of a write does not take the batch back. Needs no async runtime.
///
/// ```
/// use std::io::Write;
/// use gametel_core::batch::EventBatch;
/// use gametel_core::sink::{BlockingSink, SinkError, SinkErrorKind, ThreadSink, WriteReport};
///
/// struct Lines(std::fs::File);
///
/// impl BlockingSink for Lines {
///     fn write_group(&mut self, group: &[EventBatch]) -> Result<Vec<WriteReport>, SinkError> {
///         let mut lines = Vec::new();
///         for event in group.iter().flat_map(|batch| batch.iter()) {
///             lines.extend_from_slice(event.payload());
///             lines.push(b'\n');
///         }
///         // One write and one sync for the group, and no report before both are done.
///         self.0.write_all(&lines).and_then(|()| self.0.sync_data()).map_err(|error| {
///             SinkError::new(SinkErrorKind::Io, "lines", "the file can't be written").with_source(error)
///         })?;
///         Ok(group.iter().map(|batch| WriteReport::accepted(batch.len())).collect())
///     }
///     fn flush(&mut self) -> Result<(), SinkError> {
///         Ok(())
///     }
///     fn close(&mut self) -> Result<(), SinkError> {
///         Ok(())
///     }
/// }
///
/// # let path = std::env::temp_dir().join(format!("gametel-lines-{}", std::process::id()));
/// let file = std::fs::File::create(&path)?;
/// let sink = ThreadSink::new("lines", Lines(file), Default::default())?;
/// # drop(sink); std::fs::remove_file(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ThreadSink {
    name: String,
    /// How the thread ended, once it has. Declared before `commands`, so as to be dropped before:
    /// a thread that is told to end by the drop finds that nobody hears its result.
    ended: watch::Receiver<Option<Result<(), SinkError>>>,
    commands: mpsc::Sender<Command>,
}

impl ThreadSink {
    /// Starts the thread. `name` is the sink's and the thread's.
    ///
    /// # Errors
    ///
    /// The operating system gives no thread (kind `Io`).
    ///
    /// # Panics
    ///
    /// A limit is 0.
    pub fn new(
        name: &str,
        sink: impl BlockingSink,
        options: ThreadSinkOptions,
    ) -> Result<Self, SinkError> {
        assert!(options.group_events > 0 && options.group_bytes > 0, "a group must have room");
        let (commands, inbox) = mpsc::channel(options.queue_batches);
        let (end, ended) = watch::channel(None);
        let worker = Worker::new(sink, inbox, options, name.to_owned());
        std::thread::Builder::new()
            .name(format!("gametel-{name}"))
            .spawn(move || worker.run(&end))
            .map_err(|error| {
                SinkError::new(SinkErrorKind::Io, name.to_owned(), "no thread could be started")
                    .with_source(error)
            })?;
        Ok(Self { name: name.to_owned(), ended, commands })
    }

    fn closed_error(&self) -> SinkError {
        SinkError::closed(self.name.clone())
    }

    /// The error of a thread that ended in a panic.
    fn dead(&self) -> SinkError {
        SinkError::new(SinkErrorKind::Io, self.name.clone(), "the writing thread has died")
    }
}

impl fmt::Debug for ThreadSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadSink").field("name", &self.name).finish_non_exhaustive()
    }
}

#[async_trait]
impl EventSink for ThreadSink {
    fn name(&self) -> &str {
        &self.name
    }

    async fn write_batch(&self, batch: &EventBatch) -> Result<WriteReport, SinkError> {
        let (reply, answer) = oneshot::channel();
        let command = Command::Write { batch: batch.clone(), reply };
        self.commands.try_send(command).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                let message = "the queue is full";
                SinkError::new(SinkErrorKind::Backpressure, self.name.clone(), message)
            }
            mpsc::error::TrySendError::Closed(_) => self.closed_error(),
        })?;
        answer.await.unwrap_or_else(|_| Err(self.dead()))
    }

    async fn flush(&self) -> Result<(), SinkError> {
        let (reply, answer) = oneshot::channel();
        let sent = self.commands.send(Command::Flush { reply }).await;
        sent.map_err(|_| self.closed_error())?;
        answer.await.unwrap_or_else(|_| Err(self.dead()))
    }

    async fn close(&self) -> Result<(), SinkError> {
        // A thread that can't be told has been told before, or has died.
        _ = self.commands.send(Command::Close).await;
        let mut ended = self.ended.clone();
        match ended.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(result)) => result.clone(),
            // A panic leaves no result.
            _ => Err(self.dead()),
        }
    }
}

impl Drop for ThreadSink {
    fn drop(&mut self) {
        if self.ended.borrow().is_none() {
            tracing::warn!(sink = self.name, "dropped without close");
        }
    }
}

#[cfg(test)]
mod tests;
