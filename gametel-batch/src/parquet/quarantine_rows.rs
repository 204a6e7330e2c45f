use std::sync::Arc;

use arrow_array::builder::{BinaryBuilder, Int32Builder, Int64Builder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use gametel_core::event::EncodedEvent;

use crate::timestamp::write_timestamp;

use super::Rows;

/// Makes rows of records that are no events, or can be no rows of their dataset: the bytes as they came, where they were, and why they
/// are here.
pub(crate) struct QuarantineRows {
    schema: SchemaRef,
    raw_event: BinaryBuilder,
    topic: StringBuilder,
    partition: Int32Builder,
    offset: Int64Builder,
    timestamp: StringBuilder,
    reason: StringBuilder,
    detail: StringBuilder,
}

impl QuarantineRows {
    /// How many columns there are.
    pub(crate) const COLUMNS: usize = 7;

    pub(crate) fn new() -> Self {
        let fields: [_; Self::COLUMNS] = [
            ("raw_event", DataType::Binary),
            ("topic", DataType::Utf8),
            ("partition", DataType::Int32),
            ("offset", DataType::Int64),
            ("timestamp", DataType::Utf8),
            ("reason", DataType::Utf8),
            ("detail", DataType::Utf8),
        ];
        let fields = fields.map(|(name, data_type)| Field::new(name, data_type, true));
        Self {
            schema: Arc::new(Schema::new(fields.to_vec())),
            raw_event: BinaryBuilder::new(),
            topic: StringBuilder::new(),
            partition: Int32Builder::new(),
            offset: Int64Builder::new(),
            timestamp: StringBuilder::new(),
            reason: StringBuilder::new(),
            detail: StringBuilder::new(),
        }
    }
}

impl Rows for QuarantineRows {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn partition(&self) -> Option<&str> {
        None
    }

    fn folder(&self) -> &str {
        ""
    }

    fn append(&mut self, event: &EncodedEvent) -> Result<(), String> {
        let malformed =
            event.malformed().ok_or("the record is an event, and not for quarantine")?;
        let position = event.position();
        self.raw_event.append_value(event.payload());
        self.topic.append_option(position.map(|position| &*position.topic));
        self.partition.append_option(position.map(|position| position.partition));
        self.offset.append_option(position.map(|position| position.offset));
        self.timestamp.append_option(event.timestamp().map(|timestamp| {
            let mut text = String::new();
            write_timestamp(&mut text, timestamp);
            text
        }));
        self.reason.append_value(malformed.reason.as_str());
        self.detail.append_value(&malformed.detail);
        Ok(())
    }

    fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.raw_event.finish()),
            Arc::new(self.topic.finish()),
            Arc::new(self.partition.finish()),
            Arc::new(self.offset.finish()),
            Arc::new(self.timestamp.finish()),
            Arc::new(self.reason.finish()),
            Arc::new(self.detail.finish()),
        ];
        RecordBatch::try_new(Arc::clone(&self.schema), columns)
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray;
    use arrow_array::types::{Int32Type, Int64Type};
    use gametel_core::codec::Decoder;
    use gametel_core::event::{Position, Timestamp};

    use super::*;

    #[test]
    fn a_record_is_kept_as_it_came_with_its_place() {
        let payload = b"\xff {\r\n ";
        let position = Position { topic: "events".into(), partition: 3, offset: 17 };
        let at = Timestamp::from_millis(1_795_486_294_340);
        let event = Decoder::new().decode(payload[..].into(), Some(at), position);
        let mut rows = QuarantineRows::new();
        rows.append(&event).unwrap();
        let batch = rows.finish().unwrap();
        let column = |name: &str| batch.column_by_name(name).unwrap();
        assert_eq!(column("raw_event").as_binary::<i32>().value(0), payload);
        assert_eq!(column("partition").as_primitive::<Int32Type>().value(0), 3);
        assert_eq!(column("offset").as_primitive::<Int64Type>().value(0), 17);
        for (name, text) in [
            ("topic", "events"),
            ("timestamp", "2026-11-24 02:11:34.34"),
            ("reason", "invalid_utf8"),
        ] {
            assert_eq!(column(name).as_string::<i32>().value(0), text);
        }
        assert!(!column("detail").as_string::<i32>().value(0).is_empty());
    }
}
