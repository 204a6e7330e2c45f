//! What fails the catalog's fields is kept as a dead letter, and its sender is told.

use std::sync::Arc;

use bytes::Bytes;
use gametel_core::catalog::{Catalog, EventDefinition, FieldDefinition, FieldType};
use gametel_core::event::{EncodedEvent, EventDraft};
use gametel_core::sink::{DeadLetter, MemorySink, SinkErrorKind};
use gametel_http::{OnInvalid, RouteOptions, Validation, routes, service};
use http_body_util::Full;
use serde_json::{Value, json};
use tower_service::Service;

use crate::routes::{body, code, request, text};
use crate::support::FailingSink;

const ID: &str = "0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b";

fn arena() -> Arc<Catalog> {
    let duel_won = EventDefinition::new("duel_won")
        .with_route("/duel_won", "GG\n")
        .with_field(FieldDefinition::new("winner", FieldType::String).required().with_max_length(5))
        .with_field(FieldDefinition::new("rounds", FieldType::Int64).with_minimum(1))
        .with_field(FieldDefinition::new("arena", FieldType::String).with_allowed(["pit"]))
        .with_field(FieldDefinition::new("mood", FieldType::String).with_default("grim"));
    Arc::new(Catalog::builder("arena").event(duel_won).build().unwrap())
}

fn quarantine() -> RouteOptions {
    let validation = Validation::default().with_on_invalid(OnInvalid::Quarantine);
    RouteOptions::default().with_validation(validation)
}

fn values(events: &[EncodedEvent]) -> Vec<Value> {
    events.iter().map(|event| serde_json::from_slice(event.payload()).unwrap()).collect()
}

#[tokio::test]
async fn each_fault_of_a_field_is_refused_with_its_code_and_field() {
    let sink = Arc::new(MemorySink::new());
    let routes = routes(arena(), Arc::clone(&sink) as _, RouteOptions::default());
    for (fields, fault, field) in [
        (json!({}), "missing_field", "winner"),
        (json!({"winner": 7}), "invalid_field", "winner"),
        (json!({"winner": "Ämilie"}), "too_long", "winner"),
        (json!({"winner": "Ann", "rounds": 0}), "out_of_range", "rounds"),
        (json!({"winner": "Ann", "arena": "moon"}), "not_allowed", "arena"),
    ] {
        let answer = request("POST", "/duel_won").body(fields.to_string()).reply(&routes).await;
        assert_eq!((answer.status().as_u16(), &*code(&answer)), (422, fault), "{fields}");
        assert_eq!(body(&answer)["error"]["field"], field, "{}", text(&answer));
        let mut event = fields.clone();
        event["event_type"] = "duel_won".into();
        let answer = request("POST", "/v1/events").body(event.to_string()).reply(&routes).await;
        let error = &body(&answer)["results"][0]["error"];
        assert_eq!((&error["code"], &error["field"]), (&fault.into(), &field.into()), "{fields}");
    }
    assert!(sink.events().is_empty());
}

#[tokio::test]
async fn a_dead_letter_is_stored_apart_and_its_sender_told() {
    let (events, dead) = (Arc::new(MemorySink::new()), Arc::new(MemorySink::named("dead")));
    let sink = Arc::new(DeadLetter::new(Arc::clone(&events), Arc::clone(&dead)));
    let routes = routes(arena(), sink, quarantine());
    let sent = json!([
        {"event_type": "duel_won", "winner": "Ann"},
        {"event_type": "duel_won", "event_id": ID, "event_ts": 17.5, "winner": "Amelia", "x": [1]},
        {"event_type": "duel_lost"},
        {"winner": "Bo"},
    ]);
    let request = request("POST", "/v1/events").header("host", "a.example").body(sent.to_string());
    let answer = request.reply(&routes).await;
    assert_eq!(answer.status(), 200, "{}", text(&answer));
    let answer = body(&answer);
    let counts = ["accepted", "quarantined", "rejected"].map(|name| answer[name].as_u64());
    assert_eq!(counts, [Some(1), Some(1), Some(2)]);
    assert_eq!(
        answer["results"][1],
        json!({
            "index": 1,
            "status": "quarantined",
            "event_id": ID,
            "receipt": {"topic": "dead", "partition": 0, "offset": 0},
            "error": {
                "code": "too_long",
                "message": "the field \"winner\" may have 5 characters, and has 6",
                "field": "winner",
            },
        })
    );
    assert_eq!(answer["results"][2]["error"]["code"], "unknown_event_type");
    assert_eq!(answer["results"][3]["error"]["code"], "missing_event_type");
    assert_eq!(values(&events.events())[0]["winner"], "Ann");

    // The dead letter is the event as it would have been: who corrects the field can send it again.
    let letter = dead.events().remove(0);
    assert_eq!(letter.malformed().map(|why| why.reason.as_str()), Some("too_long"));
    let value = &values(std::slice::from_ref(&letter))[0];
    assert_eq!((&value["event_id"], &value["Host"]), (&ID.into(), &"a.example".into()));
    assert_eq!((&value["mood"], &value["x"]), (&"grim".into(), &json!([1])));
    assert!(value["received_ts"].is_number());
    assert!(EventDraft::from_json(letter.payload()).is_ok());
}

#[tokio::test]
async fn a_catalogs_route_says_of_a_dead_letter_that_it_is_one() {
    let dead = Arc::new(MemorySink::named("dead"));
    let sink = Arc::new(DeadLetter::new(MemorySink::new(), Arc::clone(&dead)));
    let routes = routes(arena(), sink, quarantine());
    // Text that is no number is kept as the text that it is.
    let answer = request("GET", "/duel_won?winner=Ann&rounds=three").reply(&routes).await;
    assert_eq!(answer.status(), 202);
    let id = values(&dead.events())[0]["event_id"].clone();
    assert_eq!(
        body(&answer),
        json!({
            "status": "quarantined",
            "event_id": id,
            "receipt": {"topic": "dead", "partition": 0, "offset": 0},
            "error": {
                "code": "invalid_field",
                "message": "the field \"rounds\" must be an int64, and is \"three\"",
                "field": "rounds",
            },
        })
    );
    assert_eq!(values(&dead.events())[0]["rounds"], "three");
    let answer = request("POST", "/duel_won").body("{oops").reply(&routes).await;
    assert_eq!((answer.status().as_u16(), &*code(&answer)), (400, "invalid_json"));
    let answer = request("GET", "/duel_won?winner=Ann").reply(&routes).await;
    assert_eq!((answer.status().as_u16(), text(&answer)), (200, "GG\n"));
}

#[tokio::test]
async fn a_dead_letter_that_is_not_stored_is_no_success() {
    let dead = Arc::new(FailingSink::new());
    dead.fail(SinkErrorKind::Unavailable);
    let sink = Arc::new(DeadLetter::new(MemorySink::new(), Arc::clone(&dead)));
    let routes = routes(arena(), sink, quarantine());
    let answer = request("GET", "/duel_won").reply(&routes).await;
    assert_eq!((answer.status().as_u16(), &*code(&answer)), (503, "unavailable"));
    let sent = r#"{"event_type":"duel_won"}"#;
    let answer = request("POST", "/v1/events").body(sent).reply(&routes).await;
    assert_eq!((answer.status().as_u16(), &*code(&answer)), (503, "unavailable"));
    assert_eq!(body(&answer)["results"][0]["status"], "rejected");
}

#[tokio::test]
async fn a_dead_letter_says_nothing_of_the_way_that_events_take() {
    let (events, dead) = (Arc::new(FailingSink::new()), Arc::new(FailingSink::new()));
    dead.fail(SinkErrorKind::Unavailable);
    let sink = Arc::new(DeadLetter::new(Arc::clone(&events), Arc::clone(&dead)));
    let routes = routes(arena(), sink, quarantine());
    let get = async |path| request("GET", path).reply(&routes).await.status().as_u16();
    assert_eq!([get("/duel_won").await, get("/healthz/ready").await], [503, 200]);
    // Nor is it a sign that events get through.
    events.fail(SinkErrorKind::Unavailable);
    assert_eq!([get("/duel_won?winner=Ann").await, get("/healthz/ready").await], [503, 503]);
    dead.mend();
    assert_eq!([get("/duel_won").await, get("/healthz/ready").await], [202, 503]);
    events.mend();
    assert_eq!([get("/duel_won?winner=Ann").await, get("/healthz/ready").await], [200, 200]);
}

#[tokio::test]
async fn dead_letters_are_counted_apart_and_by_reason_whichever_way_they_come() {
    let dead = Arc::new(FailingSink::new());
    let sink = Arc::new(DeadLetter::new(MemorySink::new(), Arc::clone(&dead)));
    let mut service = service(arena(), sink, quarantine());
    let mut ask = async |path: &str, body: &str| {
        let method = if body.is_empty() { "GET" } else { "POST" };
        let body = Full::new(Bytes::copy_from_slice(body.as_bytes()));
        let request = http::Request::builder().method(method).uri(path).body(body).unwrap();
        service.call(request).await.unwrap().status().as_u16()
    };
    assert_eq!(ask("/duel_won?winner=Ann", "").await, 200);
    assert_eq!(ask("/duel_won", "").await, 202);
    assert_eq!(ask("/duel_won?winner=Amelia", "").await, 202);
    let letter = format!(r#"{{"event_type":"duel_won","event_id":"{ID}","winner":"Amelia"}}"#);
    let others = r#"{"event_type":"duel_won","winner":"Bo"} {"event_type":"duel_lost"}"#;
    assert_eq!(ask("/v1/events", &format!("{letter} {others}")).await, 200);
    // A repeat is stored once, and one that is not stored is none.
    assert_eq!(ask("/v1/events", &letter).await, 200);
    dead.fail(SinkErrorKind::Unavailable);
    assert_eq!(ask("/duel_won", "").await, 503);
    assert_eq!(ask("/v1/events", r#"{"event_type":"duel_won"}"#).await, 503);

    let totals = service.totals();
    assert_eq!((totals.accepted, totals.quarantined, totals.rejected), (2, 3, 1));
    assert_eq!((totals.repeated, totals.failed), (1, 2));
    assert!(totals.to_string().starts_with("2 accepted, 3 quarantined, 1 repeated, 1 rejected, "));
    let text = service.metrics().render();
    let mut counted: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("gametel_http_"))
        .filter(|line| line.starts_with("quarantined_total{") || line.starts_with("refused_total{"))
        .collect();
    counted.sort_unstable();
    assert_eq!(
        counted,
        [
            r#"quarantined_total{reason="missing_field"} 1"#,
            r#"quarantined_total{reason="too_long"} 2"#,
            r#"refused_total{code="unavailable"} 2"#,
            r#"refused_total{code="unknown_event_type"} 1"#,
        ]
    );
}

#[cfg(feature = "kafka")]
#[tokio::test]
async fn a_topic_of_dead_letters_says_why_each_is_one() {
    use gametel_core::sink::EventSink;
    use gametel_http::sinks::{SinkOptions, open};

    let test = "a_topic_of_dead_letters_says_why_each_is_one";
    let Some(brokers) = gametel_cluster::kafka(test) else {
        return;
    };
    let Some(kcat) = gametel_cluster::program(test, "kcat") else {
        return;
    };
    let topics = ["http-events", "http-dead"].map(gametel_cluster::unique);
    let [events, dead] =
        topics.each_ref().map(|topic| format!("kafka://{brokers}/{topic}").parse().unwrap());
    let sink =
        open(&events, SinkOptions::default().with_dead_letter(dead.clone())).await.unwrap().sink;
    let routes = routes(arena(), Arc::clone(&sink), quarantine());
    for path in ["/duel_won?winner=Ann", "/duel_won?winner=Amelia"] {
        let answer = request("GET", path).reply(&routes).await;
        assert!(answer.status().is_success(), "{}", text(&answer));
    }
    sink.close().await.unwrap();
    let headers = topics.map(|topic| {
        let arguments = ["-C", "-b", &brokers, "-t", &topic, "-e", "-q", "-f", "%h\n"];
        let output = std::process::Command::new(&kcat).args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    });
    let why = "gametel_reason=too_long,gametel_detail=the field \"winner\" may have 5 characters, \
               and has 6\n";
    assert_eq!(headers, ["\n", why]);
}

#[cfg(feature = "log")]
#[tokio::test]
async fn the_log_of_dead_letters_says_why_each_is_one() {
    use gametel_core::endpoint::Endpoint;
    use gametel_core::sink::EventSink;
    use gametel_core::sink::log::LogReader;
    use gametel_http::sinks::{SinkOptions, open};

    let folder = tempfile::tempdir().unwrap();
    let [events, dead] = ["events.db", "dead.db"].map(|name| folder.path().join(name));
    let [to_events, to_dead] = [&events, &dead].map(|path| Endpoint::Sqlite(path.clone()));
    let options = |dead: &Endpoint| SinkOptions::default().with_dead_letter(dead.clone());
    let same = open(&to_events, options(&to_events)).await.unwrap_err();
    assert_eq!(same.kind(), SinkErrorKind::Config);
    let nowhere = Endpoint::Sqlite(folder.path().join("no/such/folder.db"));
    assert!(open(&to_events, options(&nowhere)).await.is_err());

    let sink = open(&to_events, options(&to_dead)).await.unwrap().sink;
    let routes = routes(arena(), Arc::clone(&sink), quarantine());
    for path in ["/duel_won?winner=Ann", "/duel_won?winner=Amelia"] {
        assert!(request("GET", path).reply(&routes).await.status().is_success());
    }
    sink.close().await.unwrap();
    let records = [events, dead].map(|path| LogReader::open(&path).unwrap().read(0, 9).unwrap());
    let headers = records.map(|records| {
        assert_eq!(records.len(), 1);
        records[0].headers.as_deref().map(|text| serde_json::from_str::<Value>(text).unwrap())
    });
    let detail = "the field \"winner\" may have 5 characters, and has 6";
    let why = json!({"gametel_reason": "too_long", "gametel_detail": detail});
    assert_eq!(headers, [None, Some(why)]);
}
