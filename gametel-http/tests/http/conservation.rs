//! Of the events of a request each is accepted or refused, whatever they are and whatever the sink
//! does: none is lost, and none is counted twice.

use std::collections::HashSet;
use std::sync::Arc;

use gametel_core::catalog::{Catalog, EventDefinition, FieldDefinition, FieldType};
use gametel_core::sink::{MemorySink, SinkErrorKind};
use gametel_core::testing::{Call, Fault, FaultSink, When};
use gametel_http::{RouteOptions, routes};
use proptest::prelude::*;
use serde_json::Value;

use crate::routes::{body, request};

fn arena() -> Catalog {
    let duel = EventDefinition::new("duel_won")
        .with_field(FieldDefinition::new("winner", FieldType::String).required())
        .with_field(FieldDefinition::new("rounds", FieldType::Int64));
    Catalog::builder("arena").event(duel).build().unwrap()
}

/// One line of a request.
#[derive(Clone, Debug)]
enum Line {
    /// An event that nothing is wrong with.
    Good(String),
    /// Anything else.
    Bad(Vec<u8>),
}

impl Line {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Good(text) => text.as_bytes(),
            Self::Bad(bytes) => bytes,
        }
    }
}

fn good() -> impl Strategy<Value = Line> {
    let more = prop_oneof![
        Just(String::new()),
        "[1-9][0-9]{30,400}".prop_map(|digits| format!(r#","gold":{digits}"#)),
        (1..20_usize).prop_map(|depth| {
            format!(r#","nested":{}{}"#, "[".repeat(depth), "]".repeat(depth))
        }),
        Just(r#","winner":"Bo","winner":"Cy","rounds":3.0"#.to_owned()),
        Just(r#","nul":"\u0000","lone":"\ud800","":1e999"#.to_owned()),
    ];
    (any::<String>(), more).prop_map(|(winner, more)| {
        let winner = serde_json::to_string(&winner).unwrap();
        Line::Good(format!(r#"{{"event_type":"duel_won","winner":{winner}{more}}}"#))
    })
}

fn bad() -> impl Strategy<Value = Line> {
    let known: Vec<&[u8]> = vec![
        br#"{"event_type":"duel_won"}"#,
        br#"{"event_type":"duel_won","winner":7}"#,
        br#"{"event_type":"duel_won","winner":"Ann","rounds":9223372036854775808}"#,
        br#"{"event_type":"duel_won","winner":"Ann","rounds":NaN}"#,
        br#"{"event_type":"duel_won","winner":"Ann","event_id":"7"}"#,
        br#"{"event_type":"duel_won","winner":"Ann","event_ts":-1}"#,
        br#"{"event_type":"duel_won","winner":"Ann","received_ts":1}"#,
        br#"{"event_type":"duel_won","winner":"Ann""#,
        br#"{"event_type":"duel_won","winner":"Ann"},"#,
        br#"{"event_type":"duel_lost"}"#,
        br#"{"event_type":"\ud800"}"#,
        b"{\"event_type\":\"\xff\"}",
        b"{\"event_type\":\"\x00\"}",
        b"\xef\xbb\xbf{}",
        b"{}",
        b"null",
        b"7",
        b"\"duel_won\"",
        b"\x00",
        b"'; DROP TABLE events; --",
    ];
    prop::sample::select(known).prop_map(|bytes| Line::Bad(bytes.to_vec()))
}

fn fault() -> impl Strategy<Value = Option<Fault>> {
    let kind = || {
        prop::sample::select(vec![
            SinkErrorKind::Unavailable,
            SinkErrorKind::Backpressure,
            SinkErrorKind::Rejected,
            SinkErrorKind::TooLarge,
            SinkErrorKind::Config,
        ])
    };
    prop_oneof![
        3 => Just(None),
        1 => kind().prop_map(|kind| Some(Fault::Fail(kind))),
        2 => (1..5_usize, kind()).prop_map(|(every, kind)| Some(Fault::RejectEvery { every, kind })),
        1 => (0..5_usize, kind())
            .prop_map(|(stored, kind)| Some(Fault::FailAfterStoring { stored, kind })),
        1 => Just(Some(Fault::Panic)),
    ]
}

/// What a request with this body is answered, and the ids of what is stored then.
fn post(content_type: &str, sent: &[u8], fault: Option<Fault>) -> (u16, Value, Vec<String>) {
    let sink = Arc::new(FaultSink::new(MemorySink::new()));
    if let Some(fault) = fault {
        sink.inject(Call::Write, When::Always, fault);
    }
    let routes = routes(arena(), Arc::clone(&sink) as _, RouteOptions::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let sent = request("POST", "/v1/events").header("content-type", content_type).body(sent);
    let answer = runtime.block_on(sent.reply(&routes));
    let stored = sink.inner().events();
    let ids = stored.iter().map(|event| event.id().unwrap().to_string());
    (answer.status().as_u16(), body(&answer), ids.collect())
}

/// How many events the answer counts.
fn counted(answer: &Value) -> u64 {
    let counts = ["accepted", "rejected", "quarantined"];
    counts.iter().filter_map(|name| answer[name].as_u64()).sum()
}

/// Checks an answer to these lines against what is stored.
fn check(
    lines: &[Line],
    fault: Option<Fault>,
    (status, answer, stored): (u16, Value, Vec<String>),
) -> Result<(), TestCaseError> {
    prop_assert_eq!(counted(&answer), lines.len() as u64, "{}", &answer);
    let results = answer["results"].as_array().unwrap();
    prop_assert_eq!(results.len(), lines.len());
    let mut accepted = Vec::new();
    for (index, (line, result)) in lines.iter().zip(results).enumerate() {
        prop_assert_eq!(&result["index"], index);
        let is_accepted = result["status"] == "accepted";
        prop_assert!(is_accepted == result.get("error").is_none(), "{}", result);
        match line {
            Line::Good(text) if fault.is_none() => prop_assert!(is_accepted, "{text}: {result}"),
            Line::Good(_) => {}
            Line::Bad(bytes) => prop_assert!(!is_accepted, "{:?}", bytes.escape_ascii()),
        }
        if is_accepted {
            accepted.push(result["event_id"].as_str().unwrap());
        }
    }
    prop_assert_eq!(answer["accepted"].as_u64(), Some(accepted.len() as u64));
    prop_assert_eq!(status == 200, !accepted.is_empty() || lines.is_empty(), "{}", &answer);
    // Nothing is stored twice, and all that was accepted is; more than that only where the sink
    // said of what it had stored that it failed.
    prop_assert_eq!(stored.iter().collect::<HashSet<_>>().len(), stored.len());
    if matches!(fault, Some(Fault::FailAfterStoring { .. })) {
        prop_assert!(accepted.iter().all(|id| stored.iter().any(|stored| stored == id)));
    } else {
        prop_assert_eq!(accepted, stored);
    }
    Ok(())
}

proptest! {
    #[test]
    fn of_lines_every_one_is_accounted_for(
        lines in prop::collection::vec(prop_oneof![good(), bad()], 0..12),
        ends in prop::sample::select(vec!["\n", "\r\n", "\n\n \n"]),
        fault in fault(),
    ) {
        let bytes: Vec<_> = lines.iter().map(Line::bytes).collect();
        let sent = bytes.join(ends.as_bytes());
        check(&lines, fault, post("application/x-ndjson", &sent, fault))?;
    }

    #[test]
    fn of_an_array_every_element_is_accounted_for(
        lines in prop::collection::vec(prop_oneof![good(), bad()], 0..12),
        fault in fault(),
    ) {
        let is_json = |line: &Line| serde_json::from_slice::<&serde_json::value::RawValue>(line.bytes()).is_ok();
        let lines: Vec<_> = lines.into_iter().filter(is_json).collect();
        let elements: Vec<_> = lines.iter().map(Line::bytes).collect();
        let sent = [b"[", &elements.join(&b", "[..])[..], b"]"].concat();
        check(&lines, fault, post("application/json", &sent, fault))?;
    }
}
