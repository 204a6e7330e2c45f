use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::readiness::Condition;

/// What the server knows by itself of whether it should be sent requests.
///
/// After a write that failed it is not ready for [`PAUSE`](Self::PAUSE), and then, for all that the
/// writes say, ready again without proof: a load balancer that sends nothing to a server that is not ready would else never
/// give it the write that shows that the sink is back.
#[derive(Debug)]
pub(crate) struct Health {
    origin: Instant,
    /// Milliseconds from `origin` to the end of the pause; 0 is none.
    paused_until: AtomicU64,
    draining: AtomicBool,
}

impl Health {
    /// How long a failed write keeps the server from being ready.
    const PAUSE: Duration = Duration::from_secs(10);

    pub(crate) fn new(now: Instant) -> Self {
        Self { origin: now, paused_until: AtomicU64::new(0), draining: AtomicBool::new(false) }
    }

    /// Ends readiness for good.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Takes note of a write that the sink accepted; says whether the last one had failed.
    pub(crate) fn succeeded(&self) -> bool {
        // A load is cheap where many threads share the line, and a swap is not.
        self.paused_until.load(Ordering::Relaxed) != 0
            && self.paused_until.swap(0, Ordering::Relaxed) != 0
    }

    /// Takes note of a write that failed and can be tried again; says whether the server was ready
    /// until then, which makes it worth a line in the log.
    pub(crate) fn failed(&self, now: Instant) -> bool {
        let until = self.millis(now + Self::PAUSE);
        let before = self.paused_until.swap(until, Ordering::Relaxed);
        before <= self.millis(now)
    }

    /// Whether the server goes on.
    pub(crate) fn server(&self) -> Condition {
        if self.draining.load(Ordering::Acquire) {
            Condition::Down("draining: the server has been told to stop".into())
        } else {
            Condition::Up
        }
    }

    /// What the writes say of the sink.
    pub(crate) fn writes(&self, now: Instant) -> Condition {
        if self.paused_until.load(Ordering::Relaxed) > self.millis(now) {
            Condition::Down(
                "a write to the sink failed in the last 10 s, and none succeeded".into(),
            )
        } else {
            Condition::Up
        }
    }

    fn millis(&self, at: Instant) -> u64 {
        u64::try_from(at.duration_since(self.origin).as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_pauses_for_ten_seconds() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let health = Health::new(start);
        assert_eq!(health.writes(at(0)), Condition::Up);
        assert!(health.failed(at(1)));
        assert!(matches!(health.writes(at(10)), Condition::Down(_)));
        assert_eq!(health.writes(at(11)), Condition::Up);
    }

    #[test]
    fn a_write_that_succeeds_ends_the_pause() {
        let start = Instant::now();
        let health = Health::new(start);
        assert!(!health.succeeded());
        health.failed(start);
        assert!(health.succeeded());
        assert_eq!(health.writes(start), Condition::Up);
    }

    #[test]
    fn only_the_first_failure_of_a_pause_is_news() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let health = Health::new(start);
        assert!(health.failed(at(0)));
        assert!(!health.failed(at(9)));
        assert!(!health.failed(at(18)));
        assert!(health.failed(at(28)));
    }

    #[test]
    fn draining_has_no_end() {
        let start = Instant::now();
        let health = Health::new(start);
        assert_eq!(health.server(), Condition::Up);
        health.drain();
        health.succeeded();
        assert!(matches!(health.server(), Condition::Down(_)));
    }
}
