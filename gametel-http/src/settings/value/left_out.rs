use std::collections::BTreeMap;

use serde::de::{Error, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize};

/// A table of the file that this build knows nothing to do with: it may have no key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::settings) struct LeftOut(BTreeMap<String, NoValue>);

/// What no value is.
#[derive(Clone, Debug, PartialEq, Serialize)]
enum NoValue {}

impl<'de> Deserialize<'de> for NoValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer)?;
        let why =
            "it is not in this build; build with the feature `log` for [spool], `tls` for [tls]";
        Err(D::Error::custom(why))
    }
}
