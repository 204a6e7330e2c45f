use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Says of something that happens often when it is worth a line in the log: the first time, and
/// then once an interval.
#[derive(Debug)]
pub(crate) struct Occasionally {
    origin: Instant,
    interval: Duration,
    /// Milliseconds from `origin` to the end of the silence.
    silent_until: AtomicU64,
    /// What happened and was not told yet.
    untold: AtomicU64,
}

impl Occasionally {
    pub(crate) fn new(now: Instant, interval: Duration) -> Self {
        let (silent_until, untold) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { origin: now, interval, silent_until, untold }
    }

    /// Takes note that it happened; gives how many times it did since it was told last, if it is to
    /// be told now.
    pub(crate) fn happened(&self, now: Instant) -> Option<u64> {
        self.untold.fetch_add(1, Ordering::Relaxed);
        let until = self.silent_until.load(Ordering::Relaxed);
        let next = self.millis(now + self.interval);
        let tell = until <= self.millis(now)
            // Of those who come at the same time, one tells.
            && self
                .silent_until
                .compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        tell.then(|| self.untold.swap(0, Ordering::Relaxed))
    }

    fn millis(&self, at: Instant) -> u64 {
        u64::try_from(at.duration_since(self.origin).as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_told_and_then_how_many_were_kept_back() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let occasionally = Occasionally::new(start, Duration::from_secs(10));
        assert_eq!(occasionally.happened(at(0)), Some(1));
        assert_eq!(occasionally.happened(at(1)), None);
        assert_eq!(occasionally.happened(at(9)), None);
        assert_eq!(occasionally.happened(at(10)), Some(3));
        assert_eq!(occasionally.happened(at(60)), Some(1));
    }
}
