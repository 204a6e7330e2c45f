use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::Duration;

/// How long, how often and at what pace to try again.
///
/// The pause before the *n*-th retry is a random part, up to the whole (full jitter), of
/// `initial_backoff` · 2ⁿ⁻¹, or of `max_backoff` where that is less: many servers that lost one
/// broker do not come back to it in the same instant.
///
/// Start from the defaults and change what differs. There is no struct literal outside this crate,
/// so that a setting more is no breaking change.
///
/// ```
/// use std::time::Duration;
/// use gametel_core::sink::RetryPolicy;
///
/// let patient = RetryPolicy::default().with_max_elapsed(Duration::from_secs(600));
/// assert_eq!(patient.max_attempts, 100);
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// How many attempts there are, the first included; 1 never retries. Default 100.
    pub max_attempts: u32,
    /// No pause begins that would end later than this after the first attempt began. It is no
    /// limit to an attempt: see [`WithTimeout`](super::WithTimeout). Default 2 min: the Kafka sink
    /// alone takes 30 s to find that no broker answers.
    pub max_elapsed: Duration,
    /// The longest first pause. Default 100 ms.
    pub initial_backoff: Duration,
    /// The longest pause. Default 5 s.
    pub max_backoff: Duration,
}

impl RetryPolicy {
    /// One attempt, and no retry.
    pub fn never() -> Self {
        Self { max_attempts: 1, ..Self::default() }
    }

    /// Sets [`max_attempts`](Self::max_attempts).
    #[must_use]
    pub fn with_max_attempts(self, max_attempts: u32) -> Self {
        Self { max_attempts, ..self }
    }

    /// Sets [`max_elapsed`](Self::max_elapsed).
    #[must_use]
    pub fn with_max_elapsed(self, max_elapsed: Duration) -> Self {
        Self { max_elapsed, ..self }
    }

    /// Sets [`initial_backoff`](Self::initial_backoff).
    #[must_use]
    pub fn with_initial_backoff(self, initial_backoff: Duration) -> Self {
        Self { initial_backoff, ..self }
    }

    /// Sets [`max_backoff`](Self::max_backoff).
    #[must_use]
    pub fn with_max_backoff(self, max_backoff: Duration) -> Self {
        Self { max_backoff, ..self }
    }

    /// A random part of the longest pause before the `retry`-th retry, counted from 1.
    pub(super) fn pause(&self, retry: u32) -> Duration {
        self.ceiling(retry).mul_f64(random_part())
    }

    /// The longest pause before the `retry`-th retry, counted from 1.
    fn ceiling(&self, retry: u32) -> Duration {
        let doubled = 1_u32.checked_shl(retry.saturating_sub(1)).unwrap_or(u32::MAX);
        self.initial_backoff.saturating_mul(doubled).min(self.max_backoff)
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 100,
            max_elapsed: Duration::from_secs(120),
            initial_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(5),
        }
    }
}

/// A number from 0 to 1, from the randomness that the standard library keys its hash maps with.
fn random_part() -> f64 {
    // 53 bits are what the fraction of an f64 holds.
    let bits = RandomState::new().hash_one(0) >> 11;
    bits as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let policy = RetryPolicy::default();
        let millis = |retry| policy.ceiling(retry).as_millis();
        assert_eq!([1, 2, 3, 6, 7, 40].map(millis), [100, 200, 400, 3_200, 5_000, 5_000]);
    }

    #[test]
    fn a_pause_is_a_random_part() {
        let parts: Vec<_> = (0..100).map(|_| random_part()).collect();
        assert!(parts.iter().all(|part| (0.0..=1.0).contains(part)));
        assert!(parts.iter().any(|part| *part < 0.5) && parts.iter().any(|part| *part > 0.5));
    }
}
