use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, Field, Schema, SchemaRef};
use gametel_core::catalog::{
    Catalog, ColumnSource, DatasetIndex, FieldType, OnMisfit, PartitionBy, TypedColumn, TypedValue,
};
use gametel_core::codec::visit_members;
use gametel_core::event::EncodedEvent;

use crate::counts::Counts;
use crate::timestamp::write_timestamp;

use super::Rows;
use super::column_builder::{ColumnBuilder, data_type};
use super::partition::{write_day, write_folder};

/// Makes rows of a catalog's dataset, by the record rules: every column may be null, only top-level
/// members count, the last of a name wins.
pub(crate) struct EventRows {
    schema: SchemaRef,
    columns: Vec<TypedColumn>,
    /// For each column, where its values are gathered; none for that which the folders have.
    builders: Vec<Option<ColumnBuilder>>,
    partition: Option<PartitionBy>,
    /// The folder of the last row.
    folder: String,
    /// How many values of each column became null because they did not fit.
    nulled: Counts,
    /// Text that is written anew for each row.
    scratch: String,
}

impl EventRows {
    pub(crate) fn new(catalog: &Catalog, dataset: DatasetIndex) -> Self {
        let columns = catalog.columns(dataset);
        let in_folders = catalog.partition_column(dataset);
        let in_files = |place: usize| Some(place) != in_folders;
        let fields = columns.iter().enumerate().filter(|(place, _)| in_files(*place));
        let field =
            |column: &TypedColumn| Field::new(column.name(), data_type(column.column_type()), true);
        let fields: Vec<_> = fields.map(|(_, column)| field(column)).collect();
        let builder = |(place, column): (usize, &TypedColumn)| {
            in_files(place).then(|| ColumnBuilder::new(column.column_type()))
        };
        Self {
            schema: Arc::new(Schema::new(fields)),
            builders: columns.iter().enumerate().map(builder).collect(),
            columns: columns.to_vec(),
            partition: catalog.dataset(dataset).partition_by().cloned(),
            folder: String::new(),
            nulled: Counts::default(),
            scratch: String::new(),
        }
    }

    /// How many values of each column became null, by its rule, because they did not fit. Goes on
    /// counting.
    pub(crate) fn nulled(&self) -> Counts {
        self.nulled.clone()
    }

    /// The JSON text of each member that has a column, by the column's place, and behind them that
    /// of `event_ts`.
    fn members<'a>(&self, payload: &'a [u8]) -> Result<Vec<Option<&'a str>>, String> {
        let mut members = vec![None; self.columns.len() + 1];
        visit_members(payload, |name, value| {
            if name == "event_ts" {
                members[self.columns.len()] = Some(value);
            }
            let of_this_name = |column: &TypedColumn| match column.source() {
                ColumnSource::Member(member) => **member == *name,
                _ => false,
            };
            if let Some(place) = self.columns.iter().position(of_this_name) {
                members[place] = Some(value);
            }
        })
        .map_err(|malformed| malformed.to_string())?;
        Ok(members)
    }
}

impl Rows for EventRows {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn partition(&self) -> Option<&str> {
        self.partition.as_ref().map(PartitionBy::name)
    }

    fn folder(&self) -> &str {
        &self.folder
    }

    fn append(&mut self, event: &EncodedEvent) -> Result<(), String> {
        let payload = event.payload();
        let raw_event = std::str::from_utf8(payload).map_err(|error| error.to_string())?;
        self.scratch.clear();
        if let Some(timestamp) = event.timestamp() {
            write_timestamp(&mut self.scratch, timestamp);
        }
        // Every value is read before any is added: half a row can't be taken back.
        let mut values = Vec::with_capacity(self.columns.len());
        let members = self.members(payload)?;
        let mut nulled = Vec::new();
        for (column, member) in self.columns.iter().zip(&members) {
            values.push(match (column.source(), column.column_type()) {
                (ColumnSource::RawEvent, _) => Some(TypedValue::Text(raw_event.into())),
                (ColumnSource::Timestamp, FieldType::Timestamp) => {
                    event.timestamp().map(TypedValue::Timestamp)
                }
                (ColumnSource::Timestamp, _) => {
                    let text = event.timestamp().map(|_| self.scratch.as_str());
                    text.map(|text| TypedValue::Text(text.into()))
                }
                (_, column_type) => match member.map(|member| column_type.read(member)) {
                    None => None,
                    Some(Ok(value)) => value,
                    Some(Err(_)) if column.on_misfit() == OnMisfit::Null => {
                        nulled.push(column.name());
                        None
                    }
                    Some(Err(error)) => return Err(format!("column {}: {error}", column.name())),
                },
            });
        }
        if let Some(by @ PartitionBy::EventDate) = &self.partition {
            let event_ts = members.last().copied().flatten();
            write_day(&mut self.folder, by.name(), event_ts, event.timestamp());
        }
        for ((builder, value), column) in self.builders.iter_mut().zip(values).zip(&self.columns) {
            match builder {
                Some(builder) => builder.append(value),
                None if write_folder(&mut self.folder, column.name(), value.as_ref()) => {}
                None => nulled.push(column.name()),
            }
        }
        nulled.into_iter().for_each(|column| self.nulled.add(column));
        Ok(())
    }

    fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        let columns = self.builders.iter_mut().flatten().map(ColumnBuilder::finish).collect();
        RecordBatch::try_new(Arc::clone(&self.schema), columns)
    }
}

#[cfg(test)]
impl EventRows {
    /// Rows of one column, `raw_event`.
    pub(crate) fn raw_events() -> Self {
        use gametel_core::catalog::{Catalog, DatasetDefinition};

        let dataset = DatasetDefinition::new("d", ["raw_event"]);
        let catalog = Catalog::builder("c").dataset(dataset).build().expect("it is valid");
        let (index, _) = catalog.indexed_datasets().next().expect("there is one dataset");
        Self::new(&catalog, index)
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray;
    use arrow_array::types::{Float64Type, Int64Type, TimestampMicrosecondType};
    use arrow_array::{Array, ArrayRef};
    use arrow_schema::{DataType, TimeUnit};
    use gametel_core::catalog::{Catalog, Column, DatasetDefinition, EventDefinition};
    use gametel_core::codec::Decoder;
    use gametel_core::event::{Position, Timestamp};

    use super::*;

    fn batch(
        columns: impl IntoIterator<Item = Column>,
        payload: &'static str,
        timestamp: Option<i64>,
    ) -> Result<RecordBatch, String> {
        let event = ["a", "b", "c", "d"]
            .into_iter()
            .fold(EventDefinition::new("x").with_dataset("d"), EventDefinition::with_field);
        let dataset = DatasetDefinition::new("d", columns);
        let catalog = Catalog::builder("c").event(event).dataset(dataset).build().unwrap();
        let (index, _) = catalog.indexed_datasets().next().unwrap();
        let mut rows = EventRows::new(&catalog, index);
        let position = Position { topic: "t".into(), partition: 0, offset: 0 };
        let timestamp = timestamp.map(Timestamp::from_millis);
        rows.append(&Decoder::new().decode(payload.into(), timestamp, position))?;
        Ok(rows.finish().unwrap())
    }

    fn row(payload: &'static str, timestamp: Option<i64>) -> Vec<Option<String>> {
        let columns = ["raw_event", "timestamp", "Host", "a", "b", "event_type"];
        let batch = batch(columns.map(Column::named), payload, timestamp).unwrap();
        let text = |column: &ArrayRef| {
            let column = column.as_string::<i32>();
            column.is_valid(0).then(|| column.value(0).to_owned())
        };
        batch.columns().iter().map(text).collect()
    }

    #[test]
    fn a_row_follows_the_record_rules() {
        let payload = " {\"a\":1,\"event_type\":\"x\",\"a\":{\"k\": [1, 2]},\"b\":null,\"Host\":\"A\\u00e9\",\"host\":\"no\"}\n";
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            row(payload, Some(1_795_486_294_340)),
            [
                some(payload),
                some("2026-11-24 02:11:34.34"),
                some("Aé"),
                some(r#"{"k":[1,2]}"#),
                None,
                some("x"),
            ]
        );
        let row = row(r#"{"event_type":"x","a":1.50,"b":true,"timestamp":"mine"}"#, None);
        assert_eq!(row[1..5], [None, None, some("1.50"), some("true")]);
    }

    fn typed_columns() -> [Column; 7] {
        [
            Column::typed("timestamp", FieldType::Timestamp),
            Column::typed("event_ts", FieldType::Timestamp),
            Column::typed("a", FieldType::Int64),
            Column::typed("b", FieldType::Float64),
            Column::typed("c", FieldType::Boolean),
            Column::typed("d", FieldType::Json),
            Column::named("event_id"),
        ]
    }

    #[test]
    fn a_typed_column_holds_values_of_its_type() {
        let payload = r#"{"event_type":"x","event_ts":17.5,"a":3.0,"b":2,"c":true,"d":"t"}"#;
        let batch = batch(typed_columns(), payload, Some(1_795_486_294_340)).unwrap();
        let types: Vec<_> =
            batch.schema().fields().iter().map(|field| field.data_type().clone()).collect();
        let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        assert_eq!(
            types,
            [
                utc.clone(),
                utc,
                DataType::Int64,
                DataType::Float64,
                DataType::Boolean,
                DataType::Utf8,
                DataType::Utf8,
            ]
        );
        let micros =
            |index: usize| batch.column(index).as_primitive::<TimestampMicrosecondType>().value(0);
        assert_eq!((micros(0), micros(1)), (1_795_486_294_340_000, 17_500_000));
        assert_eq!(batch.column(2).as_primitive::<Int64Type>().value(0), 3);
        assert_eq!(batch.column(3).as_primitive::<Float64Type>().value(0), 2.0);
        assert!(batch.column(4).as_boolean().value(0));
        assert_eq!(batch.column(5).as_string::<i32>().value(0), "\"t\"");
        assert!(batch.column(6).is_null(0));
    }

    #[test]
    fn what_is_absent_or_null_is_null_in_every_type() {
        let payload = r#"{"event_type":"x","event_ts":null,"a":null,"b":null,"c":null}"#;
        let batch = batch(typed_columns(), payload, None).unwrap();
        assert_eq!((batch.num_rows(), batch.num_columns()), (1, 7));
        assert!(batch.columns().iter().all(|column| column.is_null(0)));
    }

    #[test]
    fn a_value_that_does_not_fit_adds_no_part_of_a_row() {
        let error = batch(typed_columns(), r#"{"event_type":"x","c":"yes"}"#, None).unwrap_err();
        assert_eq!(error, "column c: the value is no boolean");
    }
}
