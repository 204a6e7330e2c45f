//! What a connection is doing, and by when it has to do something else.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// What a connection is doing. A clone is the same.
#[derive(Clone, Debug)]
pub(super) struct Activity {
    origin: Instant,
    /// Held for some additions, and never across an await.
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// Requests that have no answer yet.
    in_hand: usize,
    /// Answers that have not gone out, from the oldest on, with the time at which each was made.
    unread: BTreeMap<u64, Instant>,
    /// How many answers there were.
    answers: u64,
    /// The end of the last request.
    last: Option<Instant>,
}

impl Activity {
    /// That of a connection that starts now.
    pub(super) fn new() -> Self {
        Self { origin: Instant::now(), state: Arc::default() }
    }

    /// When the connection started.
    pub(super) fn origin(&self) -> Instant {
        self.origin
    }

    /// Takes note of a request.
    pub(super) fn begin(&self) -> InHand {
        self.state().in_hand += 1;
        InHand(self.clone())
    }

    /// When the connection has been of no use for `idle_timeout`: nothing was in hand for so long, or
    /// an answer has waited so long to be read, whatever else is done meanwhile. None while there is
    /// a request without an answer, and no answer that waits. What is given never moves to an
    /// earlier time.
    pub(super) fn due(&self, idle_timeout: Duration) -> Option<Instant> {
        let state = self.state();
        match state.unread.first_key_value() {
            Some((_, made)) => Some(*made + idle_timeout),
            None if state.in_hand > 0 => None,
            None => Some(state.last.map_or(self.origin, |last| last + idle_timeout)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request in hand, until it is answered or dropped.
#[derive(Debug)]
pub(super) struct InHand(Activity);

impl InHand {
    /// Takes note of the answer, of which nothing has gone out yet.
    pub(super) fn answered(self) -> Unread {
        let activity = self.0.clone();
        let number = {
            let mut state = activity.state();
            state.answers += 1;
            let number = state.answers;
            state.unread.insert(number, Instant::now());
            number
        };
        Unread { activity, number }
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.in_hand -= 1;
        state.last = Some(Instant::now());
    }
}

/// An answer that has not gone out, until it is dropped.
#[derive(Debug)]
pub(super) struct Unread {
    activity: Activity,
    number: u64,
}

impl Drop for Unread {
    fn drop(&mut self) {
        let mut state = self.activity.state();
        state.unread.remove(&self.number);
        state.last = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(60);

    async fn seconds(seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }

    /// Seconds from the start to the time at which the connection is of no use any more.
    fn due(activity: &Activity) -> Option<u64> {
        activity.due(TIMEOUT).map(|due| due.duration_since(activity.origin).as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_quiet_from_the_end_of_its_last_request() {
        let activity = Activity::new();
        assert_eq!(due(&activity), Some(0));
        let (first, second) = (activity.begin(), activity.begin());
        assert_eq!(due(&activity), None);
        seconds(2).await;
        drop(first.answered());
        assert_eq!(due(&activity), None);
        seconds(3).await;
        drop(second);
        assert_eq!(due(&activity), Some(65));
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_answer_that_nobody_reads_counts_whatever_else_is_done() {
        let activity = Activity::new();
        seconds(1).await;
        let oldest = activity.begin().answered();
        seconds(1).await;
        let next = activity.begin().answered();
        seconds(1).await;
        drop(activity.begin().answered());
        let _in_hand = activity.begin();
        assert_eq!(due(&activity), Some(61));
        drop(oldest);
        assert_eq!(due(&activity), Some(62));
        drop(next);
        assert_eq!(due(&activity), None);
    }
}
