use gametel_core::catalog::Catalog;
use gametel_core::header::{HeaderRule, HeaderRuleError};
use serde::{Deserialize, Serialize};

/// `[headers]`: which request headers an event keeps beside the catalog's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::settings) struct Headers {
    keep: Vec<String>,
    secret: Vec<String>,
}

impl Headers {
    /// The catalog's headers and the further ones, unless one of them is secret.
    pub(in crate::settings) fn rule(
        &self,
        catalog: &Catalog,
    ) -> Result<HeaderRule, HeaderRuleError> {
        let named = catalog.header_rule().kept();
        HeaderRule::new(named.chain(self.keep.iter().map(String::as_str)), &self.secret)
    }
}
