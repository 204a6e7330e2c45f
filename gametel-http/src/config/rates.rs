use std::num::{NonZeroU32, NonZeroUsize};

use super::Network;

/// How many requests a second one sender may make, and how senders are told apart.
///
/// A request is one request, whether it brings one event or ten thousand: what a batch costs is
/// bounded by [`Limits`](crate::Limits). No rate is set by default. Game servers come from few
/// addresses, players behind one router share theirs, and no number fits both.
///
/// ```
/// use std::num::NonZeroU32;
/// use gametel_http::{Rate, RateLimits};
///
/// let hundred = Rate::per_second(NonZeroU32::new(100).unwrap());
/// let rates = RateLimits::default()
///     .with_per_address(Some(hundred.with_burst(NonZeroU32::new(500).unwrap())))
///     .with_trusted_proxies(vec!["10.0.0.0/8".parse()?]);
/// # Ok::<(), gametel_http::NetworkError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RateLimits {
    /// The rate of each client address. Of IPv6 it is the /64, which is what one client has.
    /// Default none.
    pub per_address: Option<Rate>,
    /// The rate of each API key that has none of its own. Default none.
    pub per_key: Option<Rate>,
    /// How many addresses, and how many keys, are kept in mind. Past that the one that was seen
    /// longest ago is forgotten, and begins anew when it comes back. Default 65,536, which is 10
    /// MiB.
    pub tracked_senders: NonZeroUsize,
    /// The proxies whose `X-Forwarded-For` is believed. Without any, which is the default, a
    /// client's address is that of its socket.
    pub trusted_proxies: Vec<Network>,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            per_address: None,
            per_key: None,
            tracked_senders: NonZeroUsize::new(65_536).expect("65,536 is not zero"),
            trusted_proxies: Vec::new(),
        }
    }
}

impl RateLimits {
    /// Sets [`per_address`](Self::per_address).
    #[must_use]
    pub fn with_per_address(self, per_address: Option<Rate>) -> Self {
        Self { per_address, ..self }
    }

    /// Sets [`per_key`](Self::per_key).
    #[must_use]
    pub fn with_per_key(self, per_key: Option<Rate>) -> Self {
        Self { per_key, ..self }
    }

    /// Sets [`tracked_senders`](Self::tracked_senders).
    #[must_use]
    pub fn with_tracked_senders(self, tracked_senders: NonZeroUsize) -> Self {
        Self { tracked_senders, ..self }
    }

    /// Sets [`trusted_proxies`](Self::trusted_proxies).
    #[must_use]
    pub fn with_trusted_proxies(self, trusted_proxies: Vec<Network>) -> Self {
        Self { trusted_proxies, ..self }
    }
}

/// So many requests a second, and so many at once after a silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    per_second: NonZeroU32,
    burst: NonZeroU32,
}

impl Rate {
    /// A rate whose burst is one second's worth.
    pub fn per_second(per_second: NonZeroU32) -> Self {
        Self { per_second, burst: per_second }
    }

    /// Sets how many requests may come at once after a silence.
    #[must_use]
    pub fn with_burst(self, burst: NonZeroU32) -> Self {
        Self { burst, ..self }
    }

    /// Requests a second.
    pub fn requests_per_second(self) -> NonZeroU32 {
        self.per_second
    }

    /// Requests at once.
    pub fn burst(self) -> NonZeroU32 {
        self.burst
    }
}
