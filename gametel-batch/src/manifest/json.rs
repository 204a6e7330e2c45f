//! A manifest as the text that lies beside the data.

use serde::Deserialize;

use crate::error::{BatchError, ErrorKind};

use super::Manifest;

impl Manifest {
    /// Reads what [`to_json`](Self::to_json) wrote.
    ///
    /// # Errors
    ///
    /// It is no manifest, or one of a format that only a later version of gametel knows.
    pub fn from_json(json: &[u8]) -> Result<Self, BatchError> {
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let damaged = |error: serde_json::Error| BatchError::failed("it is no manifest", error);
        // Read for itself first: of a later format nothing else need be as it is here.
        let Format { format } = serde_json::from_slice(json).map_err(damaged)?;
        if format > Self::FORMAT {
            let message = format!(
                "the manifest has format {format}, and this gametel-batch ({}) knows formats up to \
                 {}: use a later one",
                env!("CARGO_PKG_VERSION"),
                Self::FORMAT,
            );
            return Err(BatchError::new(ErrorKind::Refused, message));
        }
        serde_json::from_slice(json).map_err(damaged)
    }

    /// The manifest as JSON over several lines, with a line break at the end.
    pub fn to_json(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec_pretty(self)
            .expect("a manifest has text for keys, and nothing that JSON does not have");
        json.push(b'\n');
        json
    }
}

/// A time as RFC 3339 has it, in UTC.
pub(crate) mod rfc3339 {
    use gametel_core::event::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::timestamp::write_rfc3339;

    pub(crate) fn serialize<S: Serializer>(
        at: &Timestamp,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut text = String::new();
        write_rfc3339(&mut text, *at);
        serializer.serialize_str(&text)
    }

    pub(in crate::manifest) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(deserializer)?;
        Timestamp::from_rfc3339(&text)
            .ok_or_else(|| D::Error::custom(format!("{text:?} is no time by RFC 3339")))
    }
}

/// A location as people write it.
pub(super) mod text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::store::Location;

    pub(in crate::manifest) fn serialize<S: Serializer>(
        location: &Location,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(location)
    }

    pub(in crate::manifest) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Location, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use crate::manifest::check::tests::balanced;

    use super::*;

    #[test]
    fn a_manifest_is_read_back_as_it_was_written() {
        let manifest = balanced();
        assert_eq!(Manifest::from_json(&manifest.to_json()).unwrap(), manifest);
    }

    #[test]
    fn the_form_is_the_one_that_is_documented() {
        let golden = include_str!("golden/manifest.json");
        let manifest = Manifest::from_json(golden.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(manifest.to_json()).unwrap(), golden);
        assert_eq!(manifest.check_conservation(), Ok(()));
    }

    #[test]
    fn fields_of_a_later_version_are_passed_over_and_a_later_format_is_refused() {
        let mut json = serde_json::to_value(balanced()).unwrap();
        json["mood"] = "good".into();
        let text = serde_json::to_vec(&json).unwrap();
        assert_eq!(Manifest::from_json(&text).unwrap(), balanced());

        let later = br#"{"format":2,"everything":"else"}"#;
        let error = Manifest::from_json(later).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert!(error.to_string().contains("format 2"), "{error}");
        for odd in ["", "{}", "[]", "{\"format\":1}", "{\"format\":\"1\"}"] {
            let error = Manifest::from_json(odd.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Failed, "{odd}");
        }
    }
}
