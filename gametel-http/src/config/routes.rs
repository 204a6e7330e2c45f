use gametel_core::event::Stamper;
use gametel_core::header::HeaderRule;

use super::{CorsOptions, Limits};
use crate::access::KeyRing;

/// The settings of [`routes`](crate::routes()) and [`service`](crate::service()).
///
/// Made as [`ServerConfig`](crate::ServerConfig) is: from the defaults, by the setters.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RouteOptions {
    /// The keys without which nobody may write. Default `None`: anyone may who can connect.
    pub keys: Option<KeyRing>,
    /// Which web pages may read answers. Default none.
    pub cors: CorsOptions,
    /// Which request headers an event keeps. Default `None`: those that the catalog names, which
    /// are Host, User-Agent and Accept unless it says otherwise.
    pub header_rule: Option<HeaderRule>,
    /// How large and how slow a request may be.
    pub limits: Limits,
    /// What gives each event its time of receipt, and an id if it brings none. Default the system's
    /// clock and random ids; a test passes its own.
    pub stamper: Stamper,
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

    /// Sets [`stamper`](Self::stamper).
    #[must_use]
    pub fn with_stamper(self, stamper: Stamper) -> Self {
        Self { stamper, ..self }
    }
}
