//! Bodies that are odd, and what of them is stored.

use std::sync::Arc;

use gametel_core::sink::MemorySink;
use gametel_http::ServerConfig;
use serde_json::Value;

use crate::support::{Client, Running};

fn start() -> (Arc<MemorySink>, Running) {
    let sink = Arc::new(MemorySink::new());
    let server = Running::start(Arc::clone(&sink) as _, ServerConfig::default());
    (sink, server)
}

fn last(sink: &MemorySink) -> String {
    let events = sink.events();
    String::from_utf8(events.last().unwrap().payload().to_vec()).unwrap()
}

#[test]
fn what_is_no_json_is_refused_on_every_route() {
    let (sink, server) = start();
    for (body, code) in [
        (&b"{\"a\":\"\0\"}"[..], "invalid_json"),
        (b"{\"a\":\"\x1f\"}", "invalid_json"),
        (b"{\"a\":\"\n\"}", "invalid_json"),
        (b"{\"a\0\":1}", "invalid_json"),
        (b"{\"a\":1}\0", "invalid_json"),
        (b"\xef\xbb\xbf{\"a\":1}", "invalid_json"),
        (b"\xff\xfe{\0\"\0a\0", "invalid_utf8"),
        (b"{\"a\":\"\xc0\x80\"}", "invalid_utf8"),
        (b"{\"a\":\"\xed\xa0\x80\"}", "invalid_utf8"),
        (b"{\"a\":NaN}", "invalid_json"),
        (b"{\"a\":01}", "invalid_json"),
        (b"{\"a\":1,}", "invalid_json"),
        (b"{'a':1}", "invalid_json"),
        (b"{\"a\":1/**/}", "invalid_json"),
        (b"{\"a\":\"\\x\"}", "invalid_json"),
        (b"{\"a\"", "invalid_json"),
    ] {
        let mut client = Client::connect(server.address).unwrap();
        for path in ["/purchase_a_sword", "/v1/events"] {
            let reply = client.post(path, body).unwrap();
            let shown = String::from_utf8_lossy(body);
            assert!((400..500).contains(&reply.status), "{path} {shown:?}: {}", reply.status);
            assert_eq!(reply.code(), code, "{path} {shown:?}");
        }
    }
    assert!(sink.events().is_empty());
}

#[test]
fn odd_values_are_kept_as_they_came() {
    let (sink, server) = start();
    let mut client = Client::connect(server.address).unwrap();
    let digits = "9".repeat(100_000);
    for value in [
        r#""\u0000""#,
        r#""\u0000\b\f\n\r\t\"\\\/""#,
        "\"\u{7f}\u{2028}\u{feff}\u{10ffff}\"",
        "-0",
        "1e999999",
        &digits,
        "[[[]],{}]",
    ] {
        let body = format!(r#"{{"event_type":"purchase_sword","odd":{value}}}"#);
        for path in ["/purchase_a_sword", "/v1/events"] {
            assert_eq!(client.post(path, &body).unwrap().status, 200, "{path} {value:.20}");
            assert!(last(&sink).contains(&format!("\"odd\":{value}")), "{path} {value:.20}");
        }
    }
}

#[test]
fn of_a_name_that_comes_twice_the_last_one_counts_everywhere() {
    let (sink, server) = start();
    let mut client = Client::connect(server.address).unwrap();
    let field = |name: &str| {
        let event: Value = serde_json::from_str(&last(&sink)).unwrap();
        event[name].as_str().unwrap_or_default().to_owned()
    };
    let ids = ["01a20c86-4e0d-78be-82f7-2ad981e98bd1", "01a20c86-4e0d-78be-82f7-2ad981e98bd2"];
    let body = format!(
        r#"{{"event_type":"purchase_sword","event_id":"{}","guild":"Bats",
            "event_type":"join_guild","event_\u0069d":"{}","gu\u0069ld":"Owls"}}"#,
        ids[0], ids[1]
    );
    for path in ["/v1/events", "/join_guild"] {
        assert_eq!(client.post(path, &body).unwrap().status, 200, "{path}");
        let found = ["event_type", "event_id", "guild"].map(field);
        assert_eq!(found, ["join_guild", ids[1], "Owls"], "{path}");
        for name in ["event_type", "event_id", "guild"] {
            assert_eq!(last(&sink).matches(&format!("\"{name}\"")).count(), 1, "{path} {name}");
        }
    }
    assert_eq!(client.get("/join_guild?guild=Bats&guild=Owls").unwrap().status, 200);
    assert_eq!(field("guild"), "Owls");
    let form = "application/x-www-form-urlencoded";
    let reply = client.post_as(form, "/join_guild?guild=Rats", "guild=Bats&guild=Owls").unwrap();
    assert_eq!((reply.status, field("guild").as_str()), (200, "Owls"));
    // Valid first, and not what counts.
    let body = r#"{"event_type":"join_guild","event_id":"7"}"#
        .replace("\"event_id\"", &format!("\"event_id\":\"{}\",\"event_id\"", ids[0]));
    assert_eq!(client.post("/v1/events", body).unwrap().code(), "invalid_event_id");
}

#[test]
fn many_and_long_names_are_a_matter_of_size_alone() {
    let (_, server) = start();
    let mut client = Client::connect(server.address).unwrap();
    let members: Vec<String> = (0..20_000).map(|number| format!("\"{number}\":1")).collect();
    let many = format!("{{\"event_type\":\"purchase_sword\",{}}}", members.join(","));
    let long = format!("{{\"event_type\":\"purchase_sword\",\"{}\":1}}", "n".repeat(250_000));
    for body in [many, long] {
        for path in ["/purchase_a_sword", "/v1/events"] {
            assert_eq!(client.post(path, &body).unwrap().status, 200, "{path}");
        }
    }
}
