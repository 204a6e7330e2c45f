use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use crate::event::Stamper;
use crate::sink::{EventSink, Guarded, Retry, RetryPolicy, SinkError, SinkErrorKind, WithTimeout};

use super::bell::Bell;
use super::gate::Gate;
use super::handle::Recorder;
use super::intake::{Intake, WhenFull};
use super::ledger::Ledger;
use super::loss::{Loss, Teller};
use super::queue::Queue;
use super::shared::Shared;
use super::worker::{Limits, Worker};

/// Sets up a [`Recorder`]. Every setting has a default that is written beside it.
#[must_use]
pub struct RecorderBuilder {
    sink: Box<dyn EventSink>,
    capacity: usize,
    max_bytes: usize,
    max_event_bytes: usize,
    linger: Duration,
    batch_events: usize,
    batch_bytes: usize,
    when_full: WhenFull,
    retry: RetryPolicy,
    write_timeout: Duration,
    stamper: Stamper,
    teller: Option<Teller>,
}

impl RecorderBuilder {
    pub(super) fn new(sink: Box<dyn EventSink>) -> Self {
        Self {
            sink,
            capacity: 8_192,
            max_bytes: 16 * 1024 * 1024,
            max_event_bytes: 64 * 1024,
            linger: Duration::from_millis(10),
            batch_events: 512,
            batch_bytes: 1024 * 1024,
            when_full: WhenFull::default(),
            retry: RetryPolicy::default(),
            write_timeout: Duration::from_secs(60),
            stamper: Stamper::default(),
            teller: None,
        }
    }

    /// Sets how many events may wait. Default 8,192; about 3 MB are allocated for these at once,
    /// beside the events' own bytes.
    ///
    /// Events that are being written, one batch at most, are beside this.
    pub fn capacity(mut self, events: usize) -> Self {
        self.capacity = events;
        self
    }

    /// Sets how many bytes of keys and payloads may wait. Default 16 MiB.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Sets how large one event may be, key and payload together. Default 64 KiB.
    ///
    /// Serialization stops there: an event whose data has grown out of hand takes no more memory
    /// than this.
    pub fn max_event_bytes(mut self, bytes: usize) -> Self {
        self.max_event_bytes = bytes;
        self
    }

    /// Sets how long the first event may wait for company. Default 10 ms; zero writes at once.
    ///
    /// A full batch, a flush or a close ends the wait. It bounds what waking the thread costs the
    /// game: one or two system calls a linger period, however many events come.
    pub fn linger(mut self, linger: Duration) -> Self {
        self.linger = linger;
        self
    }

    /// Sets how many events one batch may have. Default 512.
    pub fn batch_events(mut self, events: usize) -> Self {
        self.batch_events = events;
        self
    }

    /// Sets the size at which a batch takes no further event. Default 1 MiB.
    pub fn batch_bytes(mut self, bytes: usize) -> Self {
        self.batch_bytes = bytes;
        self
    }

    /// Sets what becomes of an event for which there is no room. Default [`WhenFull::Reject`].
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.when_full = when_full;
        self
    }

    /// Sets how a failed write is retried. Default [`RetryPolicy::default`].
    ///
    /// While a batch is being retried, the ones behind it wait: their order is kept, and the queue
    /// is what bridges the outage.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Sets how long one attempt to write, a flush or a close of the sink may take. Default 60 s.
    ///
    /// It is for sinks without a time-out of their own; make it longer than theirs, for the reason
    /// that [`WithTimeout`] gives. The Kafka sink's own is 35 s at most.
    pub fn write_timeout(mut self, limit: Duration) -> Self {
        self.write_timeout = limit;
        self
    }

    /// Sets the clock and the source of ids. Default: the system's clock and random ids.
    pub fn stamper(mut self, stamper: Stamper) -> Self {
        self.stamper = stamper;
        self
    }

    /// Calls `on_loss` for every event that was taken and is lost. Default: they are only counted.
    ///
    /// It is called on the recorder's own thread, between batches and, while the sink takes long
    /// over one, about once a second: one that takes long holds up deliveries, never the game. A
    /// panic in it is caught. Events that are dropped for want of room are kept for it within the
    /// same two limits again; beyond them they are only counted, as
    /// [`unreported`](super::CloseReport::unreported). What is still to be told when the recorder
    /// ends is [`undelivered`](super::CloseReport::undelivered) in its report.
    ///
    /// It may record. It must not wait for the recorder, whose thread it is on:
    /// [`flush_blocking`](Recorder::flush_blocking) is an error there, and
    /// [`close_blocking`](Recorder::close_blocking) has no time; blocking on their futures would
    /// wait in vain, for ever or until the deadline.
    pub fn on_loss(mut self, on_loss: impl FnMut(Loss) + Send + 'static) -> Self {
        self.teller = Some(Teller::new(on_loss));
        self
    }

    /// Starts the recorder's thread.
    ///
    /// # Errors
    ///
    /// A limit is 0, above what can be counted, or does not fit another (kind `Config`); or the
    /// operating system gives no thread or no event queue (kind `Io`).
    pub fn build(self) -> Result<Recorder, SinkError> {
        let name = self.sink.name().to_owned();
        self.check().map_err(|message| {
            SinkError::new(SinkErrorKind::Config, format!("recorder for {name}"), message)
        })?;
        let queue = || Queue::new(self.capacity, self.max_bytes as u64);
        // A batch can't have more events than there is room for.
        let batch_events = self.batch_events.min(self.capacity);
        let intake = Intake {
            queue: queue(),
            ledger: Ledger::new(),
            bell: Bell::new(batch_events),
            untold: self.teller.is_some().then(queue),
            unreported: AtomicU64::new(0),
            when_full: self.when_full,
            max_event_bytes: self.max_event_bytes,
        };
        let shared = Arc::new(Shared::new(intake, &name));
        let guarded = WithTimeout::new(Guarded::new(self.sink), self.write_timeout);
        let sink = Retry::new(guarded, self.retry);
        let limits = Limits { linger: self.linger, batch_events, batch_bytes: self.batch_bytes };
        start(Worker::new(Arc::clone(&shared), sink, self.teller, limits), &name)?;
        Ok(Recorder::new(shared, self.stamper))
    }

    fn check(&self) -> Result<(), String> {
        for (setting, value) in [
            ("capacity", self.capacity),
            ("max_event_bytes", self.max_event_bytes),
            ("batch_events", self.batch_events),
            ("batch_bytes", self.batch_bytes),
        ] {
            if value == 0 {
                return Err(format!("{setting} must be at least 1"));
            }
        }
        if self.write_timeout.is_zero() {
            return Err("write_timeout must be longer than 0".to_owned());
        }
        if self.capacity > Gate::MAX_EVENTS {
            return Err(format!("capacity must be at most {}", Gate::MAX_EVENTS));
        }
        if self.max_bytes as u64 > Gate::MAX_BYTES {
            return Err(format!("max_bytes must be at most {}", Gate::MAX_BYTES));
        }
        if self.max_event_bytes > self.max_bytes {
            return Err("max_event_bytes must not be above max_bytes".to_owned());
        }
        Ok(())
    }
}

/// Runs the worker on a thread with an async runtime of its own, so that any sink works there.
fn start(worker: Worker, sink_name: &str) -> Result<(), SinkError> {
    let failed = |error: std::io::Error| {
        let message = "the recorder's thread could not be started";
        SinkError::new(SinkErrorKind::Io, sink_name.to_owned(), message).with_source(error)
    };
    let (started, wait) = mpsc::sync_channel(1);
    let ending = Ending(Arc::clone(worker.shared()));
    let run = move || {
        ending.0.own_this_thread();
        let _ending = ending;
        match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => {
                // Who waits for this is there, or the process ends.
                drop(started.send(Ok(())));
                runtime.block_on(worker.run());
                // A blocking call that the sink left behind must not hold the thread.
                runtime.shutdown_background();
            }
            Err(error) => drop(started.send(Err(error))),
        }
    };
    let thread = std::thread::Builder::new().name("gametel-recorder".to_owned());
    thread.spawn(run).map_err(failed)?;
    match wait.recv() {
        Ok(started) => started.map_err(failed),
        Err(_) => Err(failed(std::io::ErrorKind::Other.into())),
    }
}

/// Ends the recorder with its thread, so that nobody waits for a thread that died of a panic.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.begin_close();
        let message = "the recorder's thread has died";
        // After an end in order, this changes nothing.
        drop(self.0.end(Err(SinkError::new(SinkErrorKind::Io, self.0.sink_name.clone(), message))));
    }
}

impl fmt::Debug for RecorderBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecorderBuilder")
            .field("sink", &self.sink)
            .field("capacity", &self.capacity)
            .field("when_full", &self.when_full)
            .finish_non_exhaustive()
    }
}
