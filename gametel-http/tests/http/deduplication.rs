//! An event that comes again is answered as accepted, and written once.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{Either, select};
use gametel_core::catalog::Catalog;
use gametel_core::sink::{DeduplicationOptions, MemorySink, SinkErrorKind};
use gametel_http::{KeyEntry, KeyHash, KeyOptions, KeyRing, RouteOptions, routes, service};
use http_body_util::Full;
use serde_json::json;
use tower_service::Service;

use crate::routes::{body, request};
use crate::support::{FailingSink, GatedSink};

const ID: &str = "0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b";

fn sword() -> String {
    json!({"event_type": "purchase_sword", "event_id": ID}).to_string()
}

#[tokio::test]
async fn a_repeat_is_answered_as_accepted_and_written_once() {
    let sink = Arc::new(MemorySink::new());
    let options = RouteOptions::default();
    let routes = routes(Catalog::game(), Arc::clone(&sink) as _, options);
    for _ in 0..2 {
        let answer = request("POST", "/v1/events").body(sword()).reply(&routes).await;
        let answer = body(&answer);
        assert_eq!(
            (&answer["accepted"], &answer["results"][0]["event_id"]),
            (&1.into(), &ID.into())
        );
        // At the catalog's route it is the same event, by its id.
        let sent = json!({"event_id": ID}).to_string();
        let answer = request("POST", "/purchase_a_sword").body(sent).reply(&routes).await;
        assert_eq!(
            (answer.status().as_u16(), &answer.body()[..]),
            (200, &b"Sword Purchased!\n"[..])
        );
    }
    let twice = format!("[{0},{0}]", sword().replace("5a6b", "5a6c"));
    let answer = body(&request("POST", "/v1/events").body(twice).reply(&routes).await);
    assert_eq!((&answer["accepted"], sink.events().len()), (&2.into(), 2));
    // Events without ids of their own are all different.
    for _ in 0..2 {
        request("GET", "/purchase_a_sword").reply(&routes).await;
    }
    assert_eq!(sink.events().len(), 4);
}

#[tokio::test]
async fn what_was_not_stored_is_written_when_it_comes_again() {
    let sink = Arc::new(FailingSink::new());
    let routes = routes(Catalog::game(), Arc::clone(&sink) as _, RouteOptions::default());
    let send = || async {
        request("POST", "/v1/events").body(sword()).reply(&routes).await.status().as_u16()
    };
    sink.fail(SinkErrorKind::Unavailable);
    assert_eq!([send().await, send().await], [503, 503]);
    sink.panic();
    assert_eq!(send().await, 500);
    sink.mend();
    assert_eq!([send().await, send().await], [200, 200]);
    assert_eq!(sink.memory.events().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_window_and_the_number_of_ids_are_settings() {
    let window = DeduplicationOptions::default().with_window(Duration::from_secs(5));
    for (deduplication, pause, written) in [
        (Some(window), 5, 1),
        (Some(window), 6, 2),
        (Some(DeduplicationOptions::default().with_max_events(0)), 0, 2),
        (None, 0, 2),
    ] {
        let sink = Arc::new(MemorySink::new());
        let options = RouteOptions::default().with_deduplication(deduplication);
        let routes = routes(Catalog::game(), Arc::clone(&sink) as _, options);
        for _ in 0..2 {
            let answer = request("POST", "/v1/events").body(sword()).reply(&routes).await;
            assert_eq!(answer.status(), 200);
            tokio::time::advance(Duration::from_secs(pause)).await;
        }
        assert_eq!(sink.events().len(), written, "{deduplication:?}");
    }
}

#[tokio::test]
async fn a_client_that_left_finds_its_event_written_once() {
    let sink = Arc::new(GatedSink::new());
    let routes = routes(Catalog::game(), Arc::clone(&sink) as _, RouteOptions::default());
    let send = || Box::pin(request("POST", "/v1/events").body(sword()).reply(&routes));
    // It has lost its patience, and comes again.
    let first = match select(send(), Box::pin(sink.next_arrival())).await {
        Either::Left(_) => panic!("an answer before the write"),
        Either::Right(((), first)) => first,
    };
    drop(first);
    let mut again = send();
    assert!((&mut again).now_or_never().is_none());
    sink.gate.add_permits(1);
    let answer = again.await;
    assert_eq!((answer.status().as_u16(), &body(&answer)["accepted"]), (200, &1.into()));
    assert_eq!(sink.memory.events().len(), 1);
    assert!(sink.next_arrival().now_or_never().is_none(), "there was one write");
}

#[tokio::test]
async fn one_id_is_another_event_for_each_key_and_each_type() {
    let sink = Arc::new(MemorySink::new());
    let entries = ["web", "arena"]
        .map(|name| KeyEntry::new(name, KeyHash::of(name)).with_event_types(["purchase_sword"]));
    let any = KeyEntry::new("lobby", KeyHash::of("lobby"));
    let entries = entries.into_iter().chain([any]);
    let keys = KeyRing::open(KeyOptions::default().with_entries(entries)).unwrap();
    let options = RouteOptions::default().with_keys(keys);
    let routes = routes(Catalog::game(), Arc::clone(&sink) as _, options);
    let guild = json!({"event_type": "join_guild", "event_id": ID, "guild": "Owls"}).to_string();
    for (key, sent, stored) in [
        ("lobby", guild.clone(), 1),
        ("lobby", sword(), 2),
        ("web", sword(), 3),
        ("arena", sword(), 4),
        // Each of them comes again.
        ("arena", sword(), 4),
        ("web", sword(), 4),
        ("lobby", guild, 4),
        ("lobby", sword(), 4),
    ] {
        let request = request("POST", "/v1/events").header("x-api-key", key).body(sent);
        let answer = request.reply(&routes).await;
        assert_eq!((answer.status().as_u16(), sink.events().len()), (200, stored), "{key}");
    }
}

#[tokio::test]
async fn what_is_counted_as_accepted_is_what_was_written() {
    let sink = Arc::new(MemorySink::new());
    let mut service = service(Catalog::game(), Arc::clone(&sink) as _, RouteOptions::default());
    for sent in [sword(), sword(), format!("[{0},{0}]", sword().replace("5a6b", "5a6c"))] {
        let request = http::Request::post("/v1/events").body(Full::<Bytes>::from(sent)).unwrap();
        assert_eq!(service.call(request).await.unwrap().status(), 200);
    }
    assert_eq!(service.totals().accepted, sink.events().len() as u64);
}
