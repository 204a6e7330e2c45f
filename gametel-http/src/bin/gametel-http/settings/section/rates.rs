use std::num::{NonZeroU32, NonZeroUsize};

use gametel_http::{Network, RateLimits};
use serde::{Deserialize, Serialize};

use crate::settings::value::Text;

/// `[rates]`: how many requests a second one sender may make.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::settings) struct Rates {
    tracked_senders: NonZeroUsize,
    trusted_proxies: Vec<Text<Network>>,
    per_address: Option<Rate>,
    per_key: Option<Rate>,
}

/// A bucket: so many at once, filled again at so many a second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rate {
    requests_per_second: NonZeroU32,
    /// As many as in a second, if it is not said.
    burst: Option<NonZeroU32>,
}

impl Default for Rates {
    fn default() -> Self {
        let default = RateLimits::default();
        Self {
            tracked_senders: default.tracked_senders,
            trusted_proxies: default.trusted_proxies.into_iter().map(Text).collect(),
            per_address: default.per_address.map(Rate::from),
            per_key: default.per_key.map(Rate::from),
        }
    }
}

impl Rates {
    pub(in crate::settings) fn limits(&self) -> RateLimits {
        RateLimits::default()
            .with_per_address(self.per_address.as_ref().map(Rate::rate))
            .with_per_key(self.per_key.as_ref().map(Rate::rate))
            .with_tracked_senders(self.tracked_senders)
            .with_trusted_proxies(self.trusted_proxies.iter().map(|network| network.0).collect())
    }
}

impl Rate {
    fn rate(&self) -> gametel_http::Rate {
        let rate = gametel_http::Rate::per_second(self.requests_per_second);
        self.burst.map_or(rate, |burst| rate.with_burst(burst))
    }
}

impl From<gametel_http::Rate> for Rate {
    fn from(rate: gametel_http::Rate) -> Self {
        Self { requests_per_second: rate.requests_per_second(), burst: Some(rate.burst()) }
    }
}
