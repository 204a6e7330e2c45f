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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_may_be_named_and_have_no_key() {
        assert_eq!(toml::from_str::<LeftOut>("").unwrap(), LeftOut::default());
        for key in ["file = \"a\"", "[topic]\nfile = 1"] {
            let error = toml::from_str::<LeftOut>(key).unwrap_err();
            assert!(error.message().starts_with("it is not in this build"), "{error}");
        }
    }
}
