use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use crate::event::EventTime;

use super::value::SECONDS;
use super::{Catalog, EventDefinition, FieldDefinition, FieldType};

impl Catalog {
    /// The JSON Schema (draft 2020-12) of one event as it is on the wire: the envelope, the event's
    /// own fields, and the headers that it may carry. `None` if there is no such event.
    ///
    /// The schema is of what a server writes. What a client sends to it may lack the envelope but
    /// for `event_type`. More members than these are allowed, as they are in events.
    ///
    /// ```
    /// use gametel_core::catalog::Catalog;
    ///
    /// let schema = Catalog::game().json_schema("join_guild").ok_or("no such event")?;
    /// assert!(schema.contains(r#""$schema": "https://json-schema.org/draft/2020-12/schema""#));
    /// assert!(schema.contains(r#""event_type": {"#));
    /// # Ok::<(), &str>(())
    /// ```
    pub fn json_schema(&self, event_type: &str) -> Option<String> {
        let event = self.event(event_type)?;
        let schema = EventSchema { event, headers: self.header_rule().kept().collect() };
        Some(serde_json::to_string_pretty(&schema).expect("a schema is strings and numbers"))
    }
}

struct EventSchema<'a> {
    event: &'a EventDefinition,
    headers: Vec<&'a str>,
}

impl Serialize for EventSchema<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let name = self.event.event_type().as_str();
        let fields = self.event.fields();
        let required = fields.iter().filter(|field| field.is_required());
        let mut names = vec!["event_id", "event_type", "event_ts"];
        names.extend(required.map(FieldDefinition::name));

        let mut schema = serializer.serialize_map(None)?;
        schema.serialize_entry("$schema", "https://json-schema.org/draft/2020-12/schema")?;
        schema.serialize_entry("title", name)?;
        if let Some(description) = self.event.description() {
            schema.serialize_entry("description", description)?;
        }
        schema.serialize_entry("type", "object")?;
        schema.serialize_entry("properties", &Properties(self))?;
        schema.serialize_entry("required", &names)?;
        schema.serialize_entry("additionalProperties", &true)?;
        schema.end()
    }
}

struct Properties<'a>(&'a EventSchema<'a>);

impl Serialize for Properties<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(EventSchema { event, headers }) = self;
        let mut properties = serializer.serialize_map(None)?;
        properties
            .serialize_entry("event_id", &Keywords(&[("type", "string"), ("format", "uuid")]))?;
        properties
            .serialize_entry("event_type", &Keywords(&[("const", event.event_type().as_str())]))?;
        let happened = "when it happened, in seconds since the Unix epoch";
        properties.serialize_entry("event_ts", &EventTimeSchema(happened))?;
        let received = "when it was received, where event_ts is the sender's";
        properties.serialize_entry("received_ts", &EventTimeSchema(received))?;
        for field in event.fields() {
            properties.serialize_entry(field.name(), &FieldSchema(field))?;
        }
        // A field of a header's name has its place.
        for header in headers.iter().filter(|header| event.field(header).is_none()) {
            properties.serialize_entry(header, &Keywords(&[("type", "string")]))?;
        }
        properties.end()
    }
}

/// A schema of words alone.
struct Keywords<'a>(&'a [(&'static str, &'a str)]);

impl Serialize for Keywords<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}

/// The schema of an [`EventTime`], with its description.
struct EventTimeSchema(&'static str);

impl Serialize for EventTimeSchema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut schema = serializer.serialize_map(None)?;
        schema.serialize_entry("type", "number")?;
        schema.serialize_entry("minimum", &0)?;
        schema.serialize_entry("maximum", &EventTime::MAX_SECONDS)?;
        schema.serialize_entry("description", self.0)?;
        schema.end()
    }
}

struct FieldSchema<'a>(&'a FieldDefinition);

impl Serialize for FieldSchema<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(field) = self;
        let mut schema = serializer.serialize_map(None)?;
        let mut types = types(field.field_type());
        if field.is_required() {
            // Whatever its type, a required field is not null.
            if types.is_empty() {
                types = vec!["string", "number", "boolean", "object", "array"];
            }
        } else if !types.is_empty() {
            types.push("null");
        }
        match &types[..] {
            [] => {}
            [one] => schema.serialize_entry("type", one)?,
            more => schema.serialize_entry("type", more)?,
        }
        match field.field_type() {
            Some(FieldType::Int64) => {
                let (minimum, maximum) = (field.minimum(), field.maximum());
                schema.serialize_entry("minimum", &minimum.unwrap_or(i64::MIN.into()))?;
                schema.serialize_entry("maximum", &maximum.unwrap_or(i64::MAX.into()))?;
            }
            Some(FieldType::Float64) => {
                for (keyword, bound) in [("minimum", field.minimum()), ("maximum", field.maximum())]
                {
                    if let Some(bound) = bound {
                        schema.serialize_entry(keyword, &bound)?;
                    }
                }
            }
            // Each of one type alone: a keyword says nothing of values of another.
            Some(FieldType::Timestamp) => {
                schema.serialize_entry("format", "date-time")?;
                schema.serialize_entry("minimum", &SECONDS.start)?;
                schema.serialize_entry("exclusiveMaximum", &SECONDS.end)?;
            }
            _ => {}
        }
        if let Some(characters) = field.max_length() {
            schema.serialize_entry("maxLength", &characters)?;
        }
        if let Some(allowed) = field.allowed() {
            schema.serialize_entry("enum", &allowed_values(field, allowed))?;
        }
        if let Some(default) =
            field.default_json().and_then(|json| RawValue::from_string(json).ok())
        {
            schema.serialize_entry("default", &default)?;
        }
        if let Some(description) = field.description() {
            schema.serialize_entry("description", description)?;
        }
        schema.end()
    }
}

/// The allowed values as JSON; null is one of them where the field is not required.
fn allowed_values(field: &FieldDefinition, allowed: &[Box<str>]) -> Vec<Box<RawValue>> {
    let values = allowed.iter().filter_map(|text| field.column_type().json_of_text(text));
    let null = (!field.is_required()).then(|| "null".to_owned());
    values.chain(null).filter_map(|json| RawValue::from_string(json).ok()).collect()
}

/// The names that JSON Schema has for what a type takes; none for anything.
fn types(field_type: Option<FieldType>) -> Vec<&'static str> {
    match field_type {
        None | Some(FieldType::Json) => Vec::new(),
        Some(FieldType::String) => vec!["string"],
        Some(FieldType::Int64) => vec!["integer"],
        Some(FieldType::Float64) => vec!["number"],
        Some(FieldType::Boolean) => vec!["boolean"],
        Some(FieldType::Timestamp) => vec!["number", "string"],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::event::{EventDraft, EventId, EventType, Fields, Stamp, Timestamp};
    use crate::header::HeaderRule;

    fn duel() -> Catalog {
        let field = FieldDefinition::new;
        let event = EventDefinition::new("duel_won")
            .described("A player has won a duel.")
            .with_field(field("winner", FieldType::String).required().described("who won"))
            .with_field(field("rounds", FieldType::Int64).with_default("3"))
            .with_field(field("damage", FieldType::Float64))
            .with_field(field("ranked", FieldType::Boolean).required())
            .with_field(field("started", FieldType::Timestamp))
            .with_field(field("loot", FieldType::Json))
            .with_field(FieldDefinition::untyped("season").required())
            .with_field("Host")
            .with_field(field("arena", FieldType::String).with_max_length(3))
            .with_field(field("mode", FieldType::String).with_allowed(["solo", "team"]))
            .with_field(field("size", FieldType::Int64).with_allowed(["1", "2"]).with_minimum(1))
            .with_field(field("odds", FieldType::Float64).with_minimum(0).with_maximum(1.5));
        Catalog::builder("arena").event(event).build().unwrap()
    }

    #[test]
    fn the_schema_is_the_golden_one() {
        let schema = duel().json_schema("duel_won").unwrap();
        assert_eq!(schema, include_str!("golden/duel_won.schema.json").trim_end());
        assert_eq!(duel().json_schema("duel_lost"), None);
    }

    /// Whether a value satisfies a schema, by the few keywords that ours have. It panics at any
    /// other, so that none goes unchecked.
    fn satisfies(value: &Value, schema: &Value) -> bool {
        let schema = schema.as_object().unwrap();
        schema.iter().all(|(keyword, of)| match keyword.as_str() {
            "$schema" | "title" | "description" | "format" | "default" => true,
            "additionalProperties" => of == true,
            "const" => value == of,
            "type" => match of {
                Value::Array(types) => types.iter().any(|of| is_type(value, of)),
                of => is_type(value, of),
            },
            "maxLength" => value
                .as_str()
                .is_none_or(|text| text.chars().count() as u64 <= of.as_u64().unwrap()),
            "enum" => of.as_array().unwrap().iter().any(|of| match (of.as_f64(), value.as_f64()) {
                (Some(of), Some(value)) => of == value,
                _ => of == value,
            }),
            "minimum" => value.as_f64().is_none_or(|number| number >= of.as_f64().unwrap()),
            "maximum" => value.as_f64().is_none_or(|number| number <= of.as_f64().unwrap()),
            "exclusiveMaximum" => value.as_f64().is_none_or(|number| number < of.as_f64().unwrap()),
            "required" => of
                .as_array()
                .unwrap()
                .iter()
                .all(|name| value.get(name.as_str().unwrap()).is_some()),
            "properties" => {
                of.as_object().unwrap().iter().all(|(name, schema)| {
                    value.get(name).is_none_or(|value| satisfies(value, schema))
                })
            }
            other => panic!("{other} is no keyword of ours"),
        })
    }

    fn is_type(value: &Value, of: &Value) -> bool {
        match of.as_str().unwrap() {
            "null" => value.is_null(),
            "string" => value.is_string(),
            "integer" => {
                value.as_i64().is_some() || value.as_f64().is_some_and(|n| n.fract() == 0.0)
            }
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            "object" => value.is_object(),
            "array" => value.is_array(),
            other => panic!("{other} is no type"),
        }
    }

    fn on_the_wire(fields: &str) -> Value {
        let at = Timestamp::from_millis(1_795_486_294_303);
        let stamp = Stamp { id: EventId::from_parts(at, [0; 10]), received_at: at };
        let fields = Fields::from_json(fields.as_bytes()).unwrap();
        let headers = HeaderRule::default().apply([("host", &b"a"[..]), ("accept", b"*/*")]);
        let draft = EventDraft::with_envelope(EventType::new("duel_won"), fields).unwrap();
        let event = draft.encode(&headers.headers, stamp).unwrap();
        serde_json::from_slice(event.payload()).unwrap()
    }

    #[test]
    fn the_schema_says_of_an_event_what_the_check_says() {
        let catalog = duel();
        let schema = serde_json::from_str(&catalog.json_schema("duel_won").unwrap()).unwrap();
        let definition = catalog.event("duel_won").unwrap();
        let good = r#"{"winner":"Ann","ranked":true,"season":1}"#;
        for (more, expected) in [
            ("", true),
            (r#""rounds":3,"damage":1.5,"started":17.5,"loot":[null],"Host":7"#, true),
            (r#""rounds":null,"damage":null,"started":null,"loot":null"#, true),
            (r#""rounds":3.0,"damage":1,"started":"2026-11-24T02:11:34Z","event_ts":17.5"#, true),
            (r#""undeclared":{}"#, true),
            (r#""arena":"äöü","mode":"solo","size":2.0,"odds":1.5"#, true),
            (r#""arena":null,"mode":null,"size":null,"odds":null"#, true),
            (r#""arena":"pits""#, false),
            (r#""mode":"duo""#, false),
            (r#""size":3"#, false),
            (r#""odds":1.51"#, false),
            (r#""odds":-0.1"#, false),
            (r#""rounds":3.5"#, false),
            (r#""rounds":"3""#, false),
            (r#""damage":"1.5""#, false),
            (r#""started":true"#, false),
            (r#""started":1795486294303"#, false),
            (r#""started":-62135596801"#, false),
            (r#""winner":null"#, false),
            (r#""winner":7"#, false),
            (r#""season":null"#, false),
            (r#""ranked":"yes""#, false),
        ] {
            let fields = match more {
                "" => good.to_owned(),
                more => good.replace('}', &format!(",{more}}}")),
            };
            let checked = definition.check(&Fields::from_json(fields.as_bytes()).unwrap()).is_ok();
            assert_eq!(checked, expected, "check {fields}");
            assert_eq!(satisfies(&on_the_wire(&fields), &schema), expected, "schema {fields}");
        }
        for missing in ["winner", "ranked", "season"] {
            let mut event = on_the_wire(good);
            event.as_object_mut().unwrap().remove(missing);
            assert!(!satisfies(&event, &schema), "without {missing}");
        }
        assert!(!satisfies(&serde_json::json!([]), &schema));
    }

    #[cfg(feature = "testing")]
    #[test]
    fn the_generators_events_satisfy_their_schemas() {
        let catalog = Catalog::game();
        for event in crate::testing::EventGenerator::new(1).take(1_000) {
            let event_type = event.event_type().unwrap().as_str();
            let schema = catalog.json_schema(event_type).unwrap();
            let schema = serde_json::from_str(&schema).unwrap();
            assert!(satisfies(&serde_json::from_slice(event.payload()).unwrap(), &schema));
        }
    }
}
