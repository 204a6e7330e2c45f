//! What clients send to prove who they are is nowhere to be found afterwards: not in what is
//! stored, not on stderr with every line of the log on, and not in an answer.

use bytes::Bytes;
use gametel_http::KeyHash;
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy;
use hyper_util::rt::TokioExecutor;

use crate::support::{Client, Process};

/// In every secret value below.
const MARK: &str = "hunter2";

/// Headers that carry credentials, spelled as HTTP spells them and as it does not.
const HEADERS: [&str; 32] = [
    "Authorization: Bearer hunter2-bearer",
    "AUTHORIZATION: Basic hunter2-basic",
    "Proxy-Authorization: Basic hunter2-proxy",
    "Cookie: session=hunter2-cookie",
    "cookie: again=hunter2-cookie",
    "Set-Cookie: session=hunter2-set",
    "X-Api-Key: hunter2-api-key",
    "x-api-key: hunter2-again",
    "X_API_KEY: hunter2-underscored",
    "X_Api-Key: hunter2-mixed",
    "Api-Key: hunter2-short",
    "ApiKey: hunter2-shorter",
    "X-Auth-Token: hunter2-auth-token",
    "X-Access-Token: hunter2-access-token",
    "X-Amz-Security-Token: hunter2-amz",
    "X-Csrf-Token: hunter2-csrf",
    "X-Xsrf-Token: hunter2-xsrf",
    "X-Goog-Api-Key: hunter2-goog",
    "X-Vault-Token: hunter2-vault",
    "Private-Token: hunter2-private",
    "X-SecretKey: hunter2-playfab",
    "X-Forwarded-Access-Token: hunter2-forwarded",
    "Ocp-Apim-Subscription-Key: hunter2-azure",
    "DPoP: hunter2-dpop",
    "X-Otp: hunter2-otp",
    "X-Pwd: hunter2-pwd",
    "X-Passwd: hunter2-passwd",
    "X-One-Time-Password: hunter2-one-time",
    "x_session_id: hunter2-session",
    "X-SESSIONID: hunter2-sessionid",
    "X-Auth-Ticket: hunter2-auth-ticket",
    "X-Steam-Ticket: hunter2-steam",
];

/// Where a query would have one.
const QUERY: &str = "?api_key=hunter2-query&access_token=hunter2-token&key=hunter2-k&guild=Owls";

/// Sends all of it in every way, each header also alone, with and without a key that counts, and
/// gives all that was answered.
fn send_all(process: &Process, key: Option<&str>) -> String {
    let mut answers = String::new();
    let own = key.map(|key| format!("X-Api-Key: {key}"));
    let mut ask = |request: &str, headers: &[&str], body: &str| {
        let mut client = Client::connect(process.address).unwrap();
        let reply = client.ask(request, headers, body).unwrap();
        answers.push_str(&format!("{reply:?}\n"));
    };
    for alone in HEADERS.iter().map(|header| vec![*header]).chain([HEADERS.to_vec(), vec![]]) {
        let with_key: Vec<&str> = alone.iter().copied().chain(own.as_deref()).collect();
        for headers in [alone, with_key] {
            ask(&format!("GET /join_guild{QUERY}"), &headers, "");
            ask(&format!("POST /v1/events{QUERY}"), &headers, r#"{"event_type":"join_guild"}"#);
            ask(&format!("POST /v1/events{QUERY}"), &headers, "{");
            ask(&format!("DELETE /join_guild{QUERY}"), &headers, "");
            ask(&format!("GET /nope{QUERY}"), &headers, "");
            ask(&format!("GET /healthz/ready{QUERY}"), &headers, "");
        }
    }
    answers
}

/// Sends all of it over HTTP/2, whose library logs more than that of HTTP/1.
async fn send_over_http2(process: &Process) -> String {
    let client =
        legacy::Client::builder(TokioExecutor::new()).http2_only(true).build_http::<Empty<Bytes>>();
    let uri = format!("http://{}/join_guild{QUERY}", process.address);
    let mut request = http::Request::get(uri);
    for (name, value) in HEADERS.iter().filter_map(|line| line.split_once(": ")) {
        request = request.header(name, value);
    }
    let answer = client.request(request.body(Empty::new()).unwrap()).await.unwrap();
    let head = format!("{:?}", answer.headers());
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    format!("{head}\n{}\n", String::from_utf8_lossy(&body))
}

/// The bytes of the log sink: the database, and what is in its write-ahead log still.
fn stored(directory: &std::path::Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for file in std::fs::read_dir(directory).unwrap() {
        let path = file.unwrap().path();
        if path.to_string_lossy().contains("events.db") {
            bytes.extend(std::fs::read(path).unwrap());
        }
    }
    bytes
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_are_neither_stored_nor_logged_nor_answered() {
    for key in [None, Some("hunter2-right-key")] {
        let directory = tempfile::tempdir().unwrap();
        let sink = format!("sqlite:{}", directory.path().join("events.db").display());
        let keys = directory.path().join("keys.toml");
        let mut arguments = vec!["--sink", &sink, "--log", "trace"];
        let text =
            key.map(|key| format!("[[key]]\nname = \"arena\"\nhash = \"{}\"\n", KeyHash::of(key)));
        if let Some(text) = text {
            std::fs::write(&keys, text).unwrap();
            arguments.extend(["--key-file", keys.to_str().unwrap()]);
        }
        let process = Process::start(&arguments);
        let mut answers = send_all(&process, key);
        answers.push_str(&send_over_http2(&process).await);
        let while_running = stored(directory.path());
        process.terminate();
        let (code, stderr) = process.wait();
        assert_eq!(code, Some(0), "{stderr}");
        // That there is something to find: events were stored, and every line was logged.
        let after = stored(directory.path());
        assert!(contains(&after, "Owls") && stderr.contains("TRACE"), "{stderr}");
        for (place, bytes) in [
            ("the answers", answers.as_bytes()),
            ("stderr", stderr.as_bytes()),
            ("the log", &while_running),
            ("the log, closed", &after),
        ] {
            assert!(!contains(bytes, MARK), "{place} of a server with key {key:?}");
        }
    }
}
