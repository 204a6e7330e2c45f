//! Which type each column has, and whether anything can be in it.

use crate::codec::ENVELOPE;

use super::check::start_of;
use super::{Column, ColumnSource, EventDefinition, FieldType, OnMisfit, TypedColumn};

/// Finds the type of a column of a dataset, by the events that land there and the headers that
/// events may carry.
///
/// # Errors
///
/// Nothing has a value for the column, the events disagree about its type, it can't hold what
/// they have, or it says what becomes of misfits and can have none. The message goes on after the dataset's and the column's name.
pub(super) fn resolve<'a>(
    column: &Column,
    events: impl Iterator<Item = &'a EventDefinition> + Clone,
    headers: &[&str],
) -> Result<TypedColumn, String> {
    let given = column.field_type();
    let column_type = match column.source() {
        ColumnSource::RawEvent => of_the_record(given, &[FieldType::String])?,
        ColumnSource::Timestamp => {
            of_the_record(given, &[FieldType::String, FieldType::Timestamp])?
        }
        ColumnSource::Member(name) => of_a_member(name, given, events, headers)?,
    };
    let typed = TypedColumn::new(column, column_type);
    if typed.on_misfit() != OnMisfit::default() && !typed.may_misfit() {
        return Err(format!("takes every value as {column_type}, so that none is a misfit"));
    }
    Ok(typed)
}

fn of_the_record(given: Option<FieldType>, can_be: &[FieldType]) -> Result<FieldType, String> {
    let column_type = given.unwrap_or(FieldType::String);
    if can_be.contains(&column_type) {
        return Ok(column_type);
    }
    let names: Vec<_> = can_be.iter().map(|can_be| can_be.as_str()).collect();
    Err(format!("has the type {column_type}: it can be {}", names.join(" or ")))
}

fn of_a_member<'a>(
    name: &str,
    given: Option<FieldType>,
    events: impl Iterator<Item = &'a EventDefinition> + Clone,
    headers: &[&str],
) -> Result<FieldType, String> {
    if let Some(own) = envelope_type(name) {
        return match given {
            Some(given) if !given.can_hold(own) => Err(format!("can't be {given}: it is {own}")),
            given => Ok(given.unwrap_or(FieldType::String)),
        };
    }
    let is_header = headers.contains(&name);
    let mut sources = Vec::new();
    for event in events.clone() {
        let event_type = event.event_type();
        match event.field(name) {
            // An untyped field can hold anything, so a column may say what it is to be.
            Some(field) if field.field_type().is_none() && given.is_some() => {}
            Some(field) => sources.push((format!("of {event_type:?}"), field.column_type())),
            None if is_header => sources.push(("of the header".to_owned(), FieldType::String)),
            None => {}
        }
    }
    check_member(name, &RECORD, events, headers)?;
    if let Some(given) = given {
        let held = |(_, of): &&(String, FieldType)| !given.can_hold(*of);
        return match sources.iter().find(held) {
            Some((whose, of)) => Err(format!("can't be {given}: that {whose} is {of}")),
            None => Ok(given),
        };
    }
    let Some((whose, column_type)) = sources.first() else {
        return Ok(FieldType::String);
    };
    match sources.iter().find(|(_, other)| other != column_type) {
        None => Ok(*column_type),
        Some((other, of)) => Err(format!(
            "has two types: that {whose} is {column_type}, that {other} is {of}; give the column \
             a type that holds both, such as string"
        )),
    }
}

/// What a column can have of the record itself.
const RECORD: [&str; 2] = ["raw_event", "timestamp"];

/// Checks that any event that lands there can have a member of this name. What is there `beside` the
/// members is named in the error, too.
///
/// # Errors
///
/// None can. The message goes on after the name.
pub(super) fn check_member<'a>(
    name: &str,
    beside: &[&'a str],
    events: impl Iterator<Item = &'a EventDefinition> + Clone,
    headers: &[&str],
) -> Result<(), String> {
    let is_field = events.clone().any(|event| event.field(name).is_some());
    if is_field || headers.contains(&name) || ENVELOPE.contains(&name) {
        return Ok(());
    }
    Err(unknown(name, beside, events, headers))
}

/// The type that the encoder writes a name of the envelope with.
fn envelope_type(name: &str) -> Option<FieldType> {
    ENVELOPE.contains(&name).then_some(match name {
        "event_ts" | "received_ts" => FieldType::Float64,
        _ => FieldType::String,
    })
}

fn unknown<'a>(
    name: &str,
    beside: &[&'a str],
    events: impl Iterator<Item = &'a EventDefinition>,
    headers: &[&str],
) -> String {
    let mut known = beside.to_vec();
    known.extend(ENVELOPE);
    for field in events.flat_map(EventDefinition::fields) {
        if !known.contains(&field.name()) {
            known.push(field.name());
        }
    }
    known.extend(headers);
    // Most likely a header whose case is wrong, or a field that nobody declared.
    let near = known.iter().find(|known| known.eq_ignore_ascii_case(name));
    let hint = near.map_or_else(String::new, |near| format!(", {near:?} is meant?"));
    let known = start_of_list(&known);
    format!(
        "is in no event that lands there{hint} (there is: {known}; other headers go in headers)"
    )
}

/// A catalog's names with commas between, as far as a line can take them.
fn start_of_list(names: &[&str]) -> String {
    const SHOWN: usize = 20;
    let shown: Vec<_> = names.iter().take(SHOWN).map(|name| start_of(name)).collect();
    let more = if names.len() > SHOWN { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::FieldDefinition;

    fn event(name: &str, field: Option<(&str, Option<FieldType>)>) -> EventDefinition {
        let event = EventDefinition::new(name);
        match field {
            None => event,
            Some((field, None)) => event.with_field(field),
            Some((field, Some(of))) => event.with_field(FieldDefinition::new(field, of)),
        }
    }

    fn resolved(
        column: impl Into<Column>,
        events: &[EventDefinition],
    ) -> Result<FieldType, String> {
        let column = resolve(&column.into(), events.iter(), &["Host"])?;
        Ok(column.column_type())
    }

    #[test]
    fn a_column_has_the_type_of_its_field_unless_told_otherwise() {
        use FieldType::{Boolean, Float64, Int64, Json, String, Timestamp};
        let of = |field_type| [event("x", Some(("f", field_type))), event("y", None)];
        for (column, events, expected) in [
            (Column::named("f"), of(Some(Int64)), Int64),
            (Column::named("f"), of(None), String),
            (Column::typed("f", Boolean), of(None), Boolean),
            (Column::typed("f", Float64), of(Some(Int64)), Float64),
            (Column::typed("f", Timestamp), of(Some(String)), Timestamp),
            (Column::typed("f", Json), of(Some(Int64)), Json),
            (Column::named("event_ts"), of(None), String),
            (Column::typed("received_ts", Timestamp), of(None), Timestamp),
            (Column::named("event_id"), of(None), String),
            (Column::named("Host"), of(None), String),
            (Column::named("timestamp"), of(None), String),
            (Column::typed("timestamp", Timestamp), of(None), Timestamp),
            (Column::named("raw_event"), of(None), String),
        ] {
            assert_eq!(resolved(column.clone(), &events), Ok(expected), "{column:?}");
        }
    }

    #[test]
    fn a_type_that_can_not_be_is_refused_with_the_names() {
        use FieldType::{Boolean, Int64, Json, String};
        let clash = [event("x", Some(("f", Some(Int64)))), event("y", Some(("f", Some(String))))];
        for (column, events, message) in [
            (
                Column::named("f"),
                &clash[..],
                "has two types: that of \"x\" is int64, that of \"y\" is string; give the column a \
                 type that holds both, such as string",
            ),
            (Column::typed("f", Int64), &clash, "can't be int64: that of \"y\" is string"),
            (Column::typed("f", Boolean), &clash, "can't be boolean: that of \"x\" is int64"),
            (
                Column::named("Host"),
                &[event("x", Some(("Host", Some(Int64)))), event("y", None)],
                "has two types: that of \"x\" is int64, that of the header is string;",
            ),
            (
                Column::typed("Host", Int64),
                &[event("y", None)],
                "can't be int64: that of the header is string",
            ),
            (Column::typed("event_ts", Boolean), &[], "can't be boolean: it is float64"),
            (Column::typed("event_type", Int64), &[], "can't be int64: it is string"),
            (Column::typed("raw_event", Json), &[], "has the type json: it can be string"),
            (
                Column::typed("timestamp", Int64),
                &[],
                "has the type int64: it can be string or timestamp",
            ),
        ] {
            let error = resolved(column.clone(), events).unwrap_err();
            assert!(error.starts_with(message), "{column:?} gave {error:?}");
        }
        let nulled = Column::named("f").with_misfit(OnMisfit::Null);
        let error = resolved(nulled, &[event("x", Some(("f", None)))]).unwrap_err();
        assert_eq!(error, "takes every value as string, so that none is a misfit");
        let both = Column::typed("f", String);
        assert_eq!(resolved(both, &clash), Ok(String));
    }
}
