use gametel_http::{CorsOptions, Origin};
use serde::{Deserialize, Serialize};

use crate::settings::value::{Period, Text};

/// `[cors]`: which web pages may send events from a browser.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::settings) struct Cors {
    origins: Vec<Text<Origin>>,
    max_age: Period,
}

impl Default for Cors {
    fn default() -> Self {
        let default = CorsOptions::default();
        Self {
            origins: default.origins.into_iter().map(Text).collect(),
            max_age: Period(default.max_age),
        }
    }
}

impl Cors {
    pub(in crate::settings) fn options(&self) -> CorsOptions {
        CorsOptions::default()
            .with_origins(self.origins.iter().map(|origin| origin.0.clone()))
            .with_max_age(self.max_age.0)
    }
}
