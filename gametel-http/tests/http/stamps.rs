//! Time and ids come from where the options say, and from nowhere else.

use std::sync::Arc;
use std::time::Duration;

use gametel_core::catalog::Catalog;
use gametel_core::event::{Stamper, Timestamp};
use gametel_core::sink::MemorySink;
use gametel_core::testing::{ManualClock, SequentialIds};
use gametel_http::{RouteOptions, routes};

#[tokio::test]
async fn every_byte_that_is_stored_is_known_beforehand() {
    let clock = ManualClock::new(Timestamp::from_millis(1_795_486_294_303));
    let stamper = Stamper::new(clock.clone(), SequentialIds::new());
    let options = RouteOptions::default().with_stamper(stamper);
    let sink = Arc::new(MemorySink::new());
    let routes = routes(Catalog::game(), Arc::clone(&sink) as _, options);

    let potion = warp::test::request().path("/purchase_a_potion").header("host", "a.example");
    assert_eq!(potion.reply(&routes).await.status(), 200);
    clock.advance(Duration::from_millis(1_500));
    let events = r#"[{"event_type":"purchase_sword"},{"event_type":"join_guild","guild":"Owls"}]"#;
    let sent = warp::test::request().method("POST").path("/v1/events").body(events);
    let answer = sent.reply(&routes).await;
    assert_eq!(answer.status(), 200);

    let stored: Vec<_> = sink
        .events()
        .iter()
        .map(|event| String::from_utf8(event.payload().to_vec()).unwrap())
        .collect();
    assert_eq!(
        stored,
        [
            r#"{"event_id":"01a20b52-a11f-7000-8000-000000000000","event_type":"purchase_potion","event_ts":1795486294.303,"description":"heals you for 50 hp","Host":"a.example"}"#,
            r#"{"event_id":"01a20b52-a6fb-7000-8000-000000000001","event_type":"purchase_sword","event_ts":1795486295.803}"#,
            r#"{"event_id":"01a20b52-a6fb-7000-8000-000000000002","event_type":"join_guild","event_ts":1795486295.803,"guild":"Owls"}"#,
        ]
    );
    let answer = std::str::from_utf8(answer.body()).unwrap();
    assert!(answer.contains(r#""event_id":"01a20b52-a6fb-7000-8000-000000000002""#), "{answer}");
}
