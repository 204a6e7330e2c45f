use gametel_core::event::Stamper;
use gametel_core::header::HeaderRule;
use gametel_core::sink::DeduplicationOptions;

use super::{CorsOptions, Limits, RateLimits, Validation};
use crate::access::KeyRing;
use crate::readiness::Monitor;

/// The settings of [`routes`](crate::routes()) and [`service`](crate::service()).
///
/// Made as [`ServerConfig`](crate::ServerConfig) is: from the defaults, by the setters.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RouteOptions {
    /// The keys without which nobody may write. Default `None`: anyone may who can connect.
    pub keys: Option<KeyRing>,
    /// Which web pages may read answers. Default none.
    pub cors: CorsOptions,
    /// Which request headers an event keeps. Default `None`: those that the catalog names, which
    /// are Host, User-Agent and Accept unless it says otherwise.
    pub header_rule: Option<HeaderRule>,
    /// How large, how slow and how many requests may be.
    pub limits: Limits,
    /// How many requests a second one sender may make. Default as many as it likes.
    pub rates: RateLimits,
    /// What is seen of the sink while nothing is written. Default nothing.
    pub monitor: Monitor,
    /// What gives each event its time of receipt, and an id if it brings none. Default the system's
    /// clock and random ids; a test passes its own.
    pub stamper: Stamper,
    /// What becomes of events whose fields are not what the catalog says.
    pub validation: Validation,
    /// How long and for how many events a repeated `event_id` is known for one, as
    /// [`Deduplicated`](gametel_core::sink::Deduplicated) does it; `None` writes every repeat. Default
    /// [`DeduplicationOptions::default`]; ids that the server gave count as well.
    ///
    /// Events are the same if they have one id and one type, and come under the same name of a key. A
    /// write goes on when its client leaves, for its next try to be known as a repeat. It stays part
    /// of what is in hand, which [`Limits`] bounds.
    pub deduplication: Option<DeduplicationOptions>,
}

impl Default for RouteOptions {
    fn default() -> Self {
        Self {
            keys: None,
            cors: CorsOptions::default(),
            header_rule: None,
            limits: Limits::default(),
            rates: RateLimits::default(),
            monitor: Monitor::default(),
            stamper: Stamper::default(),
            validation: Validation::default(),
            deduplication: Some(DeduplicationOptions::default()),
        }
    }
}

impl RouteOptions {
    /// Sets [`keys`](Self::keys).
    #[must_use]
    pub fn with_keys(self, keys: KeyRing) -> Self {
        Self { keys: Some(keys), ..self }
    }

    /// Sets [`cors`](Self::cors).
    #[must_use]
    pub fn with_cors(self, cors: CorsOptions) -> Self {
        Self { cors, ..self }
    }

    /// Sets [`header_rule`](Self::header_rule): a rule in place of the catalog's.
    #[must_use]
    pub fn with_header_rule(self, header_rule: HeaderRule) -> Self {
        Self { header_rule: Some(header_rule), ..self }
    }

    /// Sets [`limits`](Self::limits).
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Sets [`rates`](Self::rates).
    #[must_use]
    pub fn with_rates(self, rates: RateLimits) -> Self {
        Self { rates, ..self }
    }

    /// Sets [`monitor`](Self::monitor).
    #[must_use]
    pub fn with_monitor(self, monitor: Monitor) -> Self {
        Self { monitor, ..self }
    }

    /// Sets [`stamper`](Self::stamper).
    #[must_use]
    pub fn with_stamper(self, stamper: Stamper) -> Self {
        Self { stamper, ..self }
    }

    /// Sets [`validation`](Self::validation).
    #[must_use]
    pub fn with_validation(self, validation: Validation) -> Self {
        Self { validation, ..self }
    }

    /// Sets [`deduplication`](Self::deduplication).
    #[must_use]
    pub fn with_deduplication(
        self,
        deduplication: impl Into<Option<DeduplicationOptions>>,
    ) -> Self {
        Self { deduplication: deduplication.into(), ..self }
    }
}
