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

    use futures_util::future::{FutureExt, join_all};

    use super::*;
    use crate::event::game::PurchaseSword;
    use crate::event::{EventDraft, Stamp};

    /// Waits for an answer to give before each group, and tells the size of each.
    struct Gated {
        answers: std_mpsc::Receiver<Result<(), SinkError>>,
        groups: Arc<Mutex<Vec<usize>>>,
    }

    impl BlockingSink for Gated {
        fn write_group(&mut self, group: &[EventBatch]) -> Result<Vec<WriteReport>, SinkError> {
            self.groups.lock().unwrap().push(group.len());
            self.answers.recv().expect("the test told the thread to die")?;
            Ok(group.iter().map(|batch| WriteReport::accepted(batch.len())).collect())
        }

        fn flush(&mut self) -> Result<(), SinkError> {
            Ok(())
        }

        fn close(&mut self) -> Result<(), SinkError> {
            Err(SinkError::new(SinkErrorKind::Io, "gated", "this one can't be closed"))
        }
    }

    type Answers = std_mpsc::Sender<Result<(), SinkError>>;

    fn gated(options: ThreadSinkOptions) -> (ThreadSink, Answers, Arc<Mutex<Vec<usize>>>) {
        let (answer, answers) = std_mpsc::channel();
        let groups = Arc::new(Mutex::new(Vec::new()));
        let sink = Gated { answers, groups: Arc::clone(&groups) };
        (ThreadSink::new("gated", sink, options).unwrap(), answer, groups)
    }

    /// Waits until this many groups have come to the thread, the last of which blocks it: what comes
    /// then queues up behind it.
    async fn blocked(groups: &Mutex<Vec<usize>>, count: usize) {
        while groups.lock().unwrap().len() < count {
            tokio::task::yield_now().await;
        }
    }

    fn one() -> EventBatch {
        let draft = EventDraft::from_event(&PurchaseSword).unwrap();
        draft.encode(&[], Stamp::now()).unwrap().into()
    }

    #[tokio::test]
    async fn what_waits_becomes_one_group_within_the_limits() {
        let batch = one();
        for options in [
            ThreadSinkOptions { group_events: 3, ..Default::default() },
            ThreadSinkOptions { group_bytes: 3 * batch.bytes(), ..Default::default() },
        ] {
            let (sink, answer, groups) = gated(options);
            let mut first = sink.write_batch(&batch);
            assert!((&mut first).now_or_never().is_none());
            blocked(&groups, 1).await;
            let mut rest = join_all((0..5).map(|_| sink.write_batch(&batch)));
            assert!((&mut rest).now_or_never().is_none());
            for _ in 0..6 {
                answer.send(Ok(())).unwrap();
            }
            let accepted = rest.await.into_iter().map(|report| report.unwrap().accepted_count());
            assert_eq!(accepted.sum::<usize>() + first.await.unwrap().accepted_count(), 6);
            assert_eq!(*groups.lock().unwrap(), [1, 3, 2], "{options:?}");
        }
    }

    #[tokio::test]
    async fn a_group_that_fails_is_told_to_each_of_its_writers() {
        let (sink, answer, groups) = gated(ThreadSinkOptions::default());
        let batch = one();
        let mut first = sink.write_batch(&batch);
        assert!((&mut first).now_or_never().is_none());
        blocked(&groups, 1).await;
        let mut rest = join_all((0..3).map(|_| sink.write_batch(&batch)));
        assert!((&mut rest).now_or_never().is_none());
        answer.send(Ok(())).unwrap();
        answer.send(Err(SinkError::new(SinkErrorKind::Unavailable, "gated", "not now"))).unwrap();
        // Had they not become one group, the next would find nobody to ask, and not wait for ever.
        drop(answer);
        assert!(first.await.is_ok());
        for report in rest.await {
            assert_eq!(report.unwrap_err().to_string(), "gated: not now");
        }
    }

    #[tokio::test]
    async fn a_flush_waits_for_what_was_handed_over_before_it() {
        let (sink, answer, groups) = gated(ThreadSinkOptions::default());
        let batch = one();
        let mut first = sink.write_batch(&batch);
        assert!((&mut first).now_or_never().is_none());
        blocked(&groups, 1).await;
        let mut second = sink.write_batch(&batch);
        assert!((&mut second).now_or_never().is_none());
        let mut flush = sink.flush();
        assert!((&mut flush).now_or_never().is_none());
        answer.send(Ok(())).unwrap();
        blocked(&groups, 2).await;
        assert!((&mut flush).now_or_never().is_none(), "the second is not written yet");
        answer.send(Ok(())).unwrap();
        flush.await.unwrap();
        assert!(first.await.is_ok() && second.await.is_ok());
    }

    #[tokio::test]
    async fn a_full_queue_is_an_answer() {
        let (sink, answer, groups) =
            gated(ThreadSinkOptions { queue_batches: 1, ..Default::default() });
        let batch = one();
        let mut first = sink.write_batch(&batch);
        assert!((&mut first).now_or_never().is_none());
        blocked(&groups, 1).await;
        let mut second = sink.write_batch(&batch);
        assert!((&mut second).now_or_never().is_none());
        let third = sink.write_batch(&batch).now_or_never().expect("a full queue answers at once");
        assert_eq!(third.unwrap_err().kind(), SinkErrorKind::Backpressure);
        answer.send(Ok(())).unwrap();
        answer.send(Ok(())).unwrap();
        assert!(first.await.is_ok() && second.await.is_ok());
    }

    #[tokio::test]
    async fn a_sink_is_flushed_before_it_ends() {
        /// Tells what is called, and fails to flush.
        struct Unflushable(std_mpsc::Sender<&'static str>);

        impl BlockingSink for Unflushable {
            fn write_group(&mut self, _: &[EventBatch]) -> Result<Vec<WriteReport>, SinkError> {
                unreachable!("the test writes nothing")
            }

            fn flush(&mut self) -> Result<(), SinkError> {
                self.0.send("flush").unwrap();
                Err(SinkError::new(SinkErrorKind::Io, "odd", "what is left can't be written"))
            }

            fn close(&mut self) -> Result<(), SinkError> {
                self.0.send("close").unwrap();
                Ok(())
            }
        }

        let open = || {
            let (tell, told) = std_mpsc::channel();
            (ThreadSink::new("odd", Unflushable(tell), Default::default()).unwrap(), told)
        };
        let (sink, told) = open();
        let error = sink.close().await.unwrap_err();
        assert_eq!(error.to_string(), "odd: what is left can't be written");
        assert_eq!(told.iter().collect::<Vec<_>>(), ["flush", "close"]);
        let (sink, told) = open();
        drop(sink);
        assert_eq!(told.iter().next(), Some("flush"), "also where nobody closed it");
    }

    #[tokio::test]
    async fn every_close_gives_what_the_first_gave() {
        let (sink, _answer, _) = gated(ThreadSinkOptions::default());
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
        let (sink, answer, _) = gated(ThreadSinkOptions::default());
        drop(answer);
        let error = sink.write_batch(&one()).await.unwrap_err();
        assert_eq!(error.to_string(), "gated: the writing thread has died");
        assert!(sink.close().await.is_err());
    }
}
