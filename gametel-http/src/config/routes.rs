use gametel_core::event::Stamper;
use gametel_core::header::HeaderRule;

use super::{Deduplication, Limits, Validation};

/// The settings of [`routes`](crate::routes()) and [`service`](crate::service()).
///
/// Made as [`ServerConfig`](crate::ServerConfig) is: from the defaults, by the setters.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RouteOptions {
    /// Which request headers an event keeps. Default `None`: those that the catalog names, which
    /// are Host, User-Agent and Accept unless it says otherwise.
    pub header_rule: Option<HeaderRule>,
    /// How large and how slow a request may be.
    pub limits: Limits,
    /// What gives each event its time of receipt, and an id if it brings none. Default the system's
    /// clock and random ids; a test passes its own.
    pub stamper: Stamper,
    /// What becomes of events whose fields are not what the catalog says.
    pub validation: Validation,
    /// What of a repeated `event_id` is known; `None` writes every repeat. Default
    /// [`Deduplication::default`].
    pub deduplication: Option<Deduplication>,
}

impl Default for RouteOptions {
    fn default() -> Self {
        Self {
            header_rule: None,
            limits: Limits::default(),
            stamper: Stamper::default(),
            validation: Validation::default(),
            deduplication: Some(Deduplication::default()),
        }
    }
}

impl RouteOptions {
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

    /// Sets [`validation`](Self::validation).
    #[must_use]
    pub fn with_validation(self, validation: Validation) -> Self {
        Self { validation, ..self }
    }

    /// Sets [`deduplication`](Self::deduplication).
    #[must_use]
    pub fn with_deduplication(self, deduplication: impl Into<Option<Deduplication>>) -> Self {
        Self { deduplication: deduplication.into(), ..self }
    }
}
