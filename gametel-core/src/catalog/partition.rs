use std::fmt;

use super::{Catalog, ColumnSource, DatasetDefinition, DatasetIndex, FieldType};

/// The name of the partition column that holds the day of an event.
const EVENT_DATE: &str = "event_date";

/// By what the rows of a dataset are put into folders: `NAME=VALUE`, as Hive and Spark do.
///
/// ```
/// use gametel_core::catalog::{DatasetDefinition, PartitionBy};
///
/// let joins = DatasetDefinition::new("guild_joins", ["raw_event", "guild"]);
/// let daily = joins.clone().partitioned_by("event_date");
/// assert_eq!(daily.partition_by(), Some(&PartitionBy::EventDate));
/// let by_guild = joins.partitioned_by("guild");
/// assert_eq!(by_guild.partition_by().map(PartitionBy::name), Some("guild"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PartitionBy {
    /// By `event_date`: the day, in UTC, on which the event happened by its `event_ts`; where that
    /// is absent or no time, on which the record was received.
    EventDate,
    /// By one of the dataset's columns, a string, int64 or boolean. As with Spark, the column is then
    /// in the folders' names, and not in the files.
    Column(Box<str>),
}

impl PartitionBy {
    /// The name of the partition column.
    pub fn name(&self) -> &str {
        match self {
            Self::EventDate => EVENT_DATE,
            Self::Column(name) => name,
        }
    }
}

impl From<&str> for PartitionBy {
    /// `event_date` is the event's day, any other name a column's.
    fn from(name: &str) -> Self {
        match name {
            EVENT_DATE => Self::EventDate,
            column => Self::Column(column.into()),
        }
    }
}

impl fmt::Display for PartitionBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Catalog {
    /// The place, among its [`columns`](Self::columns), of the column by which a dataset is
    /// partitioned. None where it is by the event's date, which is no column, or by nothing.
    ///
    /// # Panics
    ///
    /// The index is another catalog's, and past this one's datasets.
    pub fn partition_column(&self, index: DatasetIndex) -> Option<usize> {
        let Some(PartitionBy::Column(name)) = self.dataset(index).partition_by() else {
            return None;
        };
        self.columns(index).iter().position(|column| column.name() == &**name)
    }
}

/// Checks that a dataset can be partitioned as it says, by the types of its columns.
///
/// # Errors
///
/// It can't. The message goes on after the dataset's name.
pub(super) fn check_partition(
    dataset: &DatasetDefinition,
    columns: &[super::TypedColumn],
) -> Result<(), String> {
    let Some(by) = dataset.partition_by() else {
        return Ok(());
    };
    let name = by.name();
    let place = columns.iter().position(|column| column.name().eq_ignore_ascii_case(name));
    let column = match (by, place) {
        (PartitionBy::EventDate, None) => return Ok(()),
        (PartitionBy::EventDate, Some(_)) => {
            return Err(format!(
                "is partitioned by {name:?}, the event's day, and has a column of that name; rename \
                 the column"
            ));
        }
        (PartitionBy::Column(_), Some(place)) if columns[place].name() == name => &columns[place],
        (PartitionBy::Column(_), _) => {
            return Err(format!(
                "is partitioned by {name:?}, which is none of its columns; {EVENT_DATE:?} is the \
                 event's day"
            ));
        }
    };
    let can_be =
        matches!(column.column_type(), FieldType::String | FieldType::Int64 | FieldType::Boolean);
    if !can_be || *column.source() == ColumnSource::RawEvent {
        let column_type = column.column_type();
        let what = match column.source() {
            ColumnSource::RawEvent => "the whole record".to_owned(),
            _ => column_type.to_string(),
        };
        return Err(format!(
            "is partitioned by {name:?}, which is {what}: it can be a string, int64 or boolean"
        ));
    }
    if name.starts_with(['_', '.']) {
        return Err(format!(
            "is partitioned by {name:?}, whose folders are hidden from readers: it starts with _ or ."
        ));
    }
    if columns.len() == 1 {
        return Err(format!("is partitioned by {name:?}, its only column: no other is left"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Column, EventDefinition};

    fn partitioned(by: &str, columns: &[Column]) -> Result<Option<usize>, String> {
        let event = ["guild", "rounds", "event_date", "_x"]
            .into_iter()
            .fold(EventDefinition::new("x").with_dataset("d"), EventDefinition::with_field);
        let dataset = DatasetDefinition::new("d", columns.iter().cloned()).partitioned_by(by);
        let catalog = Catalog::builder("c").event(event).dataset(dataset).build();
        let catalog = catalog.map_err(|error| error.to_string())?;
        let (index, _) = catalog.indexed_datasets().next().expect("there is one");
        Ok(catalog.partition_column(index))
    }

    #[test]
    fn a_dataset_is_partitioned_by_the_day_or_by_a_column_of_few_values() {
        let columns = ["raw_event", "guild", "timestamp"].map(Column::named);
        assert_eq!(partitioned("event_date", &columns), Ok(None));
        assert_eq!(partitioned("guild", &columns), Ok(Some(1)));
        let rounds = |of| [Column::named("guild"), Column::typed("rounds", of)];
        assert_eq!(partitioned("rounds", &rounds(FieldType::Int64)), Ok(Some(1)));
        for (by, columns, message) in [
            ("Guild", &columns[..], "\"Guild\", which is none of its columns; \"event_date\" is"),
            ("raw_event", &columns, "\"raw_event\", which is the whole record: it can be a"),
            ("rounds", &rounds(FieldType::Float64), "\"rounds\", which is float64: it can be a"),
            ("rounds", &rounds(FieldType::Timestamp), "\"rounds\", which is timestamp: it can"),
            ("_x", &["_x".into(), "guild".into()], "\"_x\", whose folders are hidden from readers"),
            ("guild", &columns[1..2], "\"guild\", its only column: no other is left"),
            ("event_date", &["event_date".into()], "\"event_date\", the event's day, and has a"),
        ] {
            let error = partitioned(by, columns).unwrap_err();
            let start = format!("dataset \"d\": is partitioned by {message}");
            assert!(error.starts_with(&start), "{error}");
        }
    }
}
