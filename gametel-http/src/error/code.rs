//! Every code that an error can have, in one list: what the server answers, what the OpenAPI document
//! says, and the README's table.

use http::StatusCode;

use self::Concern::{
    Any, Batch, BatchedEvent, Body, Field, Json, Key, Load, Path, Permission, Route, Schema, Sink,
};

/// A code of the API's errors: stable, since clients match on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ErrorCode {
    pub(crate) code: &'static str,
    /// The status of a request that is refused for this alone.
    pub(crate) status: StatusCode,
    pub(crate) concern: Concern,
    /// What a client does about it.
    pub(crate) advice: &'static str,
}

/// What an error is about, and thereby which requests can meet it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Concern {
    /// Path and method: no request that the document describes.
    Path,
    /// The schema that was asked for.
    Schema,
    /// The head of the request, and whether the server is whole: every request.
    Any,
    /// Who sends the request: every one but those for health, where there are keys.
    Key,
    /// Whether the key allows what is sent: every request that stores, where there are keys.
    Permission,
    /// How much the server has to do: every request that stores.
    Load,
    /// The bytes of a body, of every request that has one.
    Body,
    /// A request to `/v1/events` as a whole.
    Batch,
    /// An event that is written as JSON.
    Json,
    /// An event at a route of its own, written as JSON.
    Route,
    /// An event at `/v1/events`.
    BatchedEvent,
    /// The fields of any event.
    Field,
    /// What the sink said of any event.
    Sink,
}

impl Concern {
    /// Whether it is about one event, be it alone or among others.
    fn is_one_event(self) -> bool {
        matches!(self, Json | Route | BatchedEvent | Field | Sink)
    }
}

/// All of them, in the order of the README's table. A new code is a line here.
pub(crate) const ERROR_CODES: &[ErrorCode] = &[
    code(400, "invalid_json", Json, "correct the body"),
    code(400, "invalid_utf8", Json, "correct the body"),
    code(400, "not_an_object", Json, "correct the body"),
    code(400, "incomplete_body", Body, "send it again, in full"),
    code(400, "invalid_encoding", Body, "compress the body as `Content-Encoding` says"),
    code(400, "conflicting_credentials", Key, "send one key, in one header"),
    code(
        401,
        "unauthorized",
        Key,
        "send a key that is known and has not expired; `WWW-Authenticate` says how",
    ),
    code(
        403,
        "forbidden_event_type",
        Permission,
        "use a key that allows the event type, or have it allowed",
    ),
    code(404, "not_found", Path, "correct the path"),
    code(404, "unknown_schema", Schema, "take a type that `/v1/schema` lists"),
    code(405, "method_not_allowed", Path, "use a method of the header `Allow`"),
    code(408, "body_timeout", Body, "send the body faster, or in smaller parts"),
    code(413, "body_too_large", Body, "send fewer events in one request"),
    code(413, "too_many_events", Batch, "send fewer events in one request"),
    code(
        413,
        "too_large",
        Sink,
        "make the event smaller; neither server nor sink will ever take it",
    ),
    code(414, "uri_too_long", Any, "send the fields in the body of a POST"),
    code(415, "unsupported_encoding", Body, "use a coding of the header `Accept-Encoding`"),
    code(422, "missing_event_type", BatchedEvent, "correct the event"),
    code(422, "event_type_not_a_string", BatchedEvent, "correct the event"),
    code(422, "invalid_event_type", BatchedEvent, "correct the event"),
    code(422, "event_type_mismatch", Route, "correct the event"),
    code(422, "invalid_event_id", Json, "correct the event"),
    code(422, "invalid_event_ts", Json, "correct the event"),
    code(422, "invalid_event", Json, "correct the event"),
    code(422, "missing_field", Field, "give the field in the member `field` a value of its type"),
    code(422, "invalid_field", Field, "give the field in the member `field` a value of its type"),
    code(422, "too_long", Field, "give the field in the member `field` a value within its limits"),
    code(
        422,
        "out_of_range",
        Field,
        "give the field in the member `field` a value within its limits",
    ),
    code(
        422,
        "not_allowed",
        Field,
        "give the field in the member `field` a value within its limits",
    ),
    code(422, "too_deep", Json, "nest the event's JSON less deep"),
    code(
        422,
        "unknown_event_type",
        BatchedEvent,
        "correct `event_type`, or add the event to the catalog",
    ),
    code(
        422,
        "rejected",
        Sink,
        "tell whoever runs the server; its log says why the destination refuses the event",
    ),
    code(422, "all_rejected", Batch, "look at the code of each result"),
    code(429, "rate_limited", Load, "send the same again after `Retry-After` seconds"),
    code(431, "too_many_headers", Any, "send fewer headers"),
    code(500, "config", Sink, "tell whoever runs the server; its log says more"),
    code(500, "internal_error", Any, "tell whoever runs the server; its log says more"),
    code(501, "unsupported_transfer_encoding", Any, "compress with `Content-Encoding`"),
    code(503, "overloaded", Load, "send the same again after `Retry-After` seconds"),
    code(503, "unavailable", Sink, "send the same again after `Retry-After` seconds"),
    code(503, "backpressure", Sink, "send the same again after `Retry-After` seconds"),
    code(503, "io", Sink, "send the same again after `Retry-After` seconds"),
    code(503, "closed", Sink, "send the same again after `Retry-After` seconds"),
];

/// Whether the code is in the list.
pub(crate) fn is_known(code: &str) -> bool {
    ERROR_CODES.iter().any(|known| known.code == code)
}

/// Whether the status is the code's: its own, or that of a request whose only event it is about.
pub(crate) fn has_status(code: &str, status: StatusCode) -> bool {
    ERROR_CODES.iter().filter(|known| known.code == code).any(|known| {
        let alone = status == StatusCode::UNPROCESSABLE_ENTITY && known.concern.is_one_event();
        known.status == status || alone
    })
}

const fn code(
    status: u16,
    code: &'static str,
    concern: Concern,
    advice: &'static str,
) -> ErrorCode {
    let Ok(status) = StatusCode::from_u16(status) else { panic!("that is no status") };
    ErrorCode { code, status, concern, advice }
}

#[cfg(test)]
mod tests {
    use gametel_core::codec::DraftError;
    use gametel_core::event::{EventType, QuarantineReason};
    use gametel_core::sink::SinkErrorKind;

    use super::*;

    /// The rows of the README's table: codes of one status and one advice stand together.
    fn table() -> String {
        let same = |a: &ErrorCode, b: &ErrorCode| (a.status, a.advice) == (b.status, b.advice);
        let rows = ERROR_CODES.chunk_by(same).map(|row| {
            let codes: Vec<_> = row.iter().map(|known| format!("`{}`", known.code)).collect();
            format!("| {} | {} | {} |\n", row[0].status.as_u16(), codes.join(", "), row[0].advice)
        });
        rows.collect()
    }

    #[test]
    fn the_readme_has_the_list() {
        let readme = include_str!("../../README.md");
        let table = format!("| status | code | what to do |\n|---|---|---|\n{}\n", table());
        assert!(readme.contains(&table), "the README's table of errors should be\n{table}");
    }

    #[test]
    fn a_code_has_its_status_or_that_of_an_event_that_is_refused() {
        let event = StatusCode::UNPROCESSABLE_ENTITY;
        assert!(has_status("not_found", StatusCode::NOT_FOUND));
        assert!(has_status("invalid_json", event) && has_status("rejected", event));
        assert!(!has_status("not_found", event) && !has_status("overloaded", event));
        assert!(!has_status("invalid_json", StatusCode::NOT_FOUND));
    }

    #[test]
    fn no_code_stands_twice_and_each_is_snake_case() {
        for (index, known) in ERROR_CODES.iter().enumerate() {
            let code = known.code;
            assert!(ERROR_CODES[..index].iter().all(|other| other.code != code), "{code}");
            assert!(
                code.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_')),
                "{code}"
            );
        }
    }

    #[test]
    fn the_list_has_what_core_calls_the_failures() {
        use QuarantineReason::{
            EventTypeNotAString, InvalidField, InvalidJson, InvalidUtf8, MissingEventType,
            MissingField, NotAllowed, NotAnObject, OutOfRange, TooLong,
        };
        use SinkErrorKind::{Backpressure, Closed, Config, Io, Rejected, TooLarge, Unavailable};
        let kinds = [Backpressure, Closed, Config, Io, Rejected, TooLarge, Unavailable];
        let events = [EventTypeNotAString, InvalidJson, InvalidUtf8, MissingEventType, NotAnObject];
        let fields = [InvalidField, MissingField, NotAllowed, OutOfRange, TooLong];
        let mismatch = DraftError::EventTypeMismatch { expected: EventType::new("tick") };
        let names = kinds.iter().map(|kind| kind.as_str());
        let reasons = events.iter().chain(&fields).map(|reason| reason.as_str());
        for name in names.chain(reasons).chain([mismatch.code()]) {
            assert!(is_known(name), "{name}");
        }
    }
}
