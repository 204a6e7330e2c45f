use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use crate::event::{Clock, EventId, IdSource, Timestamp};

/// A clock that moves when it is told to; a clone is the same clock.
///
/// ```
/// use std::time::Duration;
/// use gametel_core::event::{Clock, Timestamp};
/// use gametel_core::testing::ManualClock;
///
/// let clock = ManualClock::new(Timestamp::from_millis(1_000));
/// clock.advance(Duration::from_millis(500));
/// assert_eq!(clock.now(), Timestamp::from_millis(1_500));
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// A clock that stands at `now`.
    pub fn new(now: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(now.as_micros())))
    }

    /// Moves the clock on, by whole microseconds.
    pub fn advance(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.0.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// Ids that count up from 0 behind the millisecond: the same ones in every run.
#[derive(Debug, Default)]
pub struct SequentialIds(AtomicU64);

impl SequentialIds {
    /// A source whose first id has the number 0.
    pub fn new() -> Self {
        Self::default()
    }
}

impl IdSource for SequentialIds {
    fn next_id(&self, at: Timestamp) -> EventId {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        let mut random = [0; 10];
        random[2..].copy_from_slice(&number.to_be_bytes());
        EventId::from_parts(at, random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_known_beforehand_and_differ() {
        let at = Timestamp::from_millis(1_795_486_294_303);
        let ids = SequentialIds::new();
        let texts: Vec<_> = (0..2).map(|_| ids.next_id(at).to_string()).collect();
        assert_eq!(
            texts,
            ["01a20b52-a11f-7000-8000-000000000000", "01a20b52-a11f-7000-8000-000000000001"]
        );
        assert!(EventId::parse(&texts[0]).is_ok());
    }
}
