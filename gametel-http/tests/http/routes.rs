//! The routes without a socket, over a sink that can be looked into.

use std::sync::Arc;

use bytes::Bytes;
use gametel_core::catalog::Catalog;
use gametel_core::header::HeaderRule;
use gametel_core::sink::{EventSink, MemorySink, SinkErrorKind};
use gametel_http::{Limits, RouteOptions, routes};
use serde_json::{Value, json};
use warp::Filter;
use warp::http::Response;
use warp::test::RequestBuilder;

use crate::support::{FailingSink, GatedSink};

/// The catalog `game` on a sink.
fn game(
    sink: Arc<dyn EventSink>,
) -> impl Filter<Extract = (warp::reply::Response,), Error = warp::Rejection> + Clone {
    routes(Catalog::game(), sink, RouteOptions::default())
}

async fn ask(sink: &Arc<MemorySink>, request: RequestBuilder) -> Response<Bytes> {
    let sink: Arc<dyn EventSink> = Arc::clone(sink) as _;
    request.reply(&game(sink)).await
}

pub(crate) fn request(method: &str, path: &str) -> RequestBuilder {
    warp::test::request().method(method).path(path)
}

pub(crate) fn events(sink: &MemorySink) -> Vec<Value> {
    let events = sink.events();
    events.iter().map(|event| serde_json::from_slice(event.payload()).unwrap()).collect()
}

pub(crate) fn text(response: &Response<Bytes>) -> &str {
    std::str::from_utf8(response.body()).unwrap()
}

pub(crate) fn body(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}

pub(crate) fn code(response: &Response<Bytes>) -> String {
    assert_eq!(response.headers()["content-type"], "application/json");
    body(response)["error"]["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn each_route_records_its_event_and_answers_with_its_exact_body() {
    for (path, reply, event_type) in [
        ("/", "\nThis is the default response!\n", "default"),
        ("/purchase_a_sword", "Sword Purchased!\n", "purchase_sword"),
        ("/purchase_a_shield", "\nShield Purchased!\n", "purchase_shield"),
        ("/purchase_a_spear", "\nSpear Purchased!\n", "purchase_spear"),
        ("/purchase_a_potion", "\nPotion Purchased", "purchase_potion"),
        ("/join_guild", "\nGuild Joined!\n", "join_guild"),
    ] {
        for method in ["GET", "POST"] {
            let sink = Arc::new(MemorySink::new());
            let sent = request(method, path)
                .header("host", "user1.comcast.com")
                .header("user-agent", "ApacheBench/2.3")
                .header("accept", "*/*")
                .header("cookie", "session=secret");
            let response = ask(&sink, sent).await;
            assert_eq!((response.status().as_u16(), text(&response)), (200, reply));
            assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
            let events = events(&sink);
            let [event] = &events[..] else { panic!("{events:?}") };
            assert_eq!(event["event_type"], event_type);
            assert_eq!(event["Host"], "user1.comcast.com");
            assert_eq!(event["User-Agent"], "ApacheBench/2.3");
            assert_eq!(event["Accept"], "*/*");
            assert!(event["event_ts"].is_f64() && event["event_id"].is_string(), "{event}");
            assert!(!event.to_string().contains("secret"), "{event}");
            let potion = (event_type == "purchase_potion").then_some("heals you for 50 hp");
            assert_eq!(event.get("description").and_then(Value::as_str), potion);
        }
    }
}

#[tokio::test]
async fn a_guild_comes_from_the_query_or_the_body() {
    let sink = Arc::new(MemorySink::new());
    let form = "application/x-www-form-urlencoded";
    let id = "0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b";
    let own_id = format!("{{\"guild\":\"Newts\",\"event_id\":\"{id}\",\"event_ts\":17.50}}");
    for sent in [
        request("GET", "/join_guild?guild=Night+Watch&utm=1"),
        request("POST", "/join_guild?guild=Bats").header("content-type", form).body("guild=Owls"),
        request("POST", "/join_guild").header("content-type", form).body(own_id),
    ] {
        assert_eq!(ask(&sink, sent).await.status(), 200);
    }
    let events = events(&sink);
    let guilds: Vec<_> = events.iter().map(|event| event["guild"].clone()).collect();
    assert_eq!(guilds, ["Night Watch", "Owls", "Newts"]);
    assert_eq!((&events[2]["event_id"], &events[2]["event_ts"]), (&json!(id), &json!(17.5)));
    assert_eq!(events[0].get("utm"), None);
}

#[tokio::test]
async fn nothing_is_answered_before_the_sink_has_accepted() {
    let sink = Arc::new(GatedSink::new());
    let routes = game(Arc::clone(&sink) as _);
    let answer =
        tokio::spawn(async move { request("GET", "/purchase_a_sword").reply(&routes).await });
    sink.next_arrival().await;
    assert!(!answer.is_finished());
    assert_eq!(sink.memory.events().len(), 0);
    sink.gate.add_permits(1);
    assert_eq!(answer.await.unwrap().status(), 200);
    assert_eq!(sink.memory.events().len(), 1);
}

#[tokio::test]
async fn a_request_that_is_refused_records_nothing() {
    let sink = Arc::new(MemorySink::new());
    for (method, path, sent, status, refusal) in [
        ("DELETE", "/purchase_a_sword", "", 405, "method_not_allowed"),
        ("OPTIONS", "/", "", 405, "method_not_allowed"),
        ("GET", "/v1/events", "", 405, "method_not_allowed"),
        ("POST", "/healthz/live", "", 405, "method_not_allowed"),
        ("POST", "/purchase_a_sword", "{\"a\":", 400, "invalid_json"),
        ("POST", "/purchase_a_sword", "[]", 400, "not_an_object"),
        ("POST", "/purchase_a_sword", "{\"event_id\":\"7\"}", 422, "invalid_event_id"),
        ("POST", "/purchase_a_sword", "{\"event_ts\":1795486294303}", 422, "invalid_event_ts"),
        ("POST", "/purchase_a_sword", "{\"event_type\":\"x\"}", 422, "event_type_mismatch"),
        ("POST", "/v1/events", "", 400, "invalid_json"),
        ("POST", "/v1/events", "hello", 400, "invalid_json"),
        ("POST", "/v1/events", "{\"event_type\":", 400, "invalid_json"),
        ("POST", "/v1/events", "[{\"event_type\":\"purchase_sword\"},]", 400, "invalid_json"),
        ("POST", "/v1/events", "7", 400, "not_an_object"),
        ("POST", "/v1/events", "{}", 422, "missing_event_type"),
        ("POST", "/v1/events", "{\"event_type\":1}", 422, "event_type_not_a_string"),
        ("POST", "/v1/events", "{\"event_type\":\"x\"}", 422, "unknown_event_type"),
        ("POST", "/v1/events", "[{},{\"event_type\":\"x\"}]", 422, "all_rejected"),
    ] {
        let response = ask(&sink, request(method, path).body(sent)).await;
        assert_eq!(response.status(), status, "{method} {path} {sent}");
        assert_eq!(code(&response), refusal, "{method} {path} {sent}");
        assert_eq!(response.headers().contains_key("allow"), status == 405, "{method} {path}");
    }
    let head = ask(&sink, request("HEAD", "/purchase_a_sword")).await;
    assert_eq!(
        (head.status().as_u16(), &head.headers()["allow"]),
        (405, &"GET, POST".parse().unwrap())
    );
    assert_eq!(sink.events().len(), 0);
}

#[tokio::test]
async fn events_arrive_as_object_array_or_lines() {
    let sink = Arc::new(MemorySink::new());
    let post = |body: &str| request("POST", "/v1/events").header("host", "h").body(body);

    let one =
        ask(&sink, post("{\n \"event_type\": \"purchase_potion\",\n \"price\": 1.10\n}")).await;
    let id = sink.events()[0].id().unwrap().to_string();
    let receipt = json!({"topic": "memory", "partition": 0, "offset": 0});
    let result = json!({"index": 0, "status": "accepted", "event_id": id, "receipt": receipt});
    assert_eq!(body(&one), json!({"accepted": 1, "rejected": 0, "results": [result]}));
    let stored = String::from_utf8(sink.events()[0].payload().to_vec()).unwrap();
    assert!(stored.ends_with(r#""price":1.10,"description":"heals you for 50 hp","Host":"h"}"#));

    let array =
        r#"[{"event_type":"purchase_sword"}, {"event_type":"axe"}, {"event_type":"default"}]"#;
    let lines =
        "{\"event_type\":\"purchase_sword\"}\n{\"event_type\":\n{\"event_type\":\"default\"}\n";
    for (sent, refusal) in [(array, "unknown_event_type"), (lines, "invalid_json")] {
        let answer = body(&ask(&sink, post(sent)).await);
        assert_eq!((&answer["accepted"], &answer["rejected"]), (&json!(2), &json!(1)), "{answer}");
        assert_eq!(answer["results"][1]["error"]["code"], refusal);
        assert_eq!(answer["results"][2]["status"], "accepted");
        assert_eq!(answer.get("error"), None);
    }
    assert_eq!(
        body(&ask(&sink, post("[]")).await),
        json!({"accepted": 0, "rejected": 0, "results": []})
    );
    assert_eq!(sink.events().len(), 5);
}

#[tokio::test]
async fn what_is_too_much_is_refused() {
    let sink = Arc::new(MemorySink::new());
    let options =
        RouteOptions::default().with_limits(Limits::default().with_body_bytes(100).with_events(3));
    let routes = routes(Catalog::game(), Arc::clone(&sink) as _, options);
    let post = |path: &str, body: String| request("POST", path).body(body).reply(&routes);
    for path in ["/v1/events", "/purchase_a_sword"] {
        let response = post(path, format!("{{\"a\":\"{}\"}}", "x".repeat(100))).await;
        assert_eq!((response.status().as_u16(), &*code(&response)), (413, "body_too_large"));
    }
    let response = post("/v1/events", "[1,2,3,4]".to_owned()).await;
    assert_eq!((response.status().as_u16(), &*code(&response)), (413, "too_many_events"));
    assert_eq!(sink.events().len(), 0);
}

#[tokio::test]
async fn a_sink_that_fails_is_an_answer_that_says_when_to_come_back() {
    let sink = Arc::new(FailingSink::new());
    let routes = game(Arc::clone(&sink) as _);
    for (kind, status, retry) in [
        (SinkErrorKind::Unavailable, 503, Some("5")),
        (SinkErrorKind::Backpressure, 503, Some("1")),
        (SinkErrorKind::Io, 503, Some("5")),
        (SinkErrorKind::Closed, 503, Some("5")),
        (SinkErrorKind::TooLarge, 413, None),
        (SinkErrorKind::Rejected, 422, None),
        (SinkErrorKind::Config, 500, None),
    ] {
        sink.fail(kind);
        let batch = request("POST", "/v1/events").body(r#"{"event_type":"purchase_sword"}"#);
        for sent in [request("GET", "/purchase_a_sword"), batch] {
            let response = sent.reply(&routes).await;
            assert_eq!((response.status().as_u16(), &*code(&response)), (status, kind.as_str()));
            let found = response.headers().get("retry-after").map(|value| value.to_str().unwrap());
            assert_eq!(found, retry, "{kind:?}");
        }
    }
}

#[tokio::test]
async fn readiness_follows_the_sink() {
    let sink = Arc::new(FailingSink::new());
    let routes = game(Arc::clone(&sink) as _);
    let ready = || request("GET", "/healthz/ready").reply(&routes);
    assert_eq!(
        (ready().await.status().as_u16(), &body(&ready().await)["status"]),
        (200, &json!("ready"))
    );

    sink.fail(SinkErrorKind::Unavailable);
    request("GET", "/").reply(&routes).await;
    let not_ready = ready().await;
    assert_eq!(
        (not_ready.status().as_u16(), &body(&not_ready)["status"]),
        (503, &json!("not_ready"))
    );
    let live = request("GET", "/healthz/live").reply(&routes).await;
    assert_eq!((live.status().as_u16(), body(&live)), (200, json!({"status": "live"})));

    // What is wrong with one event says nothing of the sink.
    sink.mend();
    request("GET", "/").reply(&routes).await;
    sink.fail(SinkErrorKind::TooLarge);
    request("GET", "/").reply(&routes).await;
    assert_eq!(ready().await.status(), 200);
}

#[tokio::test]
async fn a_sink_that_rejects_for_now_is_as_good_as_one_that_fails() {
    let full = Arc::new(MemorySink::with_capacity(1));
    let post = |body: &str| request("POST", "/v1/events").body(body);
    let routes = game(Arc::clone(&full) as _);
    let two = r#"[{"event_type":"default"},{"event_type":"default"}]"#;
    let answer = post(two).reply(&routes).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(body(&answer)["results"][1]["error"]["code"], "backpressure");
    assert_eq!(request("GET", "/healthz/ready").reply(&routes).await.status(), 200);
    for sent in [post(two), request("GET", "/")] {
        let answer = sent.reply(&routes).await;
        assert_eq!((answer.status().as_u16(), &*code(&answer)), (503, "backpressure"));
        assert_eq!(answer.headers()["retry-after"], "1");
    }
    assert_eq!(request("GET", "/healthz/ready").reply(&routes).await.status(), 503);
}

#[tokio::test]
async fn a_panic_costs_one_request() {
    let sink = Arc::new(FailingSink::new());
    let routes = game(Arc::clone(&sink) as _);
    sink.panic();
    let response = request("GET", "/").reply(&routes).await;
    assert_eq!((response.status().as_u16(), &*code(&response)), (500, "config"));
    assert_eq!(request("GET", "/healthz/ready").reply(&routes).await.status(), 503);
    sink.mend();
    assert_eq!(request("GET", "/").reply(&routes).await.status(), 200);
    assert_eq!(request("GET", "/healthz/ready").reply(&routes).await.status(), 200);
}

#[tokio::test]
async fn headers_are_kept_by_the_rule() {
    let sink = Arc::new(MemorySink::new());
    let header_rule = HeaderRule::new(["Host", "X-Game-Version"], [""; 0]).unwrap();
    let options = RouteOptions::default().with_header_rule(header_rule);
    let routes = routes(Catalog::game(), Arc::clone(&sink) as _, options);
    let sent = request("POST", "/v1/events")
        .header("host", "sent")
        .header("user-agent", "sent")
        .header("x-game-version", &b"caf\xe9"[..])
        .body(r#"{"event_type":"default","Host":"own"}"#);
    assert_eq!(sent.reply(&routes).await.status(), 200);
    let event = &events(&sink)[0];
    assert_eq!((&event["Host"], &event["X-Game-Version"]), (&json!("own"), &json!("caf\u{fffd}")));
    assert_eq!(event.get("User-Agent"), None);
}
