//! The routes as a filter among others in somebody else's warp server.

use std::sync::Arc;

use gametel_core::catalog::Catalog;
use gametel_core::sink::MemorySink;
use gametel_http::{RouteOptions, routes};
use serde_json::Value;
use warp::http::StatusCode;
use warp::{Filter, Reply};

fn telemetry(
    sink: &Arc<MemorySink>,
) -> impl Filter<Extract = (warp::reply::Response,), Error = warp::Rejection> + Clone + use<> {
    routes(Catalog::game(), Arc::clone(sink) as _, RouteOptions::default())
}

fn types(sink: &MemorySink) -> Vec<String> {
    let events = sink.events();
    events.iter().map(|event| event.event_type().unwrap().to_string()).collect()
}

/// Status and body of what a server answers.
async fn ask<F>(server: &F, method: &str, path: &str, body: &str) -> (u16, String)
where
    F: Filter<Error = warp::Rejection> + Send + Sync + 'static,
    F::Extract: warp::Reply + Send,
{
    let response = warp::test::request().method(method).path(path).body(body).reply(server).await;
    let body = String::from_utf8(response.body().to_vec()).unwrap();
    (response.status().as_u16(), body)
}

#[tokio::test]
async fn others_get_their_turn_in_any_order() {
    let sink = Arc::new(MemorySink::new());
    let echo = warp::path!("echo").and(warp::post()).and(warp::body::bytes()).map(|body| {
        let body: bytes::Bytes = body;
        warp::reply::Response::new(body.into())
    });
    let page = warp::path!("purchase_a_horse").map(|| warp::reply::Response::new("neigh".into()));
    let first = telemetry(&sink).or(echo).unify().or(page).unify();
    let last = echo.or(page).unify().or(telemetry(&sink)).unify();
    let between = echo.or(telemetry(&sink)).unify().or(page).unify();
    for server in [first.boxed(), last.boxed(), between.boxed()] {
        // What is not ours has its body still.
        assert_eq!(ask(&server, "POST", "/echo", "hello").await, (200, "hello".to_owned()));
        assert_eq!(ask(&server, "GET", "/purchase_a_horse", "").await, (200, "neigh".to_owned()));
        assert_eq!(ask(&server, "GET", "/purchase_a_sword", "").await.1, "Sword Purchased!\n");
        assert_eq!(ask(&server, "GET", "/nope", "").await.0, 404);
    }
    assert_eq!(types(&sink), ["purchase_sword"; 3]);
}

#[tokio::test]
async fn a_path_that_is_not_ours_is_the_servers_own_404() {
    let sink = Arc::new(MemorySink::new());
    let server = telemetry(&sink).recover(|rejection: warp::Rejection| async move {
        assert!(rejection.is_not_found(), "{rejection:?}");
        let body = warp::reply::html("my own page");
        Ok::<_, warp::Rejection>(warp::reply::with_status(body, StatusCode::NOT_FOUND))
    });
    for path in ["/nope", "/purchase_a_sword/", "//purchase_a_sword", "/purchase%5Fa_sword", "//"] {
        assert_eq!(
            ask(&server, "POST", path, "{}").await,
            (404, "my own page".to_owned()),
            "{path}"
        );
    }
    assert_eq!(sink.events().len(), 0);
}

#[tokio::test]
async fn a_wrong_method_at_a_path_of_ours_is_our_answer() {
    let sink = Arc::new(MemorySink::new());
    let other = warp::path!("purchase_a_sword").and(warp::delete()).map(|| "gone");
    let server = telemetry(&sink).or(other);
    for (method, path) in [("DELETE", "/purchase_a_sword"), ("GET", "/v1/events"), ("HEAD", "/")] {
        let request = warp::test::request().method(method).path(path);
        let response = request.reply(&server).await;
        assert_eq!(response.status(), 405, "{method} {path}");
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(body["error"]["code"], "method_not_allowed");
    }
}

#[tokio::test]
async fn below_a_prefix_the_rest_of_the_path_counts() {
    let sink = Arc::new(MemorySink::new());
    let one = warp::path("telemetry").and(telemetry(&sink));
    let two = warp::path("games").and(warp::path("arena")).and(telemetry(&sink));
    let server = one.or(two).unify().or(warp::path::end().map(|| "home".into_response())).unify();
    for prefix in ["/telemetry", "/games/arena"] {
        let at = |path: &str| format!("{prefix}{path}");
        let sword = ask(&server, "GET", &at("/purchase_a_sword?x=1"), "").await;
        assert_eq!(sword, (200, "Sword Purchased!\n".to_owned()));
        let event = r#"{"event_type":"purchase_potion"}"#;
        assert_eq!(ask(&server, "POST", &at("/v1/events"), event).await.0, 200);
        assert_eq!(ask(&server, "GET", &at("/healthz/live"), "").await.0, 200);
        // The root, with and without its slash.
        assert_eq!(ask(&server, "GET", &at(""), "").await.1, "\nThis is the default response!\n");
        assert_eq!(ask(&server, "GET", &at("/"), "").await.1, "\nThis is the default response!\n");
        for path in ["//", "x", "/purchase_a_sword/", "/telemetry/purchase_a_sword"] {
            assert_eq!(ask(&server, "GET", &at(path), "").await.0, 404, "{path}");
        }
    }
    let each = ["purchase_sword", "purchase_potion", "default", "default"];
    assert_eq!(types(&sink), [each, each].concat());
    assert_eq!(ask(&server, "GET", "/", "").await, (200, "home".to_owned()));
    assert_eq!(ask(&server, "GET", "/purchase_a_sword", "").await.0, 404);
}

#[tokio::test]
async fn the_path_is_taken_to_its_end() {
    let sink = Arc::new(MemorySink::new());
    let server = warp::path("telemetry").and(telemetry(&sink)).and(warp::path::end());
    let server = server.map(|response| response);
    assert_eq!(ask(&server, "GET", "/telemetry/purchase_a_sword", "").await.0, 200);
}

#[tokio::test]
async fn a_host_that_is_in_the_uri_alone_is_kept() {
    let sink = Arc::new(MemorySink::new());
    let server = telemetry(&sink);
    for host in [None, Some("b.example"), Some("caf\u{e9} :")] {
        let mut request = warp::test::request().path("http://a.example:81/purchase_a_sword");
        if let Some(host) = host {
            request = request.header("host", host.as_bytes());
        }
        assert_eq!(request.reply(&server).await.status(), 200, "{host:?}");
    }
    let host = |event: &gametel_core::event::EncodedEvent| {
        let event: Value = serde_json::from_slice(event.payload()).unwrap();
        event["Host"].as_str().unwrap().to_owned()
    };
    let hosts: Vec<_> = sink.events().iter().map(host).collect();
    assert_eq!(hosts, ["a.example:81", "b.example", "caf\u{e9} :"]);
}
