//! The limits of one request, and of all together.

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;

use gametel_core::sink::MemorySink;
use gametel_http::{
    KeyEntry, KeyHash, KeyOptions, KeyRing, Limits, Rate, RateLimits, RouteOptions, ServerConfig,
};

use crate::support::{Client, GatedSink, Running};

fn config(limits: Limits) -> ServerConfig {
    ServerConfig::default().with_routes(RouteOptions::default().with_limits(limits))
}

fn memory() -> Arc<MemorySink> {
    Arc::new(MemorySink::new())
}

fn event(bytes: usize) -> String {
    let empty = r#"{"event_type":"purchase_sword","note":""}"#;
    empty.replace("\"\"", &format!("\"{}\"", "x".repeat(bytes - empty.len())))
}

fn nested(depth: usize) -> String {
    let (open, close) = ("[".repeat(depth - 1), "]".repeat(depth - 1));
    format!(r#"{{"event_type":"purchase_sword","note":{open}{close}}}"#)
}

#[test]
fn an_event_that_is_too_large_costs_itself_alone() {
    let sink = memory();
    let server =
        Running::start(Arc::clone(&sink) as _, config(Limits::default().with_event_bytes(100)));
    let mut client = Client::connect(server.address).unwrap();
    for path in ["/purchase_a_sword", "/v1/events"] {
        assert_eq!(client.post(path, event(100)).unwrap().status, 200, "{path}");
        let reply = client.post(path, event(101)).unwrap();
        assert_eq!((reply.status, &*reply.code()), (413, "too_large"), "{path}");
    }
    let reply = client.post("/v1/events", format!("[{},{}]", event(101), event(100))).unwrap();
    let answer = reply.json();
    assert_eq!((reply.status, &answer["accepted"]), (200, &1.into()), "{answer}");
    assert_eq!(answer["results"][0]["error"]["code"], "too_large");
    let reply = client.post("/v1/events", format!("[{0},{0}]", event(101))).unwrap();
    assert_eq!((reply.status, &*reply.code()), (422, "all_rejected"));
    assert_eq!(sink.events().len(), 3);
}

#[test]
fn an_event_that_nests_too_deep_costs_itself_alone() {
    let sink = memory();
    let server = Running::start(Arc::clone(&sink) as _, ServerConfig::default());
    let mut client = Client::connect(server.address).unwrap();
    for path in ["/purchase_a_sword", "/v1/events"] {
        assert_eq!(client.post(path, nested(32)).unwrap().status, 200, "{path}");
        for depth in [33, 100_000] {
            let reply = client.post(path, nested(depth)).unwrap();
            assert_eq!((reply.status, &*reply.code()), (422, "too_deep"), "{path}");
        }
    }
    let reply = client.post("/v1/events", format!("[{},{}]", nested(33), nested(2))).unwrap();
    assert_eq!(reply.json()["results"][0]["error"]["code"], "too_deep", "{}", reply.body);
    assert_eq!(sink.events().len(), 3);
    // The brackets of a form are text.
    let form = format!("guild={}", "[".repeat(100));
    let form_type = "application/x-www-form-urlencoded";
    assert_eq!(client.post_as(form_type, "/join_guild", form).unwrap().status, 200);
}

#[test]
fn a_head_has_so_many_headers_and_so_long_a_path() {
    let limits = Limits::default().with_headers(10).with_uri_bytes(50);
    let server = Running::start(memory(), config(limits));
    let mut client = Client::connect(server.address).unwrap();
    let mut with_headers = |count: usize| {
        let head = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "A: b\r\n".repeat(count - 1));
        client.send(head.as_bytes()).unwrap();
        client.reply().unwrap()
    };
    assert_eq!(with_headers(10).status, 200);
    let reply = with_headers(11);
    assert_eq!((reply.status, &*reply.code()), (431, "too_many_headers"));
    // The connection is none the worse for it.
    let path = |bytes: usize| format!("/?{}", "x".repeat(bytes - 1));
    assert_eq!(client.get(&path(50)).unwrap().status, 200);
    let reply = client.get(&path(51)).unwrap();
    assert_eq!((reply.status, &*reply.code()), (414, "uri_too_long"));
    assert_eq!(client.get("/healthz/live").unwrap().status, 200);
}

#[test]
fn more_headers_than_the_http_library_takes_of_itself_can_be_allowed() {
    let server = Running::start(memory(), config(Limits::default().with_headers(200)));
    let mut client = Client::connect(server.address).unwrap();
    let head =
        |count: usize| format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "A: b\r\n".repeat(count));
    client.send(head(199).as_bytes()).unwrap();
    assert_eq!(client.reply().unwrap().status, 200);
    client.send(head(200).as_bytes()).unwrap();
    assert_eq!(client.reply().unwrap().status, 431);
    assert!(client.is_closed());
}

#[test]
fn a_head_that_is_too_large_is_refused_by_the_connection() {
    let server = Running::start(memory(), ServerConfig::default().with_head_bytes(8 * 1024));
    let head =
        |bytes: usize| format!("GET / HTTP/1.1\r\nHost: a\r\nA: {}\r\n\r\n", "x".repeat(bytes));
    let mut client = Client::connect(server.address).unwrap();
    client.send(head(7 * 1024).as_bytes()).unwrap();
    assert_eq!(client.reply().unwrap().status, 200);
    client.send(head(9 * 1024).as_bytes()).unwrap();
    assert_eq!(client.reply().unwrap().status, 431);
    assert!(client.is_closed());
    assert_eq!(Client::connect(server.address).unwrap().get("/").unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_hand_is_bounded_in_events_and_bytes() {
    for limits in
        [Limits::default().with_in_flight_events(2), Limits::default().with_in_flight_bytes(5_000)]
    {
        let sink = Arc::new(GatedSink::new());
        let mut server = Running::start(Arc::clone(&sink) as _, config(limits));
        let batch = format!("[{0},{0}]", event(100));
        let mut first = Client::connect(server.address).unwrap();
        let head =
            format!("POST /v1/events HTTP/1.1\r\nHost: a\r\nContent-Length: {}", batch.len());
        first.send(format!("{head}\r\n\r\n{batch}").as_bytes()).unwrap();
        sink.next_arrival().await;

        let mut second = Client::connect(server.address).unwrap();
        for _ in 0..2 {
            let reply = second.post("/v1/events", &batch).unwrap();
            assert_eq!((reply.status, &*reply.code()), (503, "overloaded"));
            assert_eq!(reply.header("retry-after"), Some("1"));
        }
        // It takes nothing to say how things are.
        assert_eq!(second.get("/healthz/live").unwrap().status, 200);

        sink.gate.add_permits(2);
        assert_eq!(first.reply().unwrap().status, 200);
        let reply = second.post("/v1/events", &batch).unwrap();
        assert_eq!(reply.status, 200, "{}", reply.body);
        server.stop();
        let totals = server.wait().unwrap().totals;
        assert_eq!((totals.accepted, totals.overloaded), (4, 2));
    }
}

#[test]
fn what_is_only_announced_takes_nothing_from_others() {
    let limits = Limits::default().with_in_flight_bytes(1024 * 1024);
    let server = Running::start(memory(), config(limits));
    let mut slow: Vec<Client> = (0..20)
        .map(|_| {
            let mut client = Client::connect(server.address).unwrap();
            let head = "POST /join_guild HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n{";
            client.send(head.as_bytes()).unwrap();
            client
        })
        .collect();
    let mut client = Client::connect(server.address).unwrap();
    for _ in 0..20 {
        let body = format!(r#"{{"guild":"{}"}}"#, "x".repeat(200_000));
        assert_eq!(client.post("/join_guild", body).unwrap().status, 200);
    }
    // What has been sent does: there is room for so large a body until a slow one has sent much.
    let large = "x".repeat(700_000);
    assert_ne!(client.post("/join_guild", &large).unwrap().status, 503);
    slow[0].send("x".repeat(500_000).as_bytes()).unwrap();
    let refused = (0..1_000).any(|_| client.post("/join_guild", &large).unwrap().status == 503);
    assert!(refused, "what a client has sent takes no room");
}

#[test]
fn a_body_that_can_never_fit_the_budget_is_refused_before_it_is_read() {
    let limits = Limits::default().with_in_flight_bytes(1000);
    let server = Running::start(memory(), config(limits));
    let mut client = Client::connect(server.address).unwrap();
    let head =
        "POST /join_guild HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\nExpect: 100-continue";
    client.send(format!("{head}\r\n\r\n").as_bytes()).unwrap();
    let reply = client.reply().unwrap();
    assert_eq!((reply.status, &*reply.code()), (503, "overloaded"));
}

fn one_a_second() -> RateLimits {
    RateLimits::default().with_per_address(Some(Rate::per_second(NonZeroU32::MIN)))
}

fn limited(rates: RateLimits) -> ServerConfig {
    ServerConfig::default().with_routes(RouteOptions::default().with_rates(rates))
}

#[test]
fn an_address_is_held_to_its_rate_and_health_is_not() {
    let sink = memory();
    // As many requests at once as will not come back within the test.
    let rate = Rate::per_second(NonZeroU32::MIN).with_burst(NonZeroU32::new(3).unwrap());
    let rates = RateLimits::default().with_per_address(Some(rate));
    let mut server = Running::start(Arc::clone(&sink) as _, limited(rates));
    let mut clients =
        [Client::connect(server.address).unwrap(), Client::connect(server.address).unwrap()];
    let mut statuses = Vec::new();
    for client in &mut clients {
        for _ in 0..10 {
            let reply = client.post("/v1/events", event(100)).unwrap();
            if reply.status == 429 {
                assert_eq!(reply.code(), "rate_limited");
                assert_eq!(reply.header("retry-after"), Some("1"));
            }
            statuses.push(reply.status);
            assert_eq!(client.get("/healthz/live").unwrap().status, 200);
        }
    }
    assert_eq!(statuses[..4], [200, 200, 200, 429]);
    let accepted = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!(sink.events().len(), accepted);
    server.stop();
    let totals = server.wait().unwrap().totals;
    assert_eq!(totals.rate_limited, 20 - accepted as u64);
}

#[test]
fn behind_a_trusted_proxy_each_client_has_its_own_rate() {
    let forwarded = |client: &mut Client, address: &str| {
        let head = format!("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {address}\r\n\r\n");
        client.send(head.as_bytes()).unwrap();
        client.reply().unwrap().status
    };
    let trusted = one_a_second().with_trusted_proxies(vec!["127.0.0.0/8".parse().unwrap()]);
    let server = Running::start(memory(), limited(trusted));
    let mut client = Client::connect(server.address).unwrap();
    for address in 1..20 {
        assert_eq!(forwarded(&mut client, &format!("6.6.6.6, 192.0.2.{address}")), 200);
    }
    // Anyone can write this header; without a proxy that is trusted nobody is believed.
    let server = Running::start(memory(), limited(one_a_second()));
    let mut client = Client::connect(server.address).unwrap();
    let statuses: Vec<u16> =
        (1..20).map(|address| forwarded(&mut client, &format!("192.0.2.{address}"))).collect();
    assert_eq!(statuses[..2], [200, 429]);
}

#[test]
fn who_tries_out_keys_is_slowed_down_at_every_route() {
    let keys = KeyRing::open(
        KeyOptions::default().with_entries([KeyEntry::new("arena", KeyHash::of("arena-key"))]),
    );
    let routes = RouteOptions::default().with_rates(one_a_second()).with_keys(keys.unwrap());
    for path in ["/openapi.json", "/v1/schema", "/v1/schema/nope", "/v1/events"] {
        let server = Running::start(memory(), ServerConfig::default().with_routes(routes.clone()));
        let mut client = Client::connect(server.address).unwrap();
        let mut guess =
            || client.ask(&format!("POST {path}"), &["X-Api-Key: guess"], "").unwrap().status;
        assert_eq!([guess(), guess()], [401, 429], "{path}");
    }
}

#[test]
fn a_batch_counts_as_one_request() {
    let sink = memory();
    let rates = one_a_second().with_tracked_senders(NonZeroUsize::MIN);
    let server = Running::start(Arc::clone(&sink) as _, limited(rates));
    let batch = format!("[{}]", vec![event(100); 1_000].join(","));
    let reply = Client::connect(server.address).unwrap().post("/v1/events", batch).unwrap();
    assert_eq!(reply.status, 200);
    assert_eq!(sink.events().len(), 1_000);
}
