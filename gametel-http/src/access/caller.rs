use std::sync::Arc;

use crate::config::{KeyEntry, Rate};

/// Who sends a request, by the key that it brings; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    name: Arc<str>,
    /// None is all.
    event_types: Option<Arc<[String]>>,
    rate: Option<Rate>,
}

impl Caller {
    pub(crate) fn new(entry: &KeyEntry) -> Self {
        let rate = entry.requests_per_second.map(|requests_per_second| {
            let burst = entry.burst.unwrap_or(requests_per_second);
            Rate::per_second(requests_per_second).with_burst(burst)
        });
        let event_types = entry.event_types.as_deref().map(Arc::from);
        Self { name: entry.name.as_str().into(), event_types, rate }
    }

    /// The name of its key: for limits, metrics and logs. Two keys may have one name.
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The event types that it may write; none is all.
    pub(crate) fn event_types(&self) -> Option<&[String]> {
        self.event_types.as_deref()
    }

    /// Whether it may write events of this type.
    pub(crate) fn allows(&self, event_type: &str) -> bool {
        let types = self.event_types.as_deref();
        types.is_none_or(|types| types.iter().any(|allowed| allowed == event_type))
    }

    /// The limit of its key; none if it has none of its own.
    pub(crate) fn rate(&self) -> Option<Rate> {
        self.rate
    }
}
