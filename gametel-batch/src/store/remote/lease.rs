use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::error::{BatchError, ErrorKind};
use crate::store::Lock;

use super::Calls;

/// The lock of a store that knows no locks: a mark that is renewed, and that somebody else may take
/// over when it was not for a whole term.
///
/// Times are the store's own and nobody else's, so that clocks that differ do no harm. Each renewal
/// is conditional on the mark still being the own one: it fails when somebody has taken it over, who
/// in turn has done so conditionally on the last renewal that was seen.
pub(in crate::store) trait Beat: fmt::Debug + Send + Sync + 'static {
    /// Holds it for another term, from now on. `false` if it is somebody else's.
    ///
    /// # Errors
    ///
    /// It is not known who holds it.
    fn renew(&mut self) -> impl Future<Output = Result<bool, BatchError>> + Send;

    /// Lets go of it, if it still is the own one.
    fn release(&mut self) -> impl Future<Output = Result<(), BatchError>> + Send;
}

/// How long a mark lasts that is not renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct Term(Duration);

impl Term {
    pub(in crate::store) fn new(term: Duration) -> Self {
        Self(term)
    }

    pub(in crate::store) fn from_millis(millis: u64) -> Self {
        Self(Duration::from_millis(millis))
    }

    pub(in crate::store) fn as_millis(self) -> u64 {
        u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX)
    }

    /// What is left of it when the last renewal is so old; `None` when it is over.
    pub(in crate::store) fn left(self, age: Duration) -> Option<Duration> {
        self.0.checked_sub(age).filter(|left| !left.is_zero())
    }
}

/// Why a lock is not to be had: somebody else's lasts at least so long.
pub(in crate::store) fn refused(output: &str, left: Duration) -> BatchError {
    let seconds = left.as_secs() + 1;
    let message = format!(
        "another run is writing to {output}; if it was killed, its lock ends by itself within \
         {seconds} s"
    );
    BatchError::new(ErrorKind::Refused, message)
}

/// Holds a mark, and renews it four times a term, until it is dropped.
pub(in crate::store) struct Lease<B: Beat> {
    calls: Arc<Calls>,
    output: String,
    state: Arc<Mutex<State<B>>>,
    renewing: JoinHandle<()>,
}

#[derive(Debug)]
struct State<B> {
    beat: B,
    lost: bool,
}

impl<B: Beat> State<B> {
    async fn renew(&mut self) -> Result<(), BatchError> {
        if !self.lost {
            self.lost = !self.beat.renew().await?;
        }
        if self.lost {
            return Err(BatchError::new(ErrorKind::Refused, "the lock was taken over"));
        }
        Ok(())
    }
}

impl<B: Beat> Lease<B> {
    /// Renews a mark that has just been made.
    pub(in crate::store) fn start(calls: &Arc<Calls>, output: String, beat: B, term: Term) -> Self {
        let state = Arc::new(Mutex::new(State { beat, lost: false }));
        let renewed = Arc::clone(&state);
        let renewing = calls.handle().spawn(async move {
            loop {
                tokio::time::sleep(term.0 / 4).await;
                let mut state = renewed.lock().await;
                match state.renew().await {
                    Ok(()) => {}
                    Err(error) if state.lost => {
                        return tracing::warn!(error = error.one_line(), "another run writes here");
                    }
                    // The next time it may succeed; and if not, the check before the switch fails.
                    Err(error) => {
                        tracing::warn!(error = error.one_line(), "the lock can't be renewed");
                    }
                }
            }
        });
        Self { calls: Arc::clone(calls), output, state, renewing }
    }
}

impl<B: Beat> Lock for Lease<B> {
    /// Renews it: whoever has proved so to hold it has a whole term for what comes next.
    fn check(&self) -> Result<(), BatchError> {
        let (state, output) = (Arc::clone(&self.state), self.output.clone());
        self.calls.wait(async move {
            let mut state = state.lock().await;
            state.renew().await.map_err(|error| {
                let kind = error.kind();
                let message = format!("{output} may be another run's by now");
                BatchError::new(kind, message).with_source(error)
            })
        })
    }
}

impl<B: Beat> fmt::Debug for Lease<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("output", &self.output).finish_non_exhaustive()
    }
}

impl<B: Beat> Drop for Lease<B> {
    fn drop(&mut self) {
        self.renewing.abort();
        let state = Arc::clone(&self.state);
        let released = self.calls.wait(async move {
            let mut state = state.lock().await;
            if state.lost { Ok(()) } else { state.beat.release().await }
        });
        if let Err(error) = released {
            tracing::warn!(error = error.one_line(), "the lock ends by itself, after its term");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// Is somebody else's after so many renewals.
    #[derive(Debug)]
    struct Renewals {
        left: u32,
        done: Arc<AtomicU32>,
        released: Arc<AtomicU32>,
    }

    impl Beat for Renewals {
        async fn renew(&mut self) -> Result<bool, BatchError> {
            self.left = self.left.saturating_sub(1);
            self.done.fetch_add(1, Ordering::SeqCst);
            Ok(self.left > 0)
        }

        async fn release(&mut self) -> Result<(), BatchError> {
            self.released.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }
    }

    fn lease(left: u32, term: Duration) -> (Lease<Renewals>, Arc<AtomicU32>, Arc<AtomicU32>) {
        let (done, released) = (Arc::default(), Arc::default());
        let beat = Renewals { left, done: Arc::clone(&done), released: Arc::clone(&released) };
        let calls = Arc::new(Calls::new().unwrap());
        (Lease::start(&calls, "out".to_owned(), beat, Term::new(term)), done, released)
    }

    #[test]
    fn a_lease_is_renewed_by_itself_and_released_at_the_end() {
        let (lease, done, released) = lease(u32::MAX, Duration::from_millis(20));
        while done.load(Ordering::SeqCst) < 3 {
            std::thread::yield_now();
        }
        lease.check().unwrap();
        drop(lease);
        assert_eq!(released.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_lease_that_was_taken_over_fails_its_check_for_good_and_is_not_released() {
        let (lease, done, released) = lease(2, Duration::from_secs(3600));
        lease.check().unwrap();
        for _ in 0..2 {
            let error = lease.check().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Refused);
        }
        assert_eq!(done.load(Ordering::SeqCst), 2, "who has lost it renews nothing");
        drop(lease);
        assert_eq!(released.load(Ordering::SeqCst), 0, "it is another's by now");
    }

    #[test]
    fn a_term_is_over_when_nothing_is_left() {
        let term = Term::from_millis(60_000);
        assert_eq!(term.left(Duration::from_secs(59)), Some(Duration::from_secs(1)));
        assert_eq!(term.left(Duration::from_secs(60)), None);
        assert_eq!(term.left(Duration::from_secs(61)), None);
    }
}
