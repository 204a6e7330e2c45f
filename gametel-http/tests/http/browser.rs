//! A real browser, with a page of an origin that is listed and with one that is not.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::sync::Arc;

use gametel_core::sink::MemorySink;
use gametel_http::{
    CorsOptions, KeyEntry, KeyHash, KeyOptions, KeyRing, RouteOptions, ServerConfig,
};

use crate::support::Running;

const KEY: &str = "the-key-of-the-web-client";

/// A page that sends one event, and shows what came of it.
fn page(server: SocketAddr) -> String {
    format!(
        r#"<!doctype html><title>game</title><body>waiting<script>
fetch("http://{server}/v1/events", {{
    method: "POST",
    headers: {{"content-type": "application/json", "x-api-key": "{KEY}"}},
    body: JSON.stringify({{event_type: "join_guild", guild: location.port}}),
}}).then(async (answer) => {{
    document.body.textContent = "answered " + answer.status + " " + await answer.text();
}}, (error) => {{
    document.body.textContent = "kept from it: " + error;
}});
</script>"#
    )
}

/// Gives every client one page, for as long as the test runs.
fn serve(listener: TcpListener, page: String) {
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut line = String::from("-");
            while !line.trim().is_empty() {
                line.clear();
                if stream.read_line(&mut line).unwrap_or(0) == 0 {
                    break;
                }
            }
            let length = page.len();
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n\
                 Connection: close\r\n\r\n"
            );
            // The browser may have changed its mind.
            let _ = stream.get_mut().write_all(format!("{head}{page}").as_bytes());
        }
    });
}

#[test]
fn a_page_of_a_listed_origin_sends_events_and_another_does_not() {
    let test = "a_page_of_a_listed_origin_sends_events_and_another_does_not";
    let Some(chromium) = gametel_cluster::program(test, "chromium") else { return };
    let [ours, strangers] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let [our_port, strange_port] =
        [&ours, &strangers].map(|listener| listener.local_addr().unwrap().port());

    let origin = format!("http://127.0.0.1:{our_port}").parse().unwrap();
    let entry = KeyEntry::new("web", KeyHash::of(KEY)).with_event_types(["join_guild"]);
    let keys = KeyRing::open(KeyOptions::default().with_entries([entry])).unwrap();
    let routes = RouteOptions::default()
        .with_keys(keys)
        .with_cors(CorsOptions::default().with_origins([origin]));
    let sink = Arc::new(MemorySink::new());
    let server =
        Running::start(Arc::clone(&sink) as _, ServerConfig::default().with_routes(routes));
    serve(ours, page(server.address));
    serve(strangers, page(server.address));

    let visit = |port: u16| {
        let profile = tempfile::tempdir().unwrap();
        // The page is the test's own, so that it needs no sandbox, which root can't have; the
        // virtual time passes only while nothing is being fetched.
        let output = Command::new("timeout")
            .arg("90")
            .arg(&chromium)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .args(["--virtual-time-budget=10000", "--dump-dom"])
            .arg(format!("http://127.0.0.1:{port}/"))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let dom = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{dom}{}", String::from_utf8_lossy(&output.stderr));
        dom
    };
    let dom = visit(our_port);
    assert!(dom.contains("answered 200") && dom.contains("\"accepted\":1"), "{dom}");
    let dom = visit(strange_port);
    assert!(dom.contains("kept from it: TypeError"), "{dom}");

    // The preflight told the browser to send nothing at all.
    let payloads: Vec<_> = sink
        .events()
        .iter()
        .map(|event| String::from_utf8(event.payload().to_vec()).unwrap())
        .collect();
    assert_eq!(payloads.len(), 1, "{payloads:?}");
    assert!(payloads[0].contains(&our_port.to_string()) && !payloads[0].contains(KEY));
}
