use crate::event::Fields;

use super::{EventDefinition, FieldDefinition, FieldError, FieldType};

/// How much of a value an error shows, in characters.
pub(super) const SHOWN: usize = 80;

impl EventDefinition {
    /// Gives the declared fields that have a default, and are not there, their default. A field
    /// that is null is there.
    pub fn fill_defaults(&self, fields: &mut Fields) {
        for field in self.fields() {
            if fields.get(field.name()).is_none()
                && let Some(json) = field.default_json()
            {
                fields.insert_json(field.name(), json);
            }
        }
    }

    /// Checks the own fields of an event against the declared ones: the required are there and not
    /// null, and each value is of its field's type and within its limits. Fields that are not
    /// declared are let pass, as is null where the field is not required.
    ///
    /// ```
    /// use gametel_core::catalog::{EventDefinition, FieldDefinition, FieldType};
    /// use gametel_core::event::Fields;
    ///
    /// let duel = EventDefinition::new("duel_won")
    ///     .with_field(FieldDefinition::new("rounds", FieldType::Int64).required());
    /// assert!(duel.check(&Fields::from_json(br#"{"rounds": 3, "mood": "grim"}"#)?).is_ok());
    ///
    /// let error = duel.check(&Fields::from_json(br#"{"rounds": "3"}"#)?).unwrap_err();
    /// assert_eq!(error.to_string(), r#"the field "rounds" must be an int64, and is "3""#);
    /// assert_eq!(error.code(), "invalid_field");
    /// # Ok::<(), gametel_core::event::Malformed>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first field, in the order of their definition, that does not hold what it must.
    pub fn check(&self, fields: &Fields) -> Result<(), FieldError> {
        self.fields().iter().try_for_each(|field| field.check(fields.get(field.name())))
    }
}

impl FieldDefinition {
    fn check(&self, json: Option<&str>) -> Result<(), FieldError> {
        match (json, self.field_type()) {
            (None | Some("null"), expected) if self.is_required() => {
                Err(FieldError::Missing { field: self.name().into(), expected })
            }
            (None | Some("null"), _) => Ok(()),
            (Some(json), Some(expected)) if !expected.accepts(json) => {
                Err(self.invalid(expected, json))
            }
            (Some(json), _) => self.check_limits(json),
        }
    }

    /// Sets the field to what text in a query or a form stands for: a string where the field is
    /// untyped or a string, else the JSON value that the text is.
    ///
    /// ```
    /// use gametel_core::catalog::{FieldDefinition, FieldType};
    /// use gametel_core::event::Fields;
    ///
    /// let mut fields = Fields::new();
    /// FieldDefinition::new("rounds", FieldType::Int64).insert_text(&mut fields, "3")?;
    /// FieldDefinition::untyped("winner").insert_text(&mut fields, "3")?;
    /// assert_eq!((fields.get("rounds"), fields.get("winner")), (Some("3"), Some("\"3\"")));
    /// # Ok::<(), gametel_core::catalog::FieldError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The text stands for no value of the field's type; nothing is set then.
    pub fn insert_text(&self, fields: &mut Fields, text: &str) -> Result<(), FieldError> {
        let expected = self.column_type();
        match expected.json_of_text(text) {
            Some(json) => fields.insert_json(self.name(), json),
            None => return Err(self.invalid(expected, &crate::codec::json_string(text))),
        }
        Ok(())
    }

    /// The default as a JSON value; none where it does not fit the type, which no catalog lets be.
    pub(super) fn default_json(&self) -> Option<String> {
        self.column_type().json_of_text(self.default()?)
    }

    fn invalid(&self, expected: FieldType, json: &str) -> FieldError {
        FieldError::Invalid { field: self.name().into(), expected, found: start_of(json).into() }
    }
}

/// The start of a text that may be of any length.
pub(super) fn start_of(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn duel() -> EventDefinition {
        EventDefinition::new("duel_won")
            .with_field(FieldDefinition::new("winner", FieldType::String).required())
            .with_field(FieldDefinition::new("rounds", FieldType::Int64).with_default("1"))
            .with_field(FieldDefinition::new("started", FieldType::Timestamp))
            .with_field(FieldDefinition::untyped("arena").with_default("pit"))
            .with_field(FieldDefinition::untyped("season").required())
    }

    fn check(object: &str) -> Result<(), String> {
        let fields = Fields::from_json(object.as_bytes()).unwrap();
        duel().check(&fields).map_err(|error| format!("{}: {error}", error.code()))
    }

    #[test]
    fn an_event_is_checked_field_by_field() {
        assert_eq!(check(r#"{"winner":"Ann","season":{},"rounds":null,"other":[]}"#), Ok(()));
        for (object, message) in [
            ("{}", r#"missing_field: the field "winner" is missing or null; it must be a string"#),
            (
                r#"{"winner":null}"#,
                r#"missing_field: the field "winner" is missing or null; it must be a string"#,
            ),
            (r#"{"winner":7}"#, r#"invalid_field: the field "winner" must be a string, and is 7"#),
            (
                r#"{"winner":"Ann"}"#,
                r#"missing_field: the field "season" is missing or null; it must be any value but null"#,
            ),
            (
                r#"{"winner":"Ann","rounds":3.5}"#,
                r#"invalid_field: the field "rounds" must be an int64, and is 3.5"#,
            ),
            (
                r#"{"winner":"Ann","started":"noon"}"#,
                "invalid_field: the field \"started\" must be a timestamp (seconds since 1970, \
                 or an RFC 3339 string), and is \"noon\"",
            ),
        ] {
            assert_eq!(check(object), Err(message.to_owned()), "{object}");
        }
        let long = check(&format!(r#"{{"winner":["{}"]}}"#, "é".repeat(500))).unwrap_err();
        assert!(long.ends_with("é…") && long.chars().count() < 150, "{long}");
    }

    #[test]
    fn a_default_fills_only_what_is_absent_and_has_the_type() {
        let mut fields = Fields::from_json(br#"{"arena":null}"#).unwrap();
        duel().fill_defaults(&mut fields);
        assert_eq!((fields.get("arena"), fields.get("rounds")), (Some("null"), Some("1")));
        let mut fields = Fields::new();
        duel().fill_defaults(&mut fields);
        assert_eq!((fields.get("arena"), fields.get("winner")), (Some("\"pit\""), None));
    }

    #[test]
    fn text_that_is_no_value_of_the_type_sets_nothing() {
        let (mut fields, duel) = (Fields::new(), duel());
        let error = duel.field("rounds").unwrap().insert_text(&mut fields, "three").unwrap_err();
        assert_eq!(error.to_string(), r#"the field "rounds" must be an int64, and is "three""#);
        assert_eq!((error.field(), fields.get("rounds")), ("rounds", None));
    }
}
