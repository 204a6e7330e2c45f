//! What the log says of requests, and what it never says.

use serde_json::Value;

use crate::support::{Client, Process};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn json(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

#[test]
fn a_request_is_one_line_with_its_ids_and_nothing_of_what_was_sent() {
    let log = "gametel_http::access=debug,info";
    let mut process = Process::start(&["--sink", "null:", "--log-format", "json", "--log", log]);
    let mut client = Client::connect(process.address).unwrap();
    let body = r#"{"event_type":"default","a":"hunter2"} {"event_type":"hunter2"}"#;
    let head = format!(
        "POST /v1/events?password=hunter2 HTTP/1.1\r\nHost: hunter2\r\nX-Request-Id: mine-7\r\n\
         traceparent: 00-{TRACE}-00f067aa0ba902b7-01\r\nAuthorization: Bearer hunter2\r\n\
         User-Agent: hunter2\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    client.send(head.as_bytes()).unwrap();
    assert_eq!(client.reply().unwrap().status, 200);
    let line = json(&process.wait_for("answered"));
    assert_eq!(
        (&line["level"], &line["target"]),
        (&"DEBUG".into(), &"gametel_http::access".into())
    );
    let fields = &line["fields"];
    for (name, expected) in [
        ("method", Value::from("POST")),
        ("route", "/v1/events".into()),
        ("status", 200.into()),
        ("accepted", 1.into()),
        ("refused", 1.into()),
    ] {
        assert_eq!(fields[name], expected, "{name} in {line}");
    }
    assert!(fields["peer"].as_str().unwrap().starts_with("127.0.0.1:"), "{line}");
    assert_eq!(fields["client"], "127.0.0.1");
    assert!(fields["seconds"].as_f64().unwrap() > 0.0, "{line}");
    let span = &line["span"];
    assert_eq!((&span["request_id"], &span["trace_id"]), (&"mine-7".into(), &TRACE.into()));
    assert_eq!(span["parent_id"], "00f067aa0ba902b7");

    // Paths are the client's, too.
    assert_eq!(client.get("/hunter2?hunter2").unwrap().status, 404);
    let line = json(&process.wait_for("answered"));
    assert_eq!(
        (&line["fields"]["route"], &line["fields"]["code"]),
        (&"none".into(), &"not_found".into())
    );
    process.terminate();
    let (code, stderr) = process.wait();
    assert_eq!(code, Some(0), "{stderr}");
    assert!(!stderr.contains("hunter2"), "{stderr}");
}

#[cfg(target_os = "linux")]
#[test]
fn what_goes_wrong_with_a_request_is_logged_under_its_id_and_refusals_once() {
    // A sink whose every write fails.
    let arguments = ["--sink", "stdout:", "--log-format", "json"];
    let (mut process, stdout) = Process::start_with_stdout(&arguments);
    drop(stdout);
    let mut client = Client::connect(process.address).unwrap();
    for number in 0..3 {
        client
            .send(
                format!("GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: id-{number}\r\n\r\n")
                    .as_bytes(),
            )
            .unwrap();
        assert_eq!(client.reply().unwrap().status, 503);
    }
    let failed = json(&process.wait_for("the sink failed"));
    assert_eq!(failed["span"]["request_id"], "id-0", "{failed}");
    let refused = json(&process.wait_for("requests are refused"));
    assert_eq!((&refused["level"], &refused["fields"]["status"]), (&"WARN".into(), &503.into()));
    assert_eq!(refused["span"]["request_id"], "id-0", "{refused}");
    // Who asks is not told why; who reads the log is, and once.
    for _ in 0..3 {
        assert_eq!(client.get("/healthz/ready").unwrap().status, 503);
    }
    let down = json(&process.wait_for("a check is down"));
    assert_eq!((&down["level"], &down["fields"]["check"]), (&"WARN".into(), &"writes".into()));
    assert!(down["fields"]["reason"].as_str().unwrap().contains("a write"), "{down}");
    process.terminate();
    let (_, stderr) = process.wait();
    assert_eq!(stderr.matches("requests are refused").count(), 1, "{stderr}");
    assert_eq!(stderr.matches("a check is down").count(), 1, "{stderr}");
    assert!(!stderr.contains("\"answered\""), "{stderr}");
}

#[cfg(target_os = "linux")]
#[test]
fn why_a_write_failed_is_in_the_log_and_on_the_admin_listener_and_in_no_answer() {
    // A pipe that nobody reads.
    let arguments = ["--sink", "stdout:", "--log-format", "json", "--log", "gametel_http=debug"];
    let arguments = [&arguments[..], &["--admin-listen", "127.0.0.1:0"]].concat();
    let (mut process, stdout) = Process::start_with_stdout(&arguments);
    drop(stdout);
    let mut client = Client::connect(process.address).unwrap();
    let body = r#"{"event_type":"default"}"#;
    for (request, body, id, line) in [
        ("GET /", "", "id-0", "the sink failed, not ready"),
        ("GET /", "", "id-1", "the sink failed again"),
        ("POST /v1/events", body, "id-2", "the sink failed again"),
    ] {
        let reply = client.ask(request, &[&format!("X-Request-Id: {id}")], body).unwrap();
        assert_eq!((reply.status, reply.json()["error"]["code"].as_str()), (503, Some("io")));
        for word in ["stdout", "pipe", "os error"] {
            assert!(!reply.body.contains(word), "{}", reply.body);
        }
        let logged = json(&process.wait_for(line));
        assert_eq!(logged["span"]["request_id"], id, "{logged}");
        assert!(logged["fields"]["error"].as_str().unwrap().contains("Broken pipe"), "{logged}");
    }
    let public = client.get("/healthz/ready").unwrap();
    assert!(public.status == 503 && !public.body.contains("pipe"), "{public:?}");
    let admin = Client::connect(process.admin()).unwrap().get("/healthz/ready").unwrap();
    assert!(admin.status == 503 && admin.body.contains("Broken pipe"), "{admin:?}");
}

#[test]
fn behind_a_trusted_proxy_the_log_has_the_client() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gametel.toml");
    let settings = "[rates]\ntrusted_proxies = [\"127.0.0.0/8\"]\n[sink]\nurl = \"null:\"\n";
    std::fs::write(&file, settings).unwrap();
    let arguments = ["--config", file.to_str().unwrap(), "--log-format", "json"];
    let log = ["--log", "gametel_http::access=debug,info"];
    let mut process = Process::start(&[&arguments[..], &log].concat());
    let mut client = Client::connect(process.address).unwrap();
    client.ask("GET /", &["X-Forwarded-For: 1.1.1.1, 198.51.100.7"], "").unwrap();
    let line = json(&process.wait_for("answered"));
    assert_eq!(line["fields"]["client"], "198.51.100.7");
    assert!(line["fields"]["peer"].as_str().unwrap().starts_with("127.0.0.1:"), "{line}");
}

#[test]
fn an_id_can_not_pass_for_a_span_of_its_own() {
    let mut process =
        Process::start(&["--sink", "null:", "--log", "gametel_http::access=debug,info"]);
    let mut client = Client::connect(process.address).unwrap();
    let forged = "7}:request{key=admin";
    let reply = client.ask("GET /", &[&format!("X-Request-Id: {forged}")], "").unwrap();
    assert_ne!(reply.header("x-request-id"), Some(forged));
    assert!(!process.wait_for("answered").contains("admin"));
}
