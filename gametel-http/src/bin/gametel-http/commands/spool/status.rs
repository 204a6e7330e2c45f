use std::io::{self, Write};

use anyhow::Context;
use gametel_core::event::{EventId, Timestamp};
use gametel_core::sink::SinkError;
use gametel_core::sink::spool::{
    DeadLetterCount, RefusedCount, RefusedRecord, SpoolReader, SpoolStatus,
};
use serde::Serialize;

use crate::failure::Failure;

use super::args::{StatusArgs, not_usable};
use super::show;

/// How many reasons are told apart.
const REASONS: usize = 20;

/// How many refused events are read at a time.
const PAGE: usize = 500;

/// What there is in a spool, for a machine.
#[derive(Debug, Serialize)]
struct Report {
    spool: String,
    in_use: bool,
    pending: Pending,
    refused: Refused,
}

#[derive(Debug, Serialize)]
struct Pending {
    events: u64,
    bytes: u64,
    dead_letters: u64,
    /// Seconds since the oldest was spooled.
    oldest_age_seconds: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Refused {
    events: u64,
    bytes: u64,
    dead_letters: u64,
    reasons: Vec<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    records: Option<Vec<Record>>,
}

#[derive(Debug, Serialize)]
struct Reason {
    kind: &'static str,
    reason: String,
    events: u64,
    bytes: u64,
    last_age_seconds: u64,
}

#[derive(Debug, Serialize)]
struct Record {
    number: i64,
    event_id: Option<String>,
    event_type: Option<String>,
    kind: &'static str,
    reason: String,
    age_seconds: u64,
    /// Bytes that are no UTF-8 are replaced.
    payload: String,
}

pub(super) fn run(args: &StatusArgs) -> Result<(), Failure> {
    let failed = |error| not_usable(&args.spool, SinkError::from(error));
    let reader = SpoolReader::open(&args.spool).map_err(failed)?;
    let now = Timestamp::now();
    let status = reader.status().map_err(failed)?;
    let dead_letters = reader.dead_letters().map_err(failed)?;
    let reasons = reader.refused_by_reason(REASONS).map_err(failed)?;
    let records = match args.refused {
        true => Some(refused(&reader, now).map_err(failed)?),
        false => None,
    };
    let report = Report {
        spool: args.spool.display().to_string(),
        in_use: reader.is_in_use(),
        pending: Pending::new(&status, dead_letters, now),
        refused: Refused {
            events: status.refused_events,
            bytes: status.refused_bytes,
            dead_letters: dead_letters.refused,
            reasons: reasons.into_iter().map(|count| Reason::new(count, now)).collect(),
            records,
        },
    };
    let text = if args.json {
        serde_json::to_string(&report).expect("a report has only texts and numbers in it") + "\n"
    } else {
        report.text()
    };
    io::stdout()
        .write_all(text.as_bytes())
        .context("the report can't be written")
        .map_err(Failure::Failed)
}

fn refused(
    reader: &SpoolReader,
    now: Timestamp,
) -> Result<Vec<Record>, gametel_core::sink::spool::SpoolError> {
    let mut records = Vec::new();
    let mut last = 0;
    loop {
        let page = reader.refused(last, PAGE)?;
        let Some(newest) = page.last() else {
            return Ok(records);
        };
        last = newest.record.number;
        records.extend(page.into_iter().map(|refused| Record::new(refused, now)));
    }
}

impl Pending {
    fn new(status: &SpoolStatus, dead_letters: DeadLetterCount, now: Timestamp) -> Self {
        Self {
            events: status.pending_events,
            bytes: status.pending_bytes,
            dead_letters: dead_letters.pending,
            oldest_age_seconds: status.oldest.map(|oldest| show::seconds_since(oldest, now)),
        }
    }
}

impl Reason {
    fn new(count: RefusedCount, now: Timestamp) -> Self {
        Self {
            kind: count.kind.as_str(),
            reason: count.reason,
            events: count.events,
            bytes: count.bytes,
            last_age_seconds: show::seconds_since(count.last, now),
        }
    }
}

impl Record {
    fn new(refused: RefusedRecord, now: Timestamp) -> Self {
        let event = &refused.record.event;
        Self {
            number: refused.record.number,
            event_id: event.id().as_ref().map(EventId::to_string),
            event_type: event.event_type().map(|event_type| event_type.as_str().to_owned()),
            kind: refused.kind.as_str(),
            age_seconds: show::seconds_since(refused.refused_at, now),
            payload: String::from_utf8_lossy(event.payload()).into_owned(),
            reason: refused.reason,
        }
    }
}

impl Report {
    fn text(&self) -> String {
        let use_of_it = if self.in_use { "open in a server" } else { "not in use" };
        let oldest = match self.pending.oldest_age_seconds {
            Some(seconds) => format!(", the oldest {} old", show::age(seconds)),
            None => String::new(),
        };
        let (pending, refused) = (&self.pending, &self.refused);
        let mut text = format!(
            "spool    {} ({use_of_it})\npending  {}, {}{oldest}{}\nrefused  {}, {}{}\n",
            show::printable(&self.spool),
            show::events(pending.events),
            show::bytes(pending.bytes),
            among_them(pending.dead_letters),
            show::events(refused.events),
            show::bytes(refused.bytes),
            among_them(refused.dead_letters),
        );
        for reason in &refused.reasons {
            text += &format!(
                "         {} × {}: {} (last {} ago)\n",
                show::count(reason.events),
                reason.kind,
                show::printable(&reason.reason),
                show::age(reason.last_age_seconds),
            );
        }
        for record in refused.records.iter().flatten() {
            text += &format!(
                "\n#{}  {}  {}, {} ago\n{}: {}\n{}\n",
                record.number,
                show::printable(record.event_type.as_deref().unwrap_or("no event")),
                record.event_id.as_deref().unwrap_or("no id"),
                show::age(record.age_seconds),
                record.kind,
                show::printable(&record.reason),
                show::printable(&record.payload),
            );
        }
        text
    }
}

/// How many of them are dead letters, where any is.
fn among_them(dead_letters: u64) -> String {
    match dead_letters {
        0 => String::new(),
        1 => ", 1 of them a dead letter".to_owned(),
        many => format!(", {} of them dead letters", show::count(many)),
    }
}
