mod worker;

use std::fmt;
use std::sync::Mutex;
use std::thread::JoinHandle;

use async_trait::async_trait;
use tokio::sync::{OnceCell, mpsc, oneshot};

use crate::batch::EventBatch;

use super::{EventSink, SinkError, SinkErrorKind, WriteReport};

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

/// The limits of a [`ThreadSink`].
#[derive(Clone, Copy, Debug)]
pub struct ThreadSinkOptions {
    /// How many batches may wait for the thread; one more is refused with kind `Backpressure`.
    /// Default 1,024.
    pub queue_batches: usize,
    /// How many events one group may have, unless a single batch has more. Default 4,096.
    pub group_events: usize,
    /// How many bytes of keys and payloads one group may have, unless a single batch has more.
    /// Default 8 MiB.
    pub group_bytes: usize,
}

impl Default for ThreadSinkOptions {
    fn default() -> Self {
        Self { queue_batches: 1_024, group_events: 4_096, group_bytes: 8 * 1024 * 1024 }
    }
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
    commands: mpsc::Sender<Command>,
    /// What the first `close` gave, for the later ones.
    closed: OnceCell<Result<(), SinkError>>,
    thread: Mutex<Option<JoinHandle<()>>>,
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
        let worker = Worker::new(sink, inbox, options, name.to_owned());
        let thread = std::thread::Builder::new()
            .name(format!("gametel-{name}"))
            .spawn(move || worker.run())
            .map_err(|error| {
                SinkError::new(SinkErrorKind::Io, name.to_owned(), "no thread could be started")
                    .with_source(error)
            })?;
        Ok(Self {
            name: name.to_owned(),
            commands,
            closed: OnceCell::new(),
            thread: Mutex::new(Some(thread)),
        })
    }

    fn closed_error(&self) -> SinkError {
        SinkError::closed(self.name.clone())
    }

    /// The error of a thread that ended in a panic.
    fn dead(&self) -> SinkError {
        SinkError::new(SinkErrorKind::Io, self.name.clone(), "the writing thread has died")
    }

    async fn close_once(&self) -> Result<(), SinkError> {
        let (reply, answer) = oneshot::channel();
        let result = match self.commands.send(Command::Close { reply }).await {
            Ok(()) => answer.await.unwrap_or_else(|_| Err(self.dead())),
            // The thread ends for two reasons: a close whose caller went away before the answer, or
            // a panic.
            Err(_) => Ok(()),
        };
        let thread = self.thread.lock().ok().and_then(|mut thread| thread.take());
        // The thread has answered and is about to return, so this does not block for long.
        match thread.map(JoinHandle::join) {
            Some(Err(_)) => Err(self.dead()),
            _ => result,
        }
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
        if self.closed.initialized() {
            return Err(self.closed_error());
        }
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
        if self.closed.initialized() {
            return Err(self.closed_error());
        }
        let (reply, answer) = oneshot::channel();
        let sent = self.commands.send(Command::Flush { reply }).await;
        sent.map_err(|_| self.closed_error())?;
        answer.await.unwrap_or_else(|_| Err(self.dead()))
    }

    async fn close(&self) -> Result<(), SinkError> {
        self.closed.get_or_init(|| self.close_once()).await.clone()
    }
}

impl Drop for ThreadSink {
    fn drop(&mut self) {
        if !self.closed.initialized() {
            tracing::warn!(sink = self.name, "dropped without close");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc as std_mpsc;

    use super::*;
    use crate::event::game::PurchaseSword;
    use crate::event::{EventDraft, Stamp};

    /// Waits for a permit before each group, and tells the size of each.
    struct Gated {
        permits: std_mpsc::Receiver<()>,
        groups: Arc<Mutex<Vec<usize>>>,
    }

    impl BlockingSink for Gated {
        fn write_group(&mut self, group: &[EventBatch]) -> Result<Vec<WriteReport>, SinkError> {
            self.groups.lock().unwrap().push(group.len());
            self.permits.recv().expect("the test told the thread to die");
            Ok(group.iter().map(|batch| WriteReport::accepted(batch.len())).collect())
        }

        fn flush(&mut self) -> Result<(), SinkError> {
            Ok(())
        }

        fn close(&mut self) -> Result<(), SinkError> {
            Err(SinkError::new(SinkErrorKind::Io, "gated", "this one can't be closed"))
        }
    }

    fn gated(
        options: ThreadSinkOptions,
    ) -> (ThreadSink, std_mpsc::Sender<()>, Arc<Mutex<Vec<usize>>>) {
        let (permit, permits) = std_mpsc::channel();
        let groups = Arc::new(Mutex::new(Vec::new()));
        let sink = Gated { permits, groups: Arc::clone(&groups) };
        (ThreadSink::new("gated", sink, options).unwrap(), permit, groups)
    }

    fn one() -> EventBatch {
        let draft = EventDraft::from_event(&PurchaseSword).unwrap();
        draft.encode(&[], Stamp::now()).unwrap().into()
    }

    #[tokio::test]
    async fn what_waits_becomes_one_group_within_the_limits() {
        let options = ThreadSinkOptions { group_events: 3, ..Default::default() };
        let (sink, permit, groups) = gated(options);
        let batch = one();
        let first = sink.write_batch(&batch);
        let rest = futures_util::future::join_all((0..5).map(|_| sink.write_batch(&batch)));
        let permits = async {
            while groups.lock().unwrap().is_empty() {
                tokio::task::yield_now().await;
            }
        };
        // The first write has reached the thread and blocks there; the others queue up behind it.
        let writes = async {
            let (first, (), rest) = tokio::join!(first, permits, async {
                let rest = rest.await;
                rest.into_iter().collect::<Result<Vec<_>, _>>()
            });
            first.and(rest)
        };
        for _ in 0..6 {
            permit.send(()).unwrap();
        }
        assert_eq!(writes.await.unwrap().len(), 5);
        let groups = groups.lock().unwrap();
        assert_eq!(groups.iter().sum::<usize>(), 6);
        assert!(groups.iter().all(|size| *size <= 3), "{groups:?}");
    }

    #[tokio::test]
    async fn a_full_queue_is_an_answer() {
        let (sink, permit, groups) =
            gated(ThreadSinkOptions { queue_batches: 1, ..Default::default() });
        let batch = one();
        let sink = Arc::new(sink);
        let spawn = || {
            let (sink, batch) = (Arc::clone(&sink), batch.clone());
            tokio::spawn(async move { sink.write_batch(&batch).await })
        };
        let first = spawn();
        while groups.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        let second = spawn();
        tokio::task::yield_now().await;
        let error = sink.write_batch(&batch).await.unwrap_err();
        assert_eq!(error.kind(), SinkErrorKind::Backpressure);
        permit.send(()).unwrap();
        permit.send(()).unwrap();
        assert!(first.await.unwrap().is_ok() && second.await.unwrap().is_ok());
    }

    #[tokio::test]
    async fn every_close_gives_what_the_first_gave() {
        let (sink, _permit, _) = gated(ThreadSinkOptions::default());
        for _ in 0..2 {
            assert_eq!(
                sink.close().await.unwrap_err().to_string(),
                "gated: this one can't be closed"
            );
        }
        assert_eq!(sink.write_batch(&one()).await.unwrap_err().kind(), SinkErrorKind::Closed);
    }

    #[tokio::test]
    async fn a_thread_that_dies_leaves_no_caller_waiting() {
        let (sink, permit, _) = gated(ThreadSinkOptions::default());
        drop(permit);
        let error = sink.write_batch(&one()).await.unwrap_err();
        assert_eq!(error.to_string(), "gated: the writing thread has died");
        assert!(sink.close().await.is_err());
    }
}
