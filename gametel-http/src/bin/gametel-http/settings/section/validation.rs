use serde::{Deserialize, Serialize};

/// `[validation]`: what becomes of events whose fields are not what the catalog says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::settings) struct Validation {
    pub(in crate::settings) on_invalid: OnInvalid,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::settings) enum OnInvalid {
    #[default]
    Reject,
    Quarantine,
}

impl Validation {
    pub(in crate::settings) fn validation(&self) -> gametel_http::Validation {
        let on_invalid = match self.on_invalid {
            OnInvalid::Reject => gametel_http::OnInvalid::Reject,
            OnInvalid::Quarantine => gametel_http::OnInvalid::Quarantine,
        };
        gametel_http::Validation::default().with_on_invalid(on_invalid)
    }
}
