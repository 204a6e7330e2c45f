use std::future::poll_fn;
use std::task::Poll;

use super::sync::{AtomicU8, AtomicWaker, Ordering, fence};

/// Wakes the worker, and only when it sleeps: most events find it awake and cost one load.
///
/// A wake-up is a system call on the thread that records. The worker says what it sleeps for, and
/// the first who has that to tell takes the word back and wakes it; so there are at most two
/// wake-ups a linger period, one for the first event and one for a batch that is full before its
/// time, whatever the number of events and threads.
///
/// No event is left lying: a producer gives the event its place in the gate and *then* reads what
/// the worker says; the worker says that it sleeps and *then* looks into the gate. Between the two
/// steps of each stands a sequentially consistent fence, so at least one of the two sees the other.
/// (Sequentially consistent accesses would do without fences, and loom could not check them.)
#[derive(Debug)]
pub(super) struct Bell {
    sleep: AtomicU8,
    waker: AtomicWaker,
    /// How many waiting events end a linger.
    batch_events: usize,
}

/// The worker is awake, and looks for itself before it sleeps.
const AWAKE: u8 = 0;
/// The worker sleeps until there is anything at all.
const IDLE: u8 = 1;
/// The worker sleeps until there is a whole batch.
const LINGERING: u8 = 2;

impl Bell {
    pub(super) fn new(batch_events: usize) -> Self {
        Self { sleep: AtomicU8::new(AWAKE), waker: AtomicWaker::new(), batch_events }
    }

    /// Tells that an event has come, and how many are waiting with it.
    pub(super) fn ring(&self, waiting: usize) {
        fence(Ordering::SeqCst);
        let sleep = self.sleep.load(Ordering::Acquire);
        let wakes = sleep == IDLE || (sleep == LINGERING && waiting >= self.batch_events);
        let (success, failure) = (Ordering::AcqRel, Ordering::Relaxed);
        if wakes && self.sleep.compare_exchange(sleep, AWAKE, success, failure).is_ok() {
            self.waker.wake();
        }
    }

    /// Wakes the worker for another reason than an event that came.
    pub(super) fn urge(&self) {
        fence(Ordering::SeqCst);
        if self.sleep.swap(AWAKE, Ordering::AcqRel) != AWAKE {
            self.waker.wake();
        }
    }

    /// Sleeps until there is something to do, which `ready` tells, or somebody urges.
    pub(super) async fn wait_for_work(&self, ready: impl Fn() -> bool) {
        self.wait(IDLE, ready).await;
    }

    /// Sleeps until a batch is full, which `ready` tells, or somebody urges.
    pub(super) async fn wait_for_a_batch(&self, ready: impl Fn() -> bool) {
        self.wait(LINGERING, ready).await;
    }

    async fn wait(&self, sleep: u8, ready: impl Fn() -> bool) {
        let awake = Awake(self);
        let mut asleep = false;
        poll_fn(|context| {
            self.waker.register(context.waker());
            if asleep && self.sleep.load(Ordering::Acquire) == AWAKE {
                return Poll::Ready(());
            }
            asleep = true;
            self.sleep.store(sleep, Ordering::Release);
            fence(Ordering::SeqCst);
            if ready() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        drop(awake);
    }
}

/// Says that the worker is awake when it stops waiting, also by dropping the wait.
struct Awake<'a>(&'a Bell);

impl Drop for Awake<'_> {
    fn drop(&mut self) {
        self.0.sleep.store(AWAKE, Ordering::Release);
    }
}

#[cfg(all(test, gametel_loom))]
mod loom_tests {
    use loom::future::block_on;
    use loom::sync::Arc;
    use loom::thread;

    use super::super::gate::Gate;
    use super::*;

    #[test]
    fn no_event_is_left_lying() {
        loom::model(|| {
            let shared = Arc::new((Gate::new(8, 100), Bell::new(2)));
            let producer = {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    let waiting = shared.0.admit(1).unwrap();
                    shared.1.ring(waiting);
                })
            };
            // Were a wake-up lost, this would sleep for ever, which loom reports as a deadlock.
            block_on(shared.1.wait_for_work(|| !shared.0.is_empty()));
            producer.join().unwrap();
        });
    }

    #[test]
    fn a_full_batch_ends_the_linger() {
        // All interleavings of three threads are too many; a lost wake-up needs one switch at the
        // wrong moment, or two.
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(2);
        model.check(|| {
            let shared = Arc::new((Gate::new(8, 100), Bell::new(2)));
            let producers = [1, 2].map(|_| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    let waiting = shared.0.admit(1).unwrap();
                    shared.1.ring(waiting);
                })
            });
            block_on(shared.1.wait_for_a_batch(|| shared.0.len() >= 2));
            for producer in producers {
                producer.join().unwrap();
            }
        });
    }
}

#[cfg(all(test, not(gametel_loom)))]
mod tests {
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Wake, Waker};

    use super::*;

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Rings a bell for 3 events a batch while the worker sleeps so, and gives how often it woke.
    fn wakes(lingering: bool, ring: impl Fn(&Bell)) -> usize {
        let (bell, wakes) = (Bell::new(3), Arc::new(Wakes::default()));
        let waker = Waker::from(Arc::clone(&wakes));
        let mut context = Context::from_waker(&waker);
        let wait = async {
            if lingering {
                bell.wait_for_a_batch(|| false).await;
            } else {
                bell.wait_for_work(|| false).await;
            }
        };
        let mut wait = pin!(wait);
        assert!(wait.as_mut().poll(&mut context).is_pending());
        ring(&bell);
        let woken = wakes.0.load(Ordering::SeqCst);
        assert_eq!(wait.poll(&mut context).is_ready(), woken > 0);
        woken
    }

    #[test]
    fn the_worker_is_woken_once_and_for_what_it_sleeps_for() {
        let ring_all = |events: &'static [usize]| {
            move |bell: &Bell| events.iter().for_each(|waiting| bell.ring(*waiting))
        };
        assert_eq!(wakes(false, ring_all(&[1, 2, 3, 4])), 1);
        assert_eq!(wakes(true, ring_all(&[1, 2])), 0);
        assert_eq!(wakes(true, ring_all(&[1, 2, 3, 4])), 1);
        assert_eq!(wakes(true, ring_all(&[usize::MAX])), 1);
        assert_eq!(wakes(true, |bell| bell.urge()), 1);
        assert_eq!(wakes(false, |bell| (0..3).for_each(|_| bell.urge())), 1);
    }
}
