//! No credential that a client sends comes to light anywhere: not in what is stored, not in a log
//! line at any level, not in a metric, not in an answer.

use std::io::Read;
use std::path::Path;
use std::process::Command;

use crate::support::{Client, Process, Reply};

/// Headers that carry credentials, each in a form in which clients send them.
const CREDENTIALS: &[(&str, &str)] = &[
    ("Authorization", "Bearer "),
    ("Authorization", "Basic "),
    ("Authorization", "Digest username=\"ada\", response="),
    ("Authorization", "AWS4-HMAC-SHA256 Credential=a/b, Signature="),
    ("Authorization", "Negotiate "),
    ("Authorization", "token "),
    ("Authorization", ""),
    ("Proxy-Authorization", "Basic "),
    ("Cookie", "theme=dark; session="),
    ("Cookie2", "$Version="),
    ("Set-Cookie", "session="),
    ("X-Api-Key", ""),
    ("Api-Key", ""),
    ("X-Auth-Token", ""),
    ("X-Access-Token", ""),
    ("X-Refresh-Token", ""),
    ("X-Session-Token", ""),
    ("X-Amz-Security-Token", ""),
    ("X-Amzn-Oidc-Data", ""),
    ("X-Goog-Api-Key", ""),
    ("X-Goog-Iap-Jwt-Assertion", ""),
    ("X-Csrf-Token", ""),
    ("X-Xsrf-Token", ""),
    ("X-Vault-Token", ""),
    ("X-Gitlab-Token", ""),
    ("X-Hub-Signature-256", "sha256="),
    ("X-Forwarded-Access-Token", ""),
    ("X-Forwarded-Client-Cert", "Hash="),
    ("X-Ms-Token-Aad-Access-Token", ""),
    ("Cf-Access-Jwt-Assertion", ""),
    ("Sec-WebSocket-Key", ""),
    ("DPoP", ""),
    ("Authentication-Info", "nextnonce="),
    ("X-Otp", ""),
    ("X-Pwd", ""),
    ("X-Passwd", ""),
    ("X-One-Time-Password", ""),
    ("X-Session-Id", ""),
    ("X-SESSIONID", ""),
    ("X-Auth-Ticket", ""),
    ("X-Steam-Ticket", ""),
];

/// How many headers one request brings: servers limit them.
const HEADERS: usize = 16;

/// What must be found where events are: else a search that finds nothing says nothing.
const CONTROL: &str = "not-a-secret-at-all";

/// The secrets that were sent, and everything in which they must not be.
#[derive(Default)]
struct Search {
    secrets: Vec<String>,
    places: Vec<(String, Vec<u8>)>,
}

impl Search {
    /// A new secret, sent in the way that `how` says.
    fn secret(&mut self, how: &str) -> String {
        let plain: String = how.chars().filter(char::is_ascii_alphanumeric).collect();
        let secret = format!("sesame{}x{plain}", self.secrets.len());
        self.secrets.push(secret.clone());
        secret
    }

    fn add(&mut self, place: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.places.push((place.into(), bytes.into()));
    }

    fn add_reply(&mut self, reply: &Reply) {
        // All of its headers, and its body.
        self.add("an answer", format!("{reply:?}"));
    }

    /// Every file of a folder, byte for byte.
    fn add_folder(&mut self, when: &str, folder: &Path) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            self.add(format!("{name} {when}"), std::fs::read(&path).unwrap());
        }
    }

    fn contains(bytes: &[u8], text: &str) -> bool {
        bytes.windows(text.len()).any(|window| window.eq_ignore_ascii_case(text.as_bytes()))
    }

    /// Where the control was found.
    fn controls(&self) -> Vec<&str> {
        let found = self.places.iter().filter(|(_, bytes)| Self::contains(bytes, CONTROL));
        found.map(|(place, _)| place.as_str()).collect()
    }

    fn assert_nothing_found(&self) {
        let mut found = Vec::new();
        for (place, bytes) in &self.places {
            // All of the secrets start alike: most places need to be looked through once.
            if Self::contains(bytes, "sesame") {
                let secrets = self.secrets.iter().filter(|secret| Self::contains(bytes, secret));
                found.extend(secrets.map(|secret| format!("{secret} in {place}")));
            }
        }
        assert!(!self.secrets.is_empty() && !self.places.is_empty());
        assert!(found.is_empty(), "{found:#?}");
    }
}

/// Sends every credential in every way that there is.
fn send_all(process: &Process, search: &mut Search) {
    type Spelling = fn(&str) -> String;
    let spellings: [Spelling; 4] =
        [str::to_owned, str::to_uppercase, str::to_lowercase, |name| name.replace('-', "_")];
    for spelling in spellings {
        for credentials in CREDENTIALS.chunks(HEADERS / 2) {
            let mut head = String::new();
            for (name, scheme) in credentials {
                let name = spelling(name);
                // Each twice: of headers that are repeated, events keep all values.
                for _ in 0..2 {
                    head += &format!("{name}: {scheme}{}\r\n", search.secret(&name));
                }
            }
            for (request, body) in [
                ("GET /purchase_a_sword", ""),
                ("POST /join_guild?guild=Owls", "{\"guild\":\"Owls\"}"),
                ("POST /v1/events", "{\"event_type\":\"purchase_sword\"}"),
                ("POST /v1/events", "{\"event_type\":\"unheard_of\"}"),
                ("POST /v1/events", "[{\"event_type\":"),
                ("DELETE /purchase_a_sword", ""),
                ("GET /nowhere", ""),
                ("GET /healthz/ready", ""),
            ] {
                let length = body.len();
                send(
                    process,
                    search,
                    &format!(
                        "{request} HTTP/1.1\r\nHost: a.example\r\nUser-Agent: {CONTROL}\r\n\
                         {head}Content-Length: {length}\r\n\r\n{body}"
                    ),
                );
            }
        }
    }
    send_oddly(process, search);
}

/// Credentials where they are not looked for.
fn send_oddly(process: &Process, search: &mut Search) {
    let mut secret = |how: &str| search.secret(how);
    let requests = [
        // In the query, which is no field of the event.
        format!(
            "GET /purchase_a_sword?api_key={}&access_token={} HTTP/1.1\r\nHost: a.example\r\n\r\n",
            secret("query"),
            secret("query")
        ),
        // In front of the host, as in a request to a proxy.
        format!(
            "GET http://ada:{}@a.example/purchase_a_sword?token={} HTTP/1.1\r\n\r\n",
            secret("userinfo"),
            secret("absolute query")
        ),
        format!(
            "GET http://ada:{}@a.example/purchase_a_sword HTTP/1.1\r\nHost: b.example\r\n\r\n",
            secret("userinfo beside a host")
        ),
        format!(
            "GET /purchase_a_sword HTTP/1.1\r\nHost: ada:{}@a.example\r\n\r\n",
            secret("userinfo in the host")
        ),
        // In a trailer.
        format!(
            "POST /v1/events HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\
             Trailer: Authorization\r\n\r\n1f\r\n{{\"event_type\":\"purchase_sword\"}}\r\n0\r\n\
             Authorization: Bearer {}\r\nUser-Agent: {}\r\n\r\n",
            secret("trailer"),
            secret("trailer of a kept name")
        ),
        // In heads that are no HTTP.
        format!(
            "GET / HTTP/1.1\r\nHost: a.example\r\nAuthorization : Bearer {}\r\n\r\n",
            secret("space before the colon")
        ),
        format!(
            "GET / HTTP/1.1\r\nHost: a.example\r\nAuthorization: Bearer\r\n {}\r\n\r\n",
            secret("folded line")
        ),
        format!(
            "GET / HTTP/1.1\r\nHost: a.example\r\nAuthorization Bearer {}\r\n\r\n",
            secret("no colon")
        ),
        format!(
            "GET / HTTP/1.1\r\nHost: a.example\r\nCookie: a=\0{}\r\n\r\n",
            secret("NUL in the value")
        ),
    ];
    for request in requests {
        send(process, search, &request);
    }
}

/// Sends a request over a connection of its own; the answer may be none at all.
fn send(process: &Process, search: &mut Search, request: &str) {
    let mut client = Client::connect(process.address).unwrap();
    client.send(request.as_bytes()).unwrap();
    if let Ok(reply) = client.reply() {
        search.add_reply(&reply);
    }
}

/// The same over HTTP/2, where a head is packed by another code.
fn send_http2(process: &Process, search: &mut Search) {
    use hyper_util::client::legacy::Client;
    use hyper_util::rt::TokioExecutor;

    let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http::<String>();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for credentials in CREDENTIALS.chunks(HEADERS) {
        let mut request =
            http::Request::get(format!("http://{}/purchase_a_sword", process.address))
                .header("user-agent", CONTROL);
        for (name, scheme) in credentials {
            request = request.header(*name, format!("{scheme}{}", search.secret("http2")));
        }
        let request = request.body(String::new()).unwrap();
        let reply = runtime.block_on(client.request(request)).unwrap();
        assert_eq!(reply.status(), 200);
        search.add("an answer over HTTP/2", format!("{:?}", reply.headers()));
    }
}

/// Runs a server with these arguments at the level `trace`, sends it everything, and looks into
/// stdout and stderr. `look` adds every further place where something could be, while the server is
/// there and after it.
fn search_on(arguments: &[&str], mut look: impl FnMut(&mut Search, &str)) -> Search {
    let mut search = Search::default();
    let arguments = [arguments, &["--log", "trace", "--admin-listen", "127.0.0.1:0"]].concat();
    let (process, mut stdout) = Process::start_with_stdout(&arguments);
    let said = std::thread::spawn(move || {
        let mut said = Vec::new();
        stdout.read_to_end(&mut said).unwrap();
        said
    });
    send_all(&process, &mut search);
    send_http2(&process, &mut search);
    let metrics = Client::connect(process.admin()).unwrap().get("/metrics").unwrap();
    assert!(metrics.body.contains("gametel_http_refused_total"), "{metrics:?}");
    search.add("the metrics", metrics.body);
    look(&mut search, "while it is served");
    process.terminate();
    let (code, stderr) = process.wait();
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains("TRACE"), "it logs less than it could");
    search.add("stderr", stderr);
    search.add("stdout", said.join().unwrap());
    look(&mut search, "after the end");
    search
}

#[test]
fn no_credential_comes_to_light_with_a_log() {
    let folder = tempfile::tempdir().unwrap();
    let sink = format!("sqlite:{}", folder.path().join("events.db").display());
    let search =
        search_on(&["--sink", &sink], |search, when| search.add_folder(when, folder.path()));
    let controls = search.controls();
    assert!(controls.contains(&"events.db-wal while it is served"), "{controls:?}");
    assert!(controls.contains(&"events.db after the end"), "{controls:?}");
    search.assert_nothing_found();
}

#[test]
fn no_credential_comes_to_light_on_stdout() {
    let search = search_on(&["--sink", "stdout:"], |_, _| {});
    assert!(search.controls().contains(&"stdout"), "{:?}", search.controls());
    search.assert_nothing_found();
}

#[test]
fn no_credential_comes_to_light_in_kafka() {
    let test = "no_credential_comes_to_light_in_kafka";
    let Some(brokers) = gametel_cluster::kafka(test) else { return };
    let Some(kcat) = gametel_cluster::program(test, "kcat") else { return };
    let topic = gametel_cluster::unique("leaks");
    let search = search_on(&["--sink", &format!("kafka://{brokers}/{topic}")], |search, when| {
        // Keys and headers of the records, too.
        let arguments = ["-C", "-b", &brokers, "-t", &topic, "-o", "beginning", "-e", "-q"];
        let output = Command::new(&kcat).args(arguments).args(["-f", "%k %h %s\n"]).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{output:?}");
        search.add(format!("the topic {when}"), output.stdout);
    });
    assert!(search.controls().contains(&"the topic after the end"), "{:?}", search.controls());
    search.assert_nothing_found();
}

#[test]
fn no_credential_comes_to_light_in_a_spool() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool.db");
    // Nobody takes the events out of it.
    let sink = format!("kafka://127.0.0.1:{}/events", gametel_cluster::free_port());
    let arguments = ["--sink", &sink, "--spool", spool.to_str().unwrap()];
    let search = search_on(&arguments, |search, when| search.add_folder(when, folder.path()));
    let controls = search.controls();
    assert!(controls.contains(&"spool.db-wal while it is served"), "{controls:?}");
    assert!(controls.contains(&"spool.db after the end"), "{controls:?}");
    search.assert_nothing_found();
}
