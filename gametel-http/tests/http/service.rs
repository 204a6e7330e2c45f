//! The routes as a tower service: by itself, and under axum.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use futures_util::{FutureExt, stream};
use gametel_core::catalog::Catalog;
use gametel_core::sink::MemorySink;
use gametel_http::{GametelService, Limits, RouteOptions, service};
use http::{Request, Response, Version};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full, StreamBody};
use serde_json::Value;
use tower_service::Service;

fn game(sink: &Arc<MemorySink>) -> GametelService {
    service(Catalog::game(), Arc::clone(sink) as _, RouteOptions::default())
}

fn request<B>(method: &str, uri: &str, body: B) -> Request<B> {
    Request::builder().method(method).uri(uri).body(body).unwrap()
}

/// Status and body of what a service answers.
async fn ask<S, B, R>(service: &mut S, request: Request<B>) -> (u16, String)
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: std::fmt::Debug,
    R: Body<Data = Bytes>,
    R::Error: std::fmt::Debug,
{
    std::future::poll_fn(|context| service.poll_ready(context)).await.unwrap();
    let response = service.call(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn empty(method: &str, uri: &str) -> Request<Full<Bytes>> {
    request(method, uri, Full::default())
}

#[tokio::test]
async fn it_answers_every_request_itself() {
    let sink = Arc::new(MemorySink::new());
    let mut service = game(&sink);
    let sword = ask(&mut service, empty("GET", "/purchase_a_sword")).await;
    assert_eq!(sword, (200, "Sword Purchased!\n".to_owned()));
    let events = r#"[{"event_type":"purchase_sword"},{"event_type":"axe"}]"#;
    let (status, answer) =
        ask(&mut service, request("POST", "/v1/events", Full::<Bytes>::from(events))).await;
    assert_eq!((status, answer.contains(r#""accepted":1,"rejected":1"#)), (200, true), "{answer}");
    for (method, path, status, code) in [
        ("GET", "/nope", 404, "not_found"),
        ("GET", "/purchase_a_sword/", 404, "not_found"),
        ("GET", "//purchase_a_sword", 404, "not_found"),
        ("CONNECT", "a.example:80", 404, "not_found"),
        ("DELETE", "/purchase_a_sword", 405, "method_not_allowed"),
    ] {
        let (found, body) = ask(&mut service, empty(method, path)).await;
        assert_eq!((found, body.contains(code)), (status, true), "{method} {path}: {body}");
    }
    // A clone counts with the others.
    let totals = service.clone().totals();
    assert_eq!((totals.accepted, totals.rejected), (2, 1));
    assert_eq!(sink.events().len(), 2);
}

#[tokio::test]
async fn a_body_may_come_in_chunks_and_from_one_thread_at_a_time() {
    let sink = Arc::new(MemorySink::new());
    let chunks = [r#"{"guild""#, r#":"Owls"}"#].map(|chunk| Ok(Frame::data(Bytes::from(chunk))));
    // Sent between threads, and not shared among them, as a body of axum's is.
    let body = StreamBody::new(stream::iter(chunks)).map_err(|error: std::io::Error| error);
    let (status, _) =
        ask(&mut game(&sink), request("POST", "/join_guild", body.boxed_unsync())).await;
    assert_eq!(status, 200);
    let event: Value = serde_json::from_slice(sink.events()[0].payload()).unwrap();
    assert_eq!(event["guild"], "Owls");
}

#[tokio::test]
async fn a_body_that_breaks_off_records_nothing() {
    let sink = Arc::new(MemorySink::new());
    let chunks = [Ok(Frame::data(Bytes::from("{}"))), Err(std::io::Error::other("gone"))];
    let body = StreamBody::new(stream::iter(chunks));
    let (status, answer) = ask(&mut game(&sink), request("POST", "/join_guild", body)).await;
    assert_eq!((status, answer.contains("incomplete_body")), (400, true), "{answer}");
    assert_eq!(sink.events().len(), 0);
}

#[tokio::test]
async fn on_http2_the_host_comes_from_the_uri() {
    let sink = Arc::new(MemorySink::new());
    let mut sent = empty("GET", "http://a.example:81/purchase_a_sword");
    *sent.version_mut() = Version::HTTP_2;
    ask(&mut game(&sink), sent).await;
    let event: Value = serde_json::from_slice(sink.events()[0].payload()).unwrap();
    assert_eq!(event["Host"], "a.example:81");
}

#[tokio::test]
async fn axum_can_nest_it_and_fall_back_to_it() {
    let sink = Arc::new(MemorySink::new());
    let home = || Router::new().route("/home", get(|| async { "home" }));
    let mut nested = home().nest_service("/telemetry", game(&sink)).into_service();
    let mut fallback = home().fallback_service(game(&sink)).into_service();
    let reply = "\nGuild Joined!\n".to_owned();
    let path = "/telemetry/join_guild?guild=Owls";
    assert_eq!(ask(&mut nested, empty("GET", path)).await, (200, reply.clone()));
    assert_eq!(ask(&mut fallback, empty("GET", "/join_guild?guild=Bats")).await, (200, reply));
    let (status, body) = ask(&mut nested, empty("GET", "/telemetry/nope")).await;
    assert_eq!((status, body.contains("not_found")), (404, true), "{body}");
    for app in [&mut nested, &mut fallback] {
        assert_eq!(ask(app, empty("GET", "/home")).await, (200, "home".to_owned()));
    }
    let guild = |number: usize| {
        let event: Value = serde_json::from_slice(sink.events()[number].payload()).unwrap();
        event["guild"].as_str().unwrap().to_owned()
    };
    assert_eq!([guild(0), guild(1)], ["Owls", "Bats"]);
}

#[tokio::test]
async fn it_is_always_ready() {
    let mut service = game(&Arc::new(MemorySink::with_capacity(0)));
    let mut ready = std::future::poll_fn(|context| {
        <GametelService as Service<Request<Full<Bytes>>>>::poll_ready(&mut service, context)
    });
    assert!((&mut ready).now_or_never().is_some_and(|ready| ready.is_ok()));
    let (status, body) = ask(&mut service, empty("GET", "/purchase_a_sword")).await;
    assert_eq!((status, body.contains("backpressure")), (503, true), "{body}");
}

#[tokio::test]
async fn an_answer_that_nobody_reads_is_still_in_hand() {
    let limits = Limits::default().with_in_flight_bytes(12_000);
    let options = RouteOptions::default().with_limits(limits);
    let mut service = service(Catalog::game(), Arc::new(MemorySink::new()), options);
    // Little to send, much to answer.
    let batch = || request("POST", "/v1/events", Full::<Bytes>::from("[1,1,1,1,1,1,1,1,1,1]"));
    let mut unread = Vec::new();
    let refused = loop {
        let response = service.call(batch()).await.unwrap();
        if response.status() == 503 {
            break response;
        }
        assert!(unread.len() < 100, "every answer was taken for sent");
        unread.push(response);
    };
    assert!(unread.len() > 1, "the answers alone should be held");
    assert_eq!(refused.headers()["retry-after"], "1");
    drop(unread);
    assert_eq!(service.call(batch()).await.unwrap().status(), 422);
}
