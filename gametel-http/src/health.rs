use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Whether the server should be sent requests.
///
/// After a write that failed it is not ready for [`PAUSE`](Self::PAUSE), and then ready again
/// without proof: a load balancer that sends nothing to a server that is not ready would else never
/// give it the write that shows that the sink is back.
#[derive(Debug)]
pub(crate) struct Health {
    origin: Instant,
    /// Milliseconds from `origin` to the end of the pause; 0 is none.
    paused_until: AtomicU64,
    draining: AtomicBool,
}

/// Why a server is not ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotReady {
    Draining,
    SinkFailed,
}

impl NotReady {
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Draining => "draining: the server has been told to stop",
            Self::SinkFailed => "sink_failed: a write to the sink failed in the last 10 s",
        }
    }
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

    pub(crate) fn check(&self, now: Instant) -> Result<(), NotReady> {
        if self.draining.load(Ordering::Acquire) {
            return Err(NotReady::Draining);
        }
        if self.paused_until.load(Ordering::Relaxed) > self.millis(now) {
            return Err(NotReady::SinkFailed);
        }
        Ok(())
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
        assert_eq!(health.check(at(0)), Ok(()));
        assert!(health.failed(at(1)));
        assert_eq!(health.check(at(10)), Err(NotReady::SinkFailed));
        assert_eq!(health.check(at(11)), Ok(()));
    }

    #[test]
    fn a_write_that_succeeds_ends_the_pause() {
        let start = Instant::now();
        let health = Health::new(start);
        assert!(!health.succeeded());
        health.failed(start);
        assert!(health.succeeded());
        assert_eq!(health.check(start), Ok(()));
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
        health.drain();
        health.succeeded();
        assert_eq!(health.check(start + Duration::from_secs(60)), Err(NotReady::Draining));
    }
}
