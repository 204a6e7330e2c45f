use toml::Spanned;

use crate::header::HeaderRule;

use super::toml_form::{
    CatalogToml, ColumnToml, DatasetToml, EventToml, FieldToml, OnMisfitToml, ScalarToml,
    TypedColumnToml,
};
use super::{
    Catalog, Column, DatasetDefinition, EventDefinition, FieldDefinition, FieldType, OnMisfit,
};

impl Catalog {
    /// Writes the catalog as TOML, from which [`from_toml`](Self::from_toml) makes the same catalog
    /// again.
    ///
    /// ```
    /// use gametel_core::catalog::Catalog;
    ///
    /// let catalog = Catalog::game();
    /// assert_eq!(Catalog::from_toml(&catalog.to_toml())?, catalog);
    /// # Ok::<(), gametel_core::catalog::CatalogError>(())
    /// ```
    pub fn to_toml(&self) -> String {
        let is_default = *self.header_rule() == HeaderRule::default();
        let form = CatalogToml {
            name: self.name().to_owned(),
            headers: (!is_default)
                .then(|| spanned(self.header_rule().kept().map(str::to_owned).collect())),
            event: self.events().iter().map(event).collect(),
            dataset: self.datasets().iter().map(dataset).collect(),
        };
        toml::to_string(&form).expect("a catalog has nothing in it that TOML does not have")
    }
}

fn event(event: &EventDefinition) -> EventToml {
    EventToml {
        r#type: spanned(event.event_type().as_str().to_owned()),
        description: event.description().map(str::to_owned),
        route: event.route().map(str::to_owned),
        reply: event.route().map(|_| event.reply().to_owned()),
        dataset: event.dataset().map(str::to_owned),
        field: event.fields().iter().map(field).collect(),
    }
}

fn field(field: &FieldDefinition) -> FieldToml {
    let field_type = field.field_type();
    FieldToml {
        name: spanned(field.name().to_owned()),
        r#type: field_type.map(|field_type| spanned(field_type.as_str().to_owned())),
        required: field.is_required(),
        default: field.default().map(|text| spanned(scalar(field_type, text))),
        max_length: field.max_length(),
        minimum: field.minimum(),
        maximum: field.maximum(),
        allowed: field
            .allowed()
            .map(|allowed| allowed.iter().map(|text| scalar(field_type, text)).collect()),
        description: field.description().map(str::to_owned),
    }
}

/// The text as a value of TOML's own, where that reads back as the same text.
fn scalar(field_type: Option<FieldType>, text: &str) -> ScalarToml {
    let own = match field_type {
        Some(FieldType::Int64) => text.parse().map(ScalarToml::Integer).ok(),
        Some(FieldType::Float64) => text.parse().map(ScalarToml::Float).ok(),
        Some(FieldType::Boolean) => text.parse().map(ScalarToml::Boolean).ok(),
        _ => None,
    };
    own.filter(|own| own.to_text() == text).unwrap_or_else(|| ScalarToml::Text(text.to_owned()))
}

fn dataset(dataset: &DatasetDefinition) -> DatasetToml {
    DatasetToml {
        name: spanned(dataset.name().to_owned()),
        description: dataset.description().map(str::to_owned),
        columns: dataset.columns().iter().map(|of| spanned(column(of))).collect(),
        partition_by: dataset.partition_by().map(|by| by.name().to_owned()),
        filter: dataset.filter().cloned(),
    }
}

fn column(column: &Column) -> ColumnToml {
    let name = column.name().to_owned();
    let on_misfit = (column.on_misfit() == OnMisfit::Null).then_some(OnMisfitToml::Null);
    match column.field_type() {
        None if on_misfit.is_none() => ColumnToml::Named(name),
        field_type => ColumnToml::Typed(TypedColumnToml {
            name,
            r#type: field_type.map(|field_type| field_type.as_str().to_owned()),
            on_misfit,
        }),
    }
}

/// The form has spans for the lines of errors; what is written has none yet.
fn spanned<T>(value: T) -> Spanned<T> {
    Spanned::new(0..0, value)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;

    use super::*;
    use crate::filter::Filter;

    #[test]
    fn the_text_is_what_a_person_would_write() {
        let text = r#"name = "arena"
headers = ["Host", "X-Game-Version"]

[[event]]
type = "duel_won"
description = "A player has won a duel."
route = "/duel_won"
reply = "GG"
dataset = "duels"

[[event.field]]
name = "winner"
type = "string"
required = true
max_length = 20

[[event.field]]
name = "rounds"
type = "int64"
default = 3
minimum = 1
maximum = 5.0
allowed = [1, 3, 5]

[[event.field]]
name = "mood"
default = "3"

[[dataset]]
name = "duels"
columns = ["timestamp", { name = "event_ts", type = "timestamp" }, { name = "rounds", on_misfit = "null" }]
partition_by = "event_date"

[dataset.filter]
field = "rounds"
at_least = 3
"#;
        assert_eq!(Catalog::from_toml(text).unwrap().to_toml(), text);
    }

    fn field_definition() -> impl Strategy<Value = FieldDefinition> {
        let defaults = (
            any::<String>(),
            prop_oneof![
                any::<i64>().prop_map(|number| number.to_string()),
                Just("3.0".to_owned()),
                Just("-0".to_owned()),
            ],
            prop_oneof![
                any::<f64>()
                    .prop_filter("JSON has finite numbers", |number| number.is_finite())
                    .prop_map(|number| format!("{number:?}")),
                Just("1.10".to_owned()),
            ],
            any::<bool>(),
        );
        let field_type = option::of(proptest::sample::select(FieldType::ALL.to_vec()));
        (field_type, defaults, any::<(bool, bool, bool)>(), option::of(any::<String>())).prop_map(
            |(field_type, (text, integer, float, flag), flags, description)| {
                let (required, with_default, limited) = flags;
                let field = match field_type {
                    None => FieldDefinition::untyped("f"),
                    Some(field_type) => FieldDefinition::new("f", field_type),
                };
                let field = match (required, with_default, field_type) {
                    (true, ..) => field.required(),
                    (_, false, _) => field,
                    (.., None | Some(FieldType::String)) => field.with_default(&text),
                    (.., Some(FieldType::Int64)) => field.with_default(&integer),
                    (.., Some(FieldType::Float64)) => field.with_default(&float),
                    (.., Some(FieldType::Boolean)) => field.with_default(&flag.to_string()),
                    (.., Some(FieldType::Timestamp)) => field.with_default("17.5"),
                    (.., Some(FieldType::Json)) => field.with_default("{\"a\":\n1}"),
                };
                let field = match (limited, field_type) {
                    (true, Some(FieldType::String)) => field.with_max_length(u32::MAX),
                    (true, Some(FieldType::Int64)) if integer.len() > 2 => field
                        .with_minimum(i64::MIN)
                        .with_maximum(i64::MAX)
                        .with_allowed([&*integer, "7"]),
                    (true, Some(FieldType::Float64)) if float != "1.10" => field
                        .with_minimum(f64::MIN)
                        .with_maximum(f64::MAX)
                        .with_allowed([&*float, "1.10"]),
                    _ => field,
                };
                match description {
                    None => field,
                    Some(description) => field.described(&description),
                }
            },
        )
    }

    fn catalog() -> impl Strategy<Value = Catalog> {
        let texts = (any::<String>(), any::<String>(), option::of(any::<String>()));
        let headers = option::of(proptest::sample::subsequence(vec!["Host", "x-a", "b"], 0..=3));
        (texts, headers, vec((field_definition(), any::<bool>(), any::<bool>()), 0..4)).prop_map(
            |((name, reply, description), headers, fields)| {
                let mut builder = Catalog::builder(&name);
                if let Some(headers) = headers {
                    builder = builder.headers(headers);
                }
                for (index, (field, routed, typed)) in fields.into_iter().enumerate() {
                    let dataset_name = format!("d{index}");
                    let column = match (typed, field.field_type()) {
                        (false, _) => Column::named("f"),
                        (true, field_type) => {
                            Column::typed("f", field_type.unwrap_or(FieldType::Json))
                        }
                    };
                    let every_value = [None, Some(FieldType::String), Some(FieldType::Json)];
                    let column = match routed && !every_value.contains(&field.field_type()) {
                        true => column.with_misfit(OnMisfit::Null),
                        false => column,
                    };
                    let mut event = EventDefinition::new(&format!("e{index}"))
                        .with_field(field)
                        .with_dataset(&dataset_name);
                    let mut dataset = DatasetDefinition::new(&dataset_name, [column]);
                    if typed {
                        let rounds = Filter::field("f").at_least(index as u64);
                        dataset = dataset.with_filter(Filter::event_type(&reply) | !rounds);
                    }
                    if routed {
                        event = event.with_route(&format!("/{index}"), &reply);
                        dataset = dataset.with_column("timestamp");
                    }
                    if typed && !routed {
                        dataset = dataset.partitioned_by("event_date");
                    }
                    if let Some(description) = &description {
                        event = event.described(description);
                        dataset = dataset.described(description);
                    }
                    builder = builder.event(event).dataset(dataset);
                }
                builder.build().expect("the parts are chosen to fit")
            },
        )
    }

    proptest! {
        #[test]
        fn every_catalog_survives_the_round_trip(catalog in catalog()) {
            let text = catalog.to_toml();
            let again = Catalog::from_toml(&text);
            prop_assert!(again.is_ok(), "{}\n{}", again.unwrap_err(), text);
            prop_assert_eq!(again.unwrap(), catalog, "{}", text);
        }
    }
}
