use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{
    BooleanBuilder, Float64Builder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow_schema::{DataType, TimeUnit};
use gametel_core::catalog::{FieldType, TypedValue};

/// Gathers the values of one column, by the column's type.
pub(super) enum ColumnBuilder {
    Text(StringBuilder),
    Int64(Int64Builder),
    Float64(Float64Builder),
    Boolean(BooleanBuilder),
    Timestamp(TimestampMicrosecondBuilder),
}

impl ColumnBuilder {
    pub(super) fn new(column_type: FieldType) -> Self {
        match column_type {
            FieldType::Int64 => Self::Int64(Int64Builder::new()),
            FieldType::Float64 => Self::Float64(Float64Builder::new()),
            FieldType::Boolean => Self::Boolean(BooleanBuilder::new()),
            FieldType::Timestamp => {
                let builder = TimestampMicrosecondBuilder::new();
                Self::Timestamp(builder.with_data_type(data_type(column_type)))
            }
            _ => Self::Text(StringBuilder::new()),
        }
    }

    /// Adds a value, or null. A value of another type than the column's is null, too: whoever reads
    /// the value by the column's type has none.
    pub(super) fn append(&mut self, value: Option<TypedValue<'_>>) {
        match (self, value) {
            (Self::Text(builder), Some(TypedValue::Text(text))) => builder.append_value(text),
            (Self::Int64(builder), Some(TypedValue::Int64(number))) => builder.append_value(number),
            (Self::Float64(builder), Some(TypedValue::Float64(number))) => {
                builder.append_value(number);
            }
            (Self::Boolean(builder), Some(TypedValue::Boolean(flag))) => builder.append_value(flag),
            (Self::Timestamp(builder), Some(TypedValue::Timestamp(at))) => {
                builder.append_value(at.as_micros());
            }
            (column, _) => column.append_null(),
        }
    }

    fn append_null(&mut self) {
        match self {
            Self::Text(builder) => builder.append_null(),
            Self::Int64(builder) => builder.append_null(),
            Self::Float64(builder) => builder.append_null(),
            Self::Boolean(builder) => builder.append_null(),
            Self::Timestamp(builder) => builder.append_null(),
        }
    }

    /// The values that were added since the last call.
    pub(super) fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Int64(builder) => Arc::new(builder.finish()),
            Self::Float64(builder) => Arc::new(builder.finish()),
            Self::Boolean(builder) => Arc::new(builder.finish()),
            Self::Timestamp(builder) => Arc::new(builder.finish()),
        }
    }
}

/// Arrow's type for a catalog's.
pub(super) fn data_type(column_type: FieldType) -> DataType {
    match column_type {
        FieldType::Int64 => DataType::Int64,
        FieldType::Float64 => DataType::Float64,
        FieldType::Boolean => DataType::Boolean,
        FieldType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        _ => DataType::Utf8,
    }
}
