use super::sync::{AtomicU64, Ordering};

/// What became of everything that a [`Recorder`](super::Recorder) was handed.
///
/// `recorded == delivered + rejected + dropped + queued` holds in every snapshot, at any moment and
/// from any thread. An event is delivered or rejected or dropped once and for ever; until then it is
/// queued.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecorderCounters {
    /// Events that were handed over, whatever became of them: every call of `record` counts.
    pub recorded: u64,
    /// Events that the sink accepted.
    pub delivered: u64,
    /// Events that were refused with a reason: handed back by `record`, or refused by the sink for
    /// good.
    pub rejected: u64,
    /// How many of `rejected` the sink refused for good; these had been taken, and are lost. The
    /// others were handed back.
    pub refused: u64,
    /// Events that were given up: there was no room, the retries were at their end, the sink
    /// panicked, or the deadline of the close had passed.
    pub dropped: u64,
    /// Events that wait, or are being written.
    pub queued: u64,
}

/// Counts so that the books balance whenever somebody looks.
///
/// An event is counted in at most two places, in this order: `admitted`, before it is put into the
/// queue; then one of `delivered`, `refused` and `dropped`, by whoever took it out. `queued` is
/// never counted but is the difference, so that the equation holds by arithmetic. What has to be
/// proved is that the difference is never negative:
///
/// 1. Every step from one thread to the next that an event takes (the queue, a lock) orders what
///    was done before it: the count of its admission happens before the count of its end.
/// 2. The counts of ends are added with `Release` and read with `Acquire`, and a read-modify-write
///    continues the release sequence: who reads a sum of ends sees the admissions of all of them.
/// 3. A [`snapshot`](Self::snapshot) reads the ends *first* and the admissions *after* them. So it
///    finds at least as many admissions as ends. Read the other way round, an event that comes and
///    goes in between would be an end without a beginning.
///
/// What is handed back at the door never enters: it is one addition, that shows on both sides.
#[derive(Debug)]
pub(super) struct Ledger {
    entered: Entered,
    ended: Ended,
}

/// Written by the threads that record; on a cache line that the worker does not write to. 128 bytes
/// are two lines, which today's processors fetch together.
#[derive(Debug)]
#[repr(align(128))]
struct Entered {
    admitted: AtomicU64,
    handed_back: AtomicU64,
}

/// Written, as a rule, by the worker alone.
#[derive(Debug)]
#[repr(align(128))]
struct Ended {
    delivered: AtomicU64,
    refused: AtomicU64,
    dropped: AtomicU64,
}

impl Ledger {
    pub(super) fn new() -> Self {
        Self {
            entered: Entered { admitted: AtomicU64::new(0), handed_back: AtomicU64::new(0) },
            ended: Ended {
                delivered: AtomicU64::new(0),
                refused: AtomicU64::new(0),
                dropped: AtomicU64::new(0),
            },
        }
    }

    /// Counts an event that is about to be put where another thread may take it.
    pub(super) fn admit(&self) {
        self.entered.admitted.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an event that was refused at the door and is nowhere but with its caller.
    pub(super) fn hand_back(&self) {
        self.entered.handed_back.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts the ends of events that were admitted.
    pub(super) fn settle(&self, ends: Ends) {
        for (counter, count) in [
            (&self.ended.delivered, ends.delivered),
            (&self.ended.refused, ends.refused),
            (&self.ended.dropped, ends.dropped),
        ] {
            if count > 0 {
                counter.fetch_add(count, Ordering::Release);
            }
        }
    }

    pub(super) fn snapshot(&self) -> RecorderCounters {
        let delivered = self.ended.delivered.load(Ordering::Acquire);
        let refused = self.ended.refused.load(Ordering::Acquire);
        let dropped = self.ended.dropped.load(Ordering::Acquire);
        // Only now: see the proof above.
        let admitted = self.entered.admitted.load(Ordering::Relaxed);
        let handed_back = self.entered.handed_back.load(Ordering::Relaxed);
        RecorderCounters {
            recorded: admitted + handed_back,
            delivered,
            rejected: refused + handed_back,
            refused,
            dropped,
            // Saturates rather than panic; were it ever to, the tests would see the sum fail.
            queued: admitted.saturating_sub(delivered + refused + dropped),
        }
    }
}

/// How many events of a batch ended in which way.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ends {
    pub(super) delivered: u64,
    pub(super) refused: u64,
    pub(super) dropped: u64,
}

impl Ends {
    pub(super) fn dropped(count: usize) -> Self {
        Self { dropped: count as u64, ..Self::default() }
    }
}

#[cfg(all(test, gametel_loom))]
mod loom_tests {
    use loom::sync::{Arc, Mutex};
    use loom::thread;

    use super::*;

    fn balances(counters: RecorderCounters) {
        let ended = counters.delivered + counters.rejected + counters.dropped;
        assert_eq!(counters.recorded, ended + counters.queued, "{counters:?}");
    }

    #[test]
    fn the_books_balance_at_every_moment() {
        loom::model(|| {
            let ledger = Arc::new(Ledger::new());
            // Stands for the queue: what goes through it is ordered.
            let queue = Arc::new(Mutex::new(0_u64));
            let producer = {
                let (ledger, queue) = (Arc::clone(&ledger), Arc::clone(&queue));
                thread::spawn(move || {
                    for _ in 0..2 {
                        ledger.admit();
                        *queue.lock().unwrap() += 1;
                    }
                    ledger.hand_back();
                })
            };
            let worker = {
                let (ledger, queue) = (Arc::clone(&ledger), Arc::clone(&queue));
                thread::spawn(move || {
                    let taken = std::mem::take(&mut *queue.lock().unwrap());
                    ledger.settle(Ends { delivered: taken, ..Ends::default() });
                })
            };
            balances(ledger.snapshot());
            producer.join().unwrap();
            worker.join().unwrap();
            let last = ledger.snapshot();
            balances(last);
            assert_eq!((last.recorded, last.rejected), (3, 1));
        });
    }
}
