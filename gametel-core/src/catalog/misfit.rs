use crate::codec::visit_members;
use crate::event::{EncodedEvent, Malformed, QuarantineReason};

use super::check::start_of;
use super::{Catalog, Classification, TypedColumn};

impl Catalog {
    /// Checks that an event fits the columns of the dataset that it lands in. An event that lands
    /// in none fits, and so does one of a dataset whose columns are all strings, which costs no look at
    /// its members.
    ///
    /// A column of the rule [`OnMisfit::Null`](super::OnMisfit::Null) refuses nothing: whoever makes
    /// the row puts null there.
    ///
    /// What is refused is for the quarantine, whole, rather than a row with a hole in it that
    /// nobody knows of: see [`EncodedEvent::into_malformed`].
    ///
    /// ```
    /// use gametel_core::catalog::{Catalog, DatasetDefinition, EventDefinition, FieldDefinition, FieldType};
    /// use gametel_core::event::{EventDraft, Stamp};
    ///
    /// let rounds = FieldDefinition::new("rounds", FieldType::Int64);
    /// let catalog = Catalog::builder("arena")
    ///     .event(EventDefinition::new("duel_won").with_field(rounds).with_dataset("duels"))
    ///     .dataset(DatasetDefinition::new("duels", ["rounds"]))
    ///     .build()?;
    /// let draft = EventDraft::from_json(br#"{"event_type": "duel_won", "rounds": "three"}"#)?;
    /// let misfit = catalog.check_columns(&draft.encode(&[], Stamp::now())?).unwrap_err();
    /// assert_eq!(
    ///     misfit.to_string(),
    ///     r#"column_type_mismatch: dataset "duels": the column "rounds" is int64, not "three""#
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first column, in their order, that can't hold what the event has for it; or the event is
    /// no JSON object, which it was when it was decoded.
    pub fn check_columns(&self, event: &EncodedEvent) -> Result<(), Malformed> {
        if !self.checked.contains(&true) {
            return Ok(());
        }
        let index = match self.classify(event) {
            Classification::Dataset(index) if self.checked[index.as_usize()] => index,
            _ => return Ok(()),
        };
        let columns = self.columns(index);
        let mut values = vec![None; columns.len()];
        visit_members(event.payload(), |name, value| {
            let of_this_name = |column: &TypedColumn| column.checked_member() == Some(name);
            if let Some(place) = columns.iter().position(of_this_name) {
                values[place] = Some(value);
            }
        })?;
        for (column, value) in columns.iter().zip(values) {
            if let Some(value) = value
                && column.column_type().read(value).is_err()
            {
                let (dataset, value) = (self.dataset(index).name(), start_of(value));
                let (column, column_type) = (column.name(), column.column_type());
                return Err(Malformed::new(
                    QuarantineReason::ColumnTypeMismatch,
                    format_args!(
                        "dataset {dataset:?}: the column {column:?} is {column_type}, not {value}"
                    ),
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Column, DatasetDefinition, EventDefinition, FieldType, OnMisfit};
    use crate::event::{EventId, EventType, Timestamp};

    fn check(payload: &'static str) -> Result<(), String> {
        let columns = DatasetDefinition::new("d", ["raw_event", "timestamp", "note"])
            .with_column(("event_ts", FieldType::Timestamp))
            .with_column(("a", FieldType::Boolean))
            .with_column(Column::typed("b", FieldType::Int64).with_misfit(OnMisfit::Null));
        let catalog = Catalog::builder("c")
            .event(
                EventDefinition::new("x")
                    .with_field("note")
                    .with_field("a")
                    .with_field("b")
                    .with_dataset("d"),
            )
            .event(EventDefinition::new("elsewhere"))
            .dataset(columns)
            .build()
            .unwrap();
        let at = Timestamp::from_micros(0);
        let event_type = if payload.contains("elsewhere") { "elsewhere" } else { "x" };
        let event =
            EncodedEvent::new(EventId::new(at), EventType::new(event_type), payload.into(), at);
        catalog.check_columns(&event).map_err(|misfit| misfit.to_string())
    }

    #[test]
    fn an_event_fits_or_says_what_does_not() {
        for payload in [
            r#"{}"#,
            r#"{"a":null,"event_ts":17.5,"note":[1],"b":"no"}"#,
            r#"{"a":"no","a":true}"#,
            r#"{"elsewhere":1,"a":"no"}"#,
        ] {
            assert_eq!(check(payload), Ok(()), "{payload}");
        }
        let prefix = "column_type_mismatch: dataset \"d\": the column ";
        for (payload, message) in [
            (r#"{"a":"no","event_ts":1.0}"#, r#""a" is boolean, not "no""#),
            (r#"{"a":0,"event_ts":"noon"}"#, r#""event_ts" is timestamp, not "noon""#),
            (r#"{"a":true,"a":[]}"#, r#""a" is boolean, not []"#),
        ] {
            assert_eq!(check(payload), Err(format!("{prefix}{message}")), "{payload}");
        }
    }
}
