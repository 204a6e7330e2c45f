//! What serde writes of one value, learned without writing it.

mod compound;
mod shape;

use crate::codec::EncodeError;
use crate::event::Event;

use super::{EventDefinition, FieldDefinition};
use shape::{Member, Shape, ShapeSerializer};

impl EventDefinition {
    /// The kind of event that `E` is, with the fields that a sample of it has: names, types and
    /// whether they are required, as the type's own `Serialize` tells them.
    ///
    /// | serde writes | the field is |
    /// |---|---|
    /// | an integer, also `u64` and `u128` | `int64`: a larger value is refused when it comes |
    /// | `f32`, `f64` | `float64` |
    /// | `bool` | `boolean` |
    /// | a string, a `char`, a variant that is a name alone | `string` |
    /// | a sequence, a map, a struct, a variant with content | `json` |
    /// | `Some` of these | the same, not required |
    /// | `None`, `()`, a field that is skipped | untyped, not required |
    /// | `#[serde(flatten)]` | the fields that are flattened in |
    ///
    /// All that is not an `Option` is required. The limits are those of looking at one value: of a
    /// `None` the type is unknown, of an enum only the sample's variant is seen, a field that is
    /// skipped within what is flattened is not seen at all, and a time is what it serializes to, a
    /// string or a number. [`map_field`](Self::map_field) puts such a field right.
    ///
    /// ```
    /// use gametel_core::catalog::{EventDefinition, FieldType};
    /// use gametel_core::event::Event;
    /// use serde::Serialize;
    ///
    /// #[derive(Serialize)]
    /// struct DuelWon {
    ///     winner: String,
    ///     rounds: u32,
    ///     arena: Option<String>,
    /// }
    ///
    /// impl Event for DuelWon {
    ///     const TYPE: &'static str = "duel_won";
    /// }
    ///
    /// let sample = DuelWon { winner: "Ann".into(), rounds: 3, arena: Some("pit".into()) };
    /// let definition = EventDefinition::from_sample(&sample)?;
    /// let [winner, rounds, arena] = definition.fields() else { panic!("not three fields") };
    /// assert_eq!((winner.field_type(), winner.is_required()), (Some(FieldType::String), true));
    /// assert_eq!((rounds.field_type(), rounds.is_required()), (Some(FieldType::Int64), true));
    /// assert_eq!((arena.field_type(), arena.is_required()), (Some(FieldType::String), false));
    /// # Ok::<(), gametel_core::codec::EncodeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The sample does not serialize, or to something that is no object.
    pub fn from_sample<E: Event>(sample: &E) -> Result<Self, EncodeError> {
        let members = match sample.serialize(ShapeSerializer).map_err(EncodeError::serialize)? {
            Shape::Object(members) => members,
            Shape::Null => Vec::new(),
            Shape::Value(_) | Shape::Optional(_) => return Err(EncodeError::NotAnObject),
        };
        let mut definition = Self::of::<E>();
        for Member { name, shape } in members {
            definition = definition.map_field(&name, |_| field(&name, &shape));
        }
        Ok(definition)
    }
}

fn field(name: &str, shape: &Shape) -> FieldDefinition {
    match (shape, shape.field_type()) {
        (Shape::Value(field_type), _) => FieldDefinition::new(name, *field_type).required(),
        (Shape::Object(_), Some(field_type)) => FieldDefinition::new(name, field_type).required(),
        (_, Some(field_type)) => FieldDefinition::new(name, field_type),
        (_, None) => FieldDefinition::untyped(name),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::{Serialize, Serializer};

    use super::*;
    use crate::event::Fields;

    fn fields(event: &impl Event) -> Vec<String> {
        let definition = EventDefinition::from_sample(event).unwrap();
        // The sample is an event, so it passes the checks that were learned from it.
        definition.check(&Fields::from_serialize(event).unwrap()).unwrap();
        let text = |field: &FieldDefinition| {
            let field_type = field.field_type().map_or("any", |field_type| field_type.as_str());
            let required = if field.is_required() { "!" } else { "" };
            format!("{}: {field_type}{required}", field.name())
        };
        definition.fields().iter().map(text).collect()
    }

    #[derive(Serialize)]
    #[serde(rename_all = "snake_case")]
    enum Mood {
        Grim,
        Merry { songs: u8 },
        Loud(u8),
        Both(u8, u8),
    }

    #[derive(Serialize)]
    struct Place {
        x: f32,
        y: f64,
    }

    #[derive(Serialize)]
    struct Id(u64);

    #[derive(Serialize)]
    struct Kinds {
        id: Id,
        signed: i8,
        wide: i128,
        letter: char,
        flag: bool,
        #[serde(rename = "Mood")]
        mood: Mood,
        merry: Mood,
        loud: Mood,
        both: Mood,
        list: Vec<u8>,
        pair: (u8, String),
        map: BTreeMap<u8, u8>,
        place: Place,
        unit: (),
        none: Option<u8>,
        some: Option<Id>,
        some_list: Option<Vec<u8>>,
        some_none: Option<Option<u8>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        skipped: Option<u8>,
        #[serde(skip)]
        _never: u8,
        #[serde(serialize_with = "as_bytes")]
        bytes: u8,
    }

    fn as_bytes<S: Serializer>(byte: &u8, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&[*byte])
    }

    impl Event for Kinds {
        const TYPE: &'static str = "kinds";
    }

    #[test]
    fn every_kind_of_value_has_its_type() {
        let kinds = Kinds {
            id: Id(7),
            signed: -1,
            wide: 1,
            letter: 'x',
            flag: true,
            mood: Mood::Grim,
            merry: Mood::Merry { songs: 1 },
            loud: Mood::Loud(1),
            both: Mood::Both(1, 2),
            list: vec![1],
            pair: (1, "a".into()),
            map: [(1, 2)].into(),
            place: Place { x: 1.0, y: 2.0 },
            unit: (),
            none: None,
            some: Some(Id(7)),
            some_list: Some(Vec::new()),
            some_none: Some(None),
            skipped: None,
            _never: 0,
            bytes: 1,
        };
        assert_eq!(
            fields(&kinds),
            [
                "id: int64!",
                "signed: int64!",
                "wide: int64!",
                "letter: string!",
                "flag: boolean!",
                "Mood: string!",
                "merry: json!",
                "loud: json!",
                "both: json!",
                "list: json!",
                "pair: json!",
                "map: json!",
                "place: json!",
                "unit: any",
                "none: any",
                "some: int64",
                "some_list: json",
                "some_none: any",
                "skipped: any",
                "bytes: json!",
            ]
        );
    }

    #[derive(Serialize)]
    struct Flattened {
        before: u8,
        #[serde(flatten)]
        place: Place,
        #[serde(flatten)]
        more: BTreeMap<u8, Option<bool>>,
    }

    impl Event for Flattened {
        const TYPE: &'static str = "flattened";
    }

    #[derive(Serialize)]
    #[serde(tag = "what")]
    enum Tagged {
        Duel { rounds: u8 },
    }

    impl Event for Tagged {
        const TYPE: &'static str = "tagged";
    }

    #[derive(Serialize)]
    struct Unit;

    impl Event for Unit {
        const TYPE: &'static str = "unit";
    }

    impl Event for Mood {
        const TYPE: &'static str = "mood";
    }

    #[test]
    fn flattened_and_tagged_events_have_the_fields_that_serde_writes() {
        let place = Place { x: 1.0, y: 2.0 };
        let flattened = Flattened { before: 1, place, more: [(7, Some(true)), (8, None)].into() };
        assert_eq!(
            fields(&flattened),
            ["before: int64!", "x: float64!", "y: float64!", "7: boolean", "8: any"]
        );
        assert_eq!(fields(&Tagged::Duel { rounds: 3 }), ["what: string!", "rounds: int64!"]);
        assert_eq!(fields(&Mood::Merry { songs: 3 }), ["merry: json!"]);
        assert_eq!(fields(&Mood::Both(1, 2)), ["both: json!"]);
        assert_eq!(fields(&Mood::Loud(1)), ["loud: int64!"]);
        assert!(fields(&Unit).is_empty());
    }

    #[test]
    fn what_is_no_object_is_an_error() {
        #[derive(Serialize)]
        struct Number(u8);

        impl Event for Number {
            const TYPE: &'static str = "number";
        }

        #[derive(Serialize)]
        struct Odd {
            map: BTreeMap<(u8, u8), u8>,
        }

        impl Event for Odd {
            const TYPE: &'static str = "odd";
        }

        for error in [
            EventDefinition::from_sample(&Number(1)).unwrap_err(),
            EventDefinition::from_sample(&Mood::Grim).unwrap_err(),
        ] {
            assert!(matches!(error, EncodeError::NotAnObject), "{error}");
        }
        let error = EventDefinition::from_sample(&Odd { map: [((1, 2), 3)].into() }).unwrap_err();
        assert!(matches!(error, EncodeError::Serialize(_)), "{error}");
    }
}
