use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use gametel_core::catalog::{Column, DatasetDefinition};
use gametel_core::codec::{text_value, visit_members};
use gametel_core::event::EncodedEvent;

use crate::timestamp::write_timestamp;

use super::Rows;

/// Makes rows of a catalog's dataset, by the record rules: nullable strings, only top-level members
/// count, the last of a name wins.
pub(crate) struct EventRows {
    schema: SchemaRef,
    columns: Vec<Column>,
    builders: Vec<StringBuilder>,
    /// Text that is written anew for each row.
    scratch: String,
}

impl EventRows {
    pub(crate) fn new(dataset: &DatasetDefinition) -> Self {
        let columns = dataset.columns().to_vec();
        let field = |column: &Column| Field::new(column.name(), DataType::Utf8, true);
        Self {
            schema: Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>())),
            builders: columns.iter().map(|_| StringBuilder::new()).collect(),
            columns,
            scratch: String::new(),
        }
    }

    /// The JSON text of each member that has a column, by the column's place.
    fn members<'a>(&self, payload: &'a [u8]) -> Result<Vec<Option<&'a str>>, String> {
        let mut members = vec![None; self.columns.len()];
        visit_members(payload, |name, value| {
            let of_this_name = |column: &Column| match column {
                Column::Member(member) => **member == *name,
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

    fn append(&mut self, event: &EncodedEvent) -> Result<(), String> {
        let payload = event.payload();
        let members = self.members(payload)?;
        let raw_event = std::str::from_utf8(payload).map_err(|error| error.to_string())?;
        for ((column, builder), member) in self.columns.iter().zip(&mut self.builders).zip(members)
        {
            match column {
                Column::RawEvent => builder.append_value(raw_event),
                Column::Timestamp => match event.timestamp() {
                    Some(timestamp) => {
                        self.scratch.clear();
                        write_timestamp(&mut self.scratch, timestamp);
                        builder.append_value(&self.scratch);
                    }
                    None => builder.append_null(),
                },
                _ => builder.append_option(member.and_then(text_value)),
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        let columns =
            self.builders.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef);
        RecordBatch::try_new(Arc::clone(&self.schema), columns.collect())
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::Array;
    use arrow_array::cast::AsArray;
    use gametel_core::codec::Decoder;
    use gametel_core::event::{Position, Timestamp};

    use super::*;

    fn row(payload: &'static str, timestamp: Option<i64>) -> Vec<Option<String>> {
        let dataset =
            DatasetDefinition::new("d", ["raw_event", "timestamp", "Host", "a", "b", "event_type"]);
        let mut rows = EventRows::new(&dataset);
        let position = Position { topic: "t".into(), partition: 0, offset: 0 };
        let timestamp = timestamp.map(Timestamp::from_millis);
        rows.append(&Decoder::new().decode(payload.into(), timestamp, position)).unwrap();
        let batch = rows.finish().unwrap();
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
}
