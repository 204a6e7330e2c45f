use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};

use crate::batch::EventBatch;
use crate::event::EncodedEvent;
use crate::sink::{SinkError, SinkErrorKind};

use super::intake::Intake;
use super::ledger::{Ends, RecorderCounters};
use super::loss::{Loss, LossReason};
use super::queue::Queue;

/// How a recorder ended.
#[derive(Clone, Debug)]
#[must_use = "it has the events that were not delivered"]
#[non_exhaustive]
pub struct CloseReport {
    /// The final counters. `queued` is 0, unless the operating system had suspended a thread in the
    /// middle of `record` when the deadline came, and let it rest for 10,000 turns of the others: its
    /// event is in nobody's hands, and shows as `queued` for ever.
    pub counters: RecorderCounters,
    /// What was in nobody's hands at the deadline, each part in order: events that were being written
    /// or waited, which count as `dropped`; then those that were lost before, are counted as such
    /// and were still to be told to `on_loss`. An event that was being written may be stored all the
    /// same. One whose `on_loss` call was under way is not here, whether or not that call returns.
    pub undelivered: Vec<EncodedEvent>,
    /// How many events were lost without being told to `on_loss` one by one: because no callback
    /// was set, or because too many were dropped at a time for want of room.
    pub unreported: u64,
    /// What the sink's flush and close gave, or an error of kind `Unavailable` if the deadline came
    /// first.
    pub sink: Result<(), SinkError>,
}

impl CloseReport {
    /// Whether everything that the recorder took was delivered and the sink was closed in order.
    ///
    /// What `record` handed back was not taken, and makes no difference.
    pub fn is_complete(&self) -> bool {
        let RecorderCounters { refused, dropped, queued, .. } = self.counters;
        (refused, dropped, queued) == (0, 0, 0) && self.sink.is_ok()
    }
}

/// How long the end of a recorder waits for a callback that is under way.
const LAST_WORD: Duration = Duration::from_millis(10);

/// What the recorder's handles and its thread have in common.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) intake: Intake,
    pub(super) sink_name: String,
    /// The recorder's own thread, once it runs.
    own_thread: OnceLock<ThreadId>,
    hand: Mutex<Hand>,
    /// Goes with `hand`: a loss has been told.
    told: Condvar,
    requests: Mutex<Requests>,
    end: Mutex<Option<CloseReport>>,
    ended: Condvar,
    /// Tells the worker that its work was taken from it.
    pub(super) abandoned: Notify,
}

/// What the worker has taken from the queue. Whoever takes the batch out of here says how its events
/// ended, and nobody else does; whoever takes a loss out tells of it.
#[derive(Debug, Default)]
pub(super) struct Hand {
    pub(super) batch: Option<EventBatch>,
    /// What is lost of the batch before, counted and still to be told to `on_loss`.
    pub(super) losses: VecDeque<Loss>,
    /// Whether one of these, or a drop, is being told.
    telling: bool,
    /// Whether the worker is to take nothing more.
    pub(super) abandoned: bool,
}

pub(super) type FlushReply = oneshot::Sender<Result<(), SinkError>>;

#[derive(Debug, Default)]
struct Requests {
    flushes: Vec<FlushReply>,
    ended: bool,
}

impl Shared {
    pub(super) fn new(intake: Intake, sink_name: &str) -> Self {
        Self {
            intake,
            sink_name: sink_name.to_owned(),
            own_thread: OnceLock::new(),
            hand: Mutex::default(),
            told: Condvar::new(),
            requests: Mutex::default(),
            end: Mutex::default(),
            ended: Condvar::new(),
            abandoned: Notify::new(),
        }
    }

    /// Makes this thread the recorder's own.
    pub(super) fn own_this_thread(&self) {
        self.own_thread.get_or_init(|| thread::current().id());
    }

    /// Whether this is the recorder's own thread, which must not wait for itself.
    pub(super) fn is_own_thread(&self) -> bool {
        self.own_thread.get() == Some(&thread::current().id())
    }

    pub(super) fn hand(&self) -> MutexGuard<'_, Hand> {
        lock(&self.hand)
    }

    /// How many losses there are to tell.
    pub(super) fn untold(&self) -> usize {
        self.hand().losses.len() + self.intake.untold.as_ref().map_or(0, Queue::len)
    }

    /// Has the next loss told, if there is one; after the end there is none, as the report has them.
    pub(super) fn tell_next(&self, tell: impl FnOnce(Loss)) -> bool {
        let Some(loss) = self.take_loss() else {
            return false;
        };
        tell(loss);
        self.hand().telling = false;
        self.told.notify_all();
        true
    }

    /// Under the lock, so that a loss is with the worker, which is about to tell it, or with the
    /// report.
    fn take_loss(&self) -> Option<Loss> {
        let mut hand = self.hand();
        if hand.abandoned {
            return None;
        }
        let dropped = || {
            let untold = self.intake.untold.as_ref()?;
            let event = untold.take()?;
            untold.give_back(event.size());
            Some(Loss { event, reason: LossReason::Full })
        };
        let loss = hand.losses.pop_front().or_else(dropped);
        hand.telling = loss.is_some();
        loss
    }

    /// Asks for a flush; the answer is an error if the recorder has ended or ends before it.
    pub(super) fn request_flush(&self) -> oneshot::Receiver<Result<(), SinkError>> {
        let (reply, answer) = oneshot::channel();
        let mut requests = lock(&self.requests);
        if !requests.ended {
            // Nobody waits for these any more; without this, they would pile up behind a stuck sink.
            requests.flushes.retain(|reply| !reply.is_closed());
            requests.flushes.push(reply);
        }
        drop(requests);
        self.intake.bell.urge();
        answer
    }

    pub(super) fn take_flushes(&self) -> Vec<FlushReply> {
        std::mem::take(&mut lock(&self.requests).flushes)
    }

    /// Whether there is a reason not to linger.
    pub(super) fn is_urged(&self) -> bool {
        self.intake.queue.gate().is_closed() || !lock(&self.requests).flushes.is_empty()
    }

    /// Refuses new events, and has the worker finish what is there.
    pub(super) fn begin_close(&self) {
        self.intake.queue.gate().close();
        self.intake.bell.urge();
    }

    /// Waits for the worker to end, and ends in its place at the deadline.
    pub(super) fn wait_or_end(&self, deadline: Duration) -> CloseReport {
        let running = |end: &mut Option<CloseReport>| end.is_none();
        let waited = self.ended.wait_timeout_while(lock(&self.end), deadline, running);
        let (end, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if let Some(report) = &*end {
            return report.clone();
        }
        drop(end);
        let message = format!("not closed within {deadline:?}");
        let kind = SinkErrorKind::Unavailable;
        self.end(Err(SinkError::new(kind, self.sink_name.clone(), message)))
    }

    /// Ends the recorder, unless it has ended: takes whatever has not been delivered, so that it is
    /// in nobody's hands but the report's.
    pub(super) fn end(&self, sink: Result<(), SinkError>) -> CloseReport {
        let mut end = lock(&self.end);
        if let Some(report) = &*end {
            return report.clone();
        }
        let (mut undelivered, untold) = self.take_everything();
        self.intake.ledger.settle(Ends::dropped(undelivered.len()));
        undelivered.extend(untold);
        *lock(&self.requests) = Requests { flushes: Vec::new(), ended: true };
        let report = CloseReport {
            counters: self.intake.ledger.snapshot(),
            undelivered,
            unreported: self.intake.unreported.load(Ordering::Relaxed),
            sink,
        };
        let counters = &report.counters;
        if counters.dropped + counters.refused > 0 || report.sink.is_err() {
            tracing::warn!(
                sink = self.sink_name,
                recorded = counters.recorded,
                delivered = counters.delivered,
                rejected = counters.rejected,
                refused = counters.refused,
                dropped = counters.dropped,
                error = report.sink.as_ref().err().map(tracing::field::display),
                "the recorder closed with losses",
            );
        }
        *end = Some(report.clone());
        self.ended.notify_all();
        self.abandoned.notify_one();
        report
    }

    /// The report, once there is one.
    pub(super) fn report(&self) -> Option<CloseReport> {
        lock(&self.end).clone()
    }

    /// Takes what is not delivered, and what is lost and not told; from here on, the worker finds
    /// neither.
    fn take_everything(&self) -> (Vec<EncodedEvent>, Vec<EncodedEvent>) {
        let mut hand = self.hand();
        hand.abandoned = true;
        let mut undelivered: Vec<_> =
            hand.batch.take().iter().flat_map(|batch| batch.iter().cloned()).collect();
        undelivered.extend(take_all(&self.intake.queue));
        let mut untold: Vec<_> = hand.losses.drain(..).map(|loss| loss.event).collect();
        if let Some(drops) = &self.intake.untold {
            drops.gate().close();
            untold.extend(take_all(drops));
        }
        // The one that is being told has been told by the time of the report, unless it takes long,
        // or it is its callback that ends the recorder.
        if !self.is_own_thread() {
            let telling = |hand: &mut Hand| hand.telling;
            drop(self.told.wait_timeout_while(hand, LAST_WORD, telling));
        }
        (undelivered, untold)
    }
}

/// Takes what is in a closed queue, and what is on the way in.
fn take_all(queue: &Queue) -> Vec<EncodedEvent> {
    let mut events = Vec::new();
    // A thread that has a place and has not yet put its event there is about to do so, and waits
    // for nothing. Should it be suspended just there, it is not waited for beyond all bounds, and
    // its event shows as queued for ever. (It could not take the event back: it may find another's.)
    let mut patience = 10_000;
    while !queue.gate().is_empty() && patience > 0 {
        match queue.take() {
            Some(event) => {
                queue.give_back(event.size());
                events.push(event);
            }
            None => {
                patience -= 1;
                thread::yield_now();
            }
        }
    }
    events
}

/// Locks; no code here leaves what it guards half-changed, so a panic elsewhere does not matter.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
