use super::FieldType;

/// One column of a dataset as it is defined: where its values come from, and the type that the
/// dataset gives it, if it does.
///
/// A column without a type of its own has that of the field it is named after, else `string`; see
/// [`Catalog::columns`](super::Catalog::columns).
///
/// ```
/// use gametel_core::catalog::{Column, ColumnSource, FieldType};
///
/// assert_eq!(Column::named("timestamp").source(), &ColumnSource::Timestamp);
/// let sent = Column::typed("event_ts", FieldType::Timestamp);
/// assert_eq!((sent.name(), sent.field_type()), ("event_ts", Some(FieldType::Timestamp)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    source: ColumnSource,
    field_type: Option<FieldType>,
    on_misfit: OnMisfit,
}

/// What becomes of a record that has a value which does not fit a column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnMisfit {
    /// The record goes to quarantine, whole: a table with silent holes would be worse.
    #[default]
    Quarantine,
    /// The record becomes a row all the same, with null in the column, and whoever writes the rows
    /// counts how often. The value is still in `raw_event`, where the dataset has that.
    Null,
}

/// Where the values of a column come from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ColumnSource {
    /// `raw_event`: the record's value, unchanged.
    RawEvent,
    /// `timestamp`: the record's timestamp.
    Timestamp,
    /// The record's top-level member of this name.
    Member(Box<str>),
}

impl ColumnSource {
    fn name(&self) -> &str {
        match self {
            Self::RawEvent => "raw_event",
            Self::Timestamp => "timestamp",
            Self::Member(name) => name,
        }
    }
}

impl Column {
    /// The column that a name stands for: `raw_event` and `timestamp` are the record's, any other
    /// is a member's.
    pub fn named(name: &str) -> Self {
        let source = match name {
            "raw_event" => ColumnSource::RawEvent,
            "timestamp" => ColumnSource::Timestamp,
            other => ColumnSource::Member(other.into()),
        };
        Self { source, field_type: None, on_misfit: OnMisfit::default() }
    }

    /// The column that a name stands for, with a type.
    pub fn typed(name: &str, field_type: FieldType) -> Self {
        Self { field_type: Some(field_type), ..Self::named(name) }
    }

    /// Says what becomes of a record whose value does not fit the column.
    ///
    /// ```
    /// use gametel_core::catalog::{Column, FieldType, OnMisfit};
    ///
    /// let rounds = Column::typed("rounds", FieldType::Int64).with_misfit(OnMisfit::Null);
    /// assert_eq!(rounds.on_misfit(), OnMisfit::Null);
    /// ```
    #[must_use]
    pub fn with_misfit(self, on_misfit: OnMisfit) -> Self {
        Self { on_misfit, ..self }
    }

    /// The column's name.
    pub fn name(&self) -> &str {
        self.source.name()
    }

    /// Where the values come from.
    pub fn source(&self) -> &ColumnSource {
        &self.source
    }

    /// What becomes of a record whose value does not fit the column.
    pub fn on_misfit(&self) -> OnMisfit {
        self.on_misfit
    }

    /// The type that the dataset gives the column, if it does.
    pub fn field_type(&self) -> Option<FieldType> {
        self.field_type
    }
}

impl From<&str> for Column {
    fn from(name: &str) -> Self {
        Self::named(name)
    }
}

impl From<(&str, FieldType)> for Column {
    fn from((name, field_type): (&str, FieldType)) -> Self {
        Self::typed(name, field_type)
    }
}

/// One column of a dataset as it is written: where its values come from, and its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypedColumn {
    source: ColumnSource,
    column_type: FieldType,
    on_misfit: OnMisfit,
}

impl TypedColumn {
    pub(super) fn new(column: &Column, column_type: FieldType) -> Self {
        Self { source: column.source.clone(), column_type, on_misfit: column.on_misfit }
    }

    /// The column's name.
    pub fn name(&self) -> &str {
        self.source.name()
    }

    /// Where the values come from.
    pub fn source(&self) -> &ColumnSource {
        &self.source
    }

    /// The type of the values; all of them may be null.
    pub fn column_type(&self) -> FieldType {
        self.column_type
    }

    /// What becomes of a record whose value does not fit the column.
    pub fn on_misfit(&self) -> OnMisfit {
        self.on_misfit
    }

    /// Whether there are values that do not fit.
    pub(super) fn may_misfit(&self) -> bool {
        matches!(self.source, ColumnSource::Member(_))
            && !matches!(self.column_type, FieldType::String | FieldType::Json)
    }

    /// The member whose values may cost a record its row, if it is one's and that can be.
    pub(super) fn checked_member(&self) -> Option<&str> {
        match &self.source {
            ColumnSource::Member(name)
                if self.may_misfit() && self.on_misfit == OnMisfit::Quarantine =>
            {
                Some(name)
            }
            _ => None,
        }
    }
}
