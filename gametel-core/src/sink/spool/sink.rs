use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use async_trait::async_trait;
use tokio::runtime;
use tokio::sync::{Notify, mpsc, oneshot, watch};

use crate::batch::EventBatch;
use crate::sink::{EventSink, Guarded, SinkError, SinkErrorKind, WriteReport};

use super::forwarder::Forwarder;
use super::lock::Lock;
use super::reserve::Reserve;
use super::retrying::Retried;
use super::store::Store;
use super::waiting::Waiting;
use super::writer::{Command, Phase, Shared, Writer};
use super::{SpoolAck, SpoolFailure, SpoolMonitor, SpoolOptions, SpoolStatus, Stop, file};

/// Stores events in a file on this machine first, and forwards them from there to another sink.
///
/// An event is on the disk, by one fsync for all that wait, before the target hears of it; it is
/// forwarded in the order in which it was accepted, and removed only after the target accepted it.
/// What fails for a reason that is not about the event is tried again for ever, with growing pauses,
/// before anything later. See the [module](super) for what survives, and for the file.
///
/// **Accepted** means what [`SpoolAck`] says. The receipt names a position only with
/// [`SpoolAck::Target`].
///
/// **Refused for good.** An event that the target rejects with kind `TooLarge` or `Rejected` when it is
/// written alone is set aside, with the reason, and never blocks those behind it; one that is rejected in
/// a batch is written again alone first, and a batch that fails as a whole with one of these kinds is
/// halved until the guilty event is found. [`retry_refused`](Self::retry_refused) gives them another
/// try. With [`SpoolAck::Target`] a writer that still waits is told instead.
///
/// **Bounds.** A spool at its limit refuses the whole write with kind `Backpressure`, and a full disk
/// with kind `Io`, with nothing of it stored; it goes on by itself when there is room again.
///
/// **Flush.** With [`SpoolAck::Spool`] it waits for what was handed over before, and not for the
/// target: what was accepted is on the disk already. With [`SpoolAck::Target`] it flushes the
/// target.
///
/// **Close** refuses what comes later, goes on forwarding for at most
/// [`close_timeout`](SpoolOptions::close_timeout), keeps the rest in the file, and closes the target,
/// which gets at most as long again (and at least a second). A target that is away is no error of the
/// close as long as the spool has what it missed. Dropping a spool that was not closed stops it as a
/// crash would: nothing that was accepted is lost.
///
/// It runs two threads of its own, one of them with an async runtime for the target, so that any sink
/// works there. A target that never returns from a write holds up everything behind it: see
/// [`WithTimeout`](crate::sink::WithTimeout).
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use std::sync::Arc;
/// use gametel_core::event::game::PurchaseSword;
/// use gametel_core::sink::spool::SpoolOptions;
/// use gametel_core::sink::{EventSink, EventSinkExt, MemorySink, Spool};
///
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("spool.db");
/// let target = Arc::new(MemorySink::new());
/// let spool = Spool::open(&path, Arc::clone(&target), SpoolOptions::default())?;
/// spool.send(&PurchaseSword).await?; // on the disk
/// spool.monitor().until_empty().await;
/// assert_eq!(target.events().len(), 1);
/// spool.close().await?;
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
///
/// The misuse to avoid: a [`Retry`](crate::sink::Retry) around a spool that writes wait at. An event
/// whose write timed out is in the spool already, which tries it again by itself; a retry only waits
/// once more.
pub struct Spool {
    commands: mpsc::Sender<Command>,
    shared: Arc<Shared>,
    target: Arc<Guarded>,
    monitor: SpoolMonitor,
    ack: SpoolAck,
    /// How the writing thread ended, once it has.
    ended: watch::Receiver<Option<Result<(), SinkError>>>,
}

impl Spool {
    /// Opens a spool in front of `target`, and makes its file if there is none. What is in it is
    /// forwarded from now on. Blocks for the time that it takes to read the file once, and, where that
    /// has no index of its ids yet, to make one for [`SpoolAck::Target`].
    ///
    /// # Errors
    ///
    /// The file can't be made, is no spool, another spool has it open, it has dead letters where those
    /// are [refused](super::SpoolDeadLetters::Refused), or a limit is 0 (kind `Config`); its disk fails,
    /// or the operating system gives no thread (kind `Io`). That another spool has it open, and that it
    /// has dead letters, is told by the source, a [`SpoolError`](super::SpoolError).
    pub fn open(
        path: &Path,
        target: impl EventSink,
        options: SpoolOptions,
    ) -> Result<Self, SinkError> {
        if let Some(name) = options.zero() {
            let message = format!("{name} must be at least 1");
            return Err(SinkError::new(SinkErrorKind::Config, "spool", message));
        }
        let lock = Lock::take(path)?;
        let (store, status) = match Store::open(path, &options) {
            // On a full disk, even to open the file takes some room.
            Err(error) if error.kind() == SinkErrorKind::Io && Reserve::give_back(path) => {
                Store::open(path, &options)
            }
            opened => opened,
        }?;
        let target = Arc::new(Guarded::new(Box::new(target)));
        let (commands, inbox) = mpsc::channel(options.queue.queue_batches);
        let (phase, phases) = watch::channel(Phase::Open);
        let committed = Notify::new();
        let shared = Arc::new(Shared { phase, committed, waiting: Waiting::default() });
        let forwarder = Forwarder {
            target: Arc::clone(&target),
            connection: file::open_to_read(path)?,
            path: path.to_owned(),
            commands: commands.clone(),
            shared: Arc::clone(&shared),
            status: store.status().clone(),
            stop: Stop::new(phases),
            options,
        };
        let writer = Writer::new(store, inbox, Arc::clone(&shared), options);
        let (end, ended) = watch::channel(None);
        let ending = || {
            let (shared, status) = (Arc::clone(&shared), forwarder.status.clone());
            Ending { shared, status, died: true }
        };
        start_writing(writer, lock, ending(), end)?;
        let forwarding = ending();
        let spool = Self {
            commands,
            shared,
            target,
            monitor: SpoolMonitor::new(status),
            ack: options.ack,
            ended,
        };
        // If this fails, the drop of `spool` ends the writing thread.
        start_forwarding(forwarder, forwarding)?;
        Ok(spool)
    }

    /// A look into it, for metrics and readiness.
    pub fn monitor(&self) -> SpoolMonitor {
        self.monitor.clone()
    }

    /// Puts the events that the target has refused for good behind those that are pending, to be
    /// tried once more, and says how many they are.
    ///
    /// # Errors
    ///
    /// The spool is closed, its disk fails, or there are dead letters among them where those are
    /// [refused](super::SpoolDeadLetters::Refused); what was moved by then stays moved.
    ///
    /// # Cancel safety
    ///
    /// They are moved some at a time, so that writes go on between. Dropping the future leaves some
    /// where they are, and takes nothing back.
    pub async fn retry_refused(&self) -> Result<u64, SinkError> {
        let (mut retried, mut upto) = (0, None);
        loop {
            let (reply, answer) = oneshot::channel();
            self.command(Command::RetryRefused { last: upto, reply }).await?;
            let Retried { events, last } = answer.await.unwrap_or_else(|_| Err(dead()))?;
            if events == 0 {
                return Ok(retried);
            }
            retried += events;
            upto = Some(last);
        }
    }

    async fn command(&self, command: Command) -> Result<(), SinkError> {
        self.commands.send(command).await.map_err(|_| self.gone())
    }

    /// The error of a spool whose writing thread takes no more commands.
    fn gone(&self) -> SinkError {
        match *self.ended.borrow() {
            None if self.ended.has_changed().is_err() => dead(),
            _ => SinkError::closed("spool"),
        }
    }
}

/// The error of a thread that ended in a panic.
fn dead() -> SinkError {
    SinkError::new(SinkErrorKind::Io, "spool", "a thread of the spool has died")
}

fn no_thread(error: std::io::Error) -> SinkError {
    SinkError::new(SinkErrorKind::Io, "spool", "no thread could be started").with_source(error)
}

fn start_writing(
    writer: Writer,
    lock: Lock,
    mut ending: Ending,
    end: watch::Sender<Option<Result<(), SinkError>>>,
) -> Result<(), SinkError> {
    let run = move || {
        let result = writer.run();
        ending.died = false;
        drop(ending);
        // Before the result is told: who hears it may open the spool anew.
        drop(lock);
        end.send_replace(Some(result));
    };
    let thread = thread::Builder::new().name("gametel-spool".to_owned());
    thread.spawn(run).map(drop).map_err(no_thread)
}

fn start_forwarding(forwarder: Forwarder, ending: Ending) -> Result<(), SinkError> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(no_thread)?;
    let end = EndOfForwarding { commands: forwarder.commands.clone(), target: Err(dead()) };
    let run = move || {
        let (mut end, mut ending) = (end, ending);
        end.target = runtime.block_on(forwarder.run());
        ending.died = false;
        // The writing thread ends only once this one has, whose end is told first.
        drop(ending);
        // A blocking call that the target left behind must not hold the thread.
        runtime.shutdown_background();
    };
    let thread = thread::Builder::new().name("gametel-spool-forward".to_owned());
    thread.spawn(run).map(drop).map_err(no_thread)
}

/// Tells that a thread has ended, and those who wait for it, however it ends.
struct Ending {
    shared: Arc<Shared>,
    status: watch::Sender<SpoolStatus>,
    died: bool,
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.status.send_modify(|status| {
            status.forwarding = false;
            if self.died {
                SpoolFailure::note(&mut status.refusing, &dead());
            }
        });
        self.shared.waiting.end(&dead());
    }
}

/// Ends the writing thread with the forwarding one, however that ends.
struct EndOfForwarding {
    commands: mpsc::Sender<Command>,
    target: Result<(), SinkError>,
}

impl Drop for EndOfForwarding {
    fn drop(&mut self) {
        let target = std::mem::replace(&mut self.target, Ok(()));
        // The writing thread may have died before.
        drop(self.commands.blocking_send(Command::End { target }));
    }
}

#[async_trait]
#[warn(clippy::missing_trait_methods)]
impl EventSink for Spool {
    fn name(&self) -> &str {
        "spool"
    }

    async fn write_batch(&self, batch: &EventBatch) -> Result<WriteReport, SinkError> {
        let (reply, answer) = oneshot::channel();
        let command = Command::Write { batch: batch.clone(), reply };
        self.commands.try_send(command).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                SinkError::new(SinkErrorKind::Backpressure, "spool", "the queue is full")
            }
            mpsc::error::TrySendError::Closed(_) => self.gone(),
        })?;
        answer.await.unwrap_or_else(|_| Err(dead()))
    }

    async fn flush(&self) -> Result<(), SinkError> {
        let (reply, answer) = oneshot::channel();
        self.command(Command::Flush { reply }).await?;
        answer.await.unwrap_or_else(|_| Err(dead()))?;
        match self.ack {
            SpoolAck::Spool => Ok(()),
            SpoolAck::Target => self.target.flush().await,
        }
    }

    async fn close(&self) -> Result<(), SinkError> {
        // A thread that can't be told has been told before, or has died.
        _ = self.commands.send(Command::Close).await;
        let mut ended = self.ended.clone();
        match ended.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(result)) => result.clone(),
            // A panic leaves no result.
            _ => Err(dead()),
        }
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        if self.ended.borrow().is_none() {
            tracing::warn!(sink = "spool", "dropped without close");
            self.shared.phase.send_replace(Phase::Abandoned);
        }
    }
}

impl fmt::Debug for Spool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spool")
            .field("target", &self.target)
            .field("ack", &self.ack)
            .finish_non_exhaustive()
    }
}
