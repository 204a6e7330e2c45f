//! Requests a second, by sender.

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use governor::Quota;
use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use http::StatusCode;
use lru::LruCache;

use crate::config::{Rate, RateLimits};
use crate::error::ApiError;

/// Holds each sender to its rate.
///
/// A rate is a bucket: so many requests at once, filled again at so many a second. The buckets are
/// bounded in number, whatever senders there are; the one that was not used for longest makes room,
/// and would as a rule be full by then.
#[derive(Debug)]
pub(crate) struct RateLimiter<C: Clock = MonotonicClock> {
    clock: C,
    per_address: Option<Rate>,
    per_key: Option<Rate>,
    addresses: Buckets<IpAddr, C>,
    keys: Buckets<Box<str>, C>,
}

/// A sender makes more requests than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RateLimited {
    /// After so many seconds there is room for one request more.
    pub(crate) retry_after: u32,
}

impl RateLimiter {
    pub(crate) fn new(limits: &RateLimits) -> Self {
        Self::with_clock(limits, MonotonicClock)
    }
}

impl<C: Clock + Clone> RateLimiter<C> {
    fn with_clock(limits: &RateLimits, clock: C) -> Self {
        let (addresses, keys) =
            (Buckets::new(limits.tracked_senders), Buckets::new(limits.tracked_senders));
        let RateLimits { per_address, per_key, .. } = *limits;
        Self { clock, per_address, per_key, addresses, keys }
    }

    /// Counts a request from `address`.
    pub(crate) fn check_address(&self, address: IpAddr) -> Result<(), RateLimited> {
        match self.per_address {
            Some(rate) => self.addresses.check(client_network(address), rate, &self.clock),
            None => Ok(()),
        }
    }

    /// Counts a request under the API key `name`, at its own rate or else the common one.
    pub(crate) fn check_key(&self, name: &str, own: Option<Rate>) -> Result<(), RateLimited> {
        match own.or(self.per_key) {
            Some(rate) => self.keys.check(name.into(), rate, &self.clock),
            None => Ok(()),
        }
    }
}

impl From<RateLimited> for ApiError {
    fn from(limited: RateLimited) -> Self {
        let message = "too many requests a second from this sender";
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", message);
        error.with_retry_after(limited.retry_after)
    }
}

/// One client of IPv6 has a /64 at the least, and can use all of it.
fn client_network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        address @ IpAddr::V4(_) => address,
    }
}

#[derive(Debug)]
struct Buckets<K: Hash + Eq, C: Clock>(Mutex<LruCache<K, Bucket<C>>>);

#[derive(Debug)]
struct Bucket<C: Clock> {
    rate: Rate,
    level: governor::RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<C::Instant>>,
}

impl<K: Hash + Eq, C: Clock + Clone> Buckets<K, C> {
    fn new(most: NonZeroUsize) -> Self {
        // Not with_capacity: as a rule there are few senders, or no rate at all.
        let mut buckets = LruCache::unbounded();
        buckets.resize(most);
        Self(Mutex::new(buckets))
    }

    fn check(&self, sender: K, rate: Rate, clock: &C) -> Result<(), RateLimited> {
        let bucket = || Bucket::new(rate, clock.clone());
        // A panic in between would leave the buckets whole.
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = buckets.get_or_insert_mut(sender, bucket);
        if found.rate != rate {
            *found = bucket();
        }
        found.level.check().map_err(|until| {
            let wait = until.wait_time_from(clock.now());
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            RateLimited { retry_after: u32::try_from(seconds).unwrap_or(u32::MAX).max(1) }
        })
    }
}

impl<C: Clock> Bucket<C> {
    fn new(rate: Rate, clock: C) -> Self {
        let quota = Quota::per_second(rate.requests_per_second()).allow_burst(rate.burst());
        Self { rate, level: governor::RateLimiter::direct_with_clock(quota, clock) }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use governor::clock::FakeRelativeClock;

    use super::*;

    fn rate(per_second: u32, burst: u32) -> Rate {
        let number = |number| NonZeroU32::new(number).unwrap();
        Rate::per_second(number(per_second)).with_burst(number(burst))
    }

    fn limiter(limits: RateLimits) -> (RateLimiter<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (RateLimiter::with_clock(&limits, clock.clone()), clock)
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    const LIMITED: Result<(), RateLimited> = Err(RateLimited { retry_after: 1 });

    #[test]
    fn a_burst_is_let_through_and_then_the_rate() {
        let (limiter, clock) = limiter(RateLimits::default().with_per_address(Some(rate(2, 3))));
        let client = address("192.0.2.1");
        for _ in 0..3 {
            assert_eq!(limiter.check_address(client), Ok(()));
        }
        assert_eq!(limiter.check_address(client), LIMITED);
        assert_eq!(limiter.check_address(address("192.0.2.2")), Ok(()));
        clock.advance(Duration::from_millis(500));
        assert_eq!(limiter.check_address(client), Ok(()));
        assert_eq!(limiter.check_address(client), LIMITED);
    }

    #[test]
    fn an_ipv6_client_is_its_64_and_an_ipv4_one_its_address() {
        let (limiter, _) = limiter(RateLimits::default().with_per_address(Some(rate(1, 1))));
        for (first, second, same) in [
            ("2001:db8::1", "2001:db8::ffff:0:0:1", true),
            ("2001:db8:0:1::1", "2001:db8:0:2::1", false),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("::ffff:192.0.2.2", "::ffff:192.0.2.3", false),
        ] {
            assert_eq!(limiter.check_address(address(first)), Ok(()), "{first}");
            assert_eq!(limiter.check_address(address(second)).is_err(), same, "{second}");
        }
    }

    #[test]
    fn a_key_has_its_own_rate_or_the_common_one() {
        let (limiter, _) = limiter(RateLimits::default().with_per_key(Some(rate(1, 1))));
        assert_eq!(limiter.check_key("lobby", None), Ok(()));
        assert_eq!(limiter.check_key("lobby", None), LIMITED);
        assert_eq!(limiter.check_key("arena", Some(rate(1, 2))), Ok(()));
        assert_eq!(limiter.check_key("arena", Some(rate(1, 2))), Ok(()));
        assert_eq!(limiter.check_key("arena", Some(rate(1, 2))), LIMITED);
        // A rate that was changed holds at once.
        assert_eq!(limiter.check_key("arena", Some(rate(1, 3))), Ok(()));
    }

    #[test]
    fn the_sender_seen_longest_ago_is_forgotten() {
        let limits = RateLimits::default().with_per_address(Some(rate(1, 1)));
        let (limiter, _) = limiter(limits.with_tracked_senders(NonZeroUsize::new(2).unwrap()));
        let [first, second, third] = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(address);
        assert_eq!(limiter.check_address(first), Ok(()));
        assert_eq!(limiter.check_address(second), Ok(()));
        assert_eq!(limiter.check_address(first), LIMITED);
        assert_eq!(limiter.check_address(third), Ok(()));
        assert_eq!(limiter.check_address(first), LIMITED);
        assert_eq!(limiter.check_address(second), Ok(()));
    }

    #[test]
    fn a_wait_is_rounded_up_to_whole_seconds() {
        // Rates are whole numbers a second, so that one request is never further than a second.
        let (limiter, clock) = limiter(RateLimits::default().with_per_address(Some(rate(1, 1))));
        let client = address("192.0.2.1");
        assert_eq!(limiter.check_address(client), Ok(()));
        clock.advance(Duration::from_millis(999));
        assert_eq!(limiter.check_address(client), LIMITED);
    }
}
