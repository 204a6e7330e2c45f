use crate::config::{OnInvalid, RouteOptions};
use crate::error::Concern;

/// What of the options changes which answers there are.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Terms {
    /// A request needs a key.
    pub(super) keys: bool,
    /// Events whose fields are wrong are stored as dead letters.
    pub(super) quarantine: bool,
}

impl Terms {
    pub(super) fn of(options: &RouteOptions) -> Self {
        let quarantine = options.validation.on_invalid == OnInvalid::Quarantine;
        Self { keys: options.keys.is_some(), quarantine }
    }

    /// Whether any request can meet an error of this concern.
    pub(super) fn can_meet(self, concern: Concern) -> bool {
        match concern {
            Concern::Key | Concern::Permission => self.keys,
            Concern::Field => !self.quarantine,
            _ => true,
        }
    }
}
