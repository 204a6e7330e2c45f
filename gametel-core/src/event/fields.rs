use indexmap::IndexMap;
use serde::Serialize;

use crate::codec::{EncodeError, json_string, visit_members};

use super::Malformed;

/// The members of a flat JSON object, in order, each name once, each value as JSON text.
///
/// Values are kept as the text they came in, so that a price of `1.10` is stored as `1.10`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(IndexMap<Box<str>, Box<str>>);

impl Fields {
    /// No fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads one JSON object. Of members with the same name the last one wins, at the place of the
    /// first.
    ///
    /// # Errors
    ///
    /// The bytes are not one JSON object in UTF-8.
    pub fn from_json(object: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Self::new();
        visit_members(object, |name, value| {
            // Within JSON text a line can only end in white space, never in a string. Without its
            // line ends an event is one line, as NDJSON has it, however its sender laid it out.
            let value = if value.contains(['\n', '\r']) {
                value.replace(['\n', '\r'], " ").into()
            } else {
                value.into()
            };
            fields.0.insert(name.into(), value);
        })?;
        Ok(fields)
    }

    /// Takes what `value` serializes to, which must be an object, or nothing at all (a unit
    /// struct).
    ///
    /// # Errors
    ///
    /// `value` does not serialize, or not to a JSON object.
    pub fn from_serialize(value: &impl Serialize) -> Result<Self, EncodeError> {
        let json = serde_json::to_vec(value).map_err(EncodeError::serialize)?;
        if json == b"null" {
            return Ok(Self::new());
        }
        Self::from_json(&json).map_err(|_| EncodeError::NotAnObject)
    }

    /// Sets a member to a JSON string.
    pub fn insert_str(&mut self, name: &str, value: &str) {
        self.0.insert(name.into(), json_string(value).into());
    }

    /// Sets a member to a JSON value, which must be whole, and one line.
    pub(crate) fn insert_json(&mut self, name: &str, json: String) {
        self.0.insert(name.into(), json.into());
    }

    /// Sets a member to a JSON string unless there is a member of that name.
    pub fn insert_str_if_absent(&mut self, name: &str, value: &str) {
        if !self.0.contains_key(name) {
            self.insert_str(name, value);
        }
    }

    /// The JSON text of a member's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(AsRef::as_ref)
    }

    /// Takes a member out, and gives the JSON text of its value.
    pub fn remove(&mut self, name: &str) -> Option<Box<str>> {
        self.0.shift_remove(name)
    }

    /// Name and JSON text of each member, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_many_lines_becomes_one() {
        let fields = Fields::from_json(b"{\"tags\":[\n1,\r\n\"a\\nb\"\n]}").unwrap();
        assert_eq!(fields.get("tags"), Some("[ 1,  \"a\\nb\" ]"));
    }
}
