//! The command: its options, exit codes and messages, and the bad input that must not end it.

use std::net::TcpListener;
use std::process::Output;
use std::time::{Duration, Instant};

use crate::support::{Client, Process};

fn code_and_stderr(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_mistake_in_the_configuration_is_one_line_and_code_2() {
    let directory = tempfile::tempdir().unwrap();
    let broken = directory.path().join("broken.toml");
    std::fs::write(&broken, "name = \"x\"\ncolour = 1\n").unwrap();
    let reserved = directory.path().join("reserved.toml");
    let text = "name = \"x\"\n[[event]]\ntype = \"ready\"\nroute = \"/healthz/ready\"\n";
    std::fs::write(&reserved, text).unwrap();
    let version = directory.path().join("version.toml");
    std::fs::write(&version, "name = \"x\"\nheaders = [\"x-game-version\"]\n").unwrap();
    let (broken, reserved) = (broken.to_str().unwrap(), reserved.to_str().unwrap());
    let version = version.to_str().unwrap();
    for (arguments, says) in [
        (&["--catalog", "no/such.toml"][..], "no/such.toml"),
        (&["--catalog", broken], "broken.toml:2: colour: unknown field `colour`"),
        (
            &["--catalog", reserved],
            "reserved.toml:3: event \"ready\": the route \"/healthz/ready\" is the server's own",
        ),
        (&["--keep-header", "Cookie"], "the header Cookie is secret"),
        (
            &["--keep-header", "X-Token", "--secret-header", "x-token"],
            "the header X-Token is secret",
        ),
        (
            &["--catalog", version, "--secret-header", "x-game-version"],
            "the header X-Game-Version is secret",
        ),
        (
            &["--catalog", version, "--keep-header", "x-game-version"],
            "the header X-Game-Version is named twice",
        ),
        (&["--log", "gametel_http=loud"], "is no filter for the log"),
    ] {
        let arguments =
            [&["serve", "--listen", "127.0.0.1:0", "--sink", "null:"], arguments].concat();
        let (code, stderr) = code_and_stderr(&Process::run(&arguments));
        assert_eq!(code, Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.starts_with("gametel-http: ") && stderr.contains(says), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
    for arguments in [
        &["--sink", "http://x"][..],
        &["--listen", "somewhere"],
        &["--max-connections", "0"],
        &["--topic-partitions", "0"],
        &["--colour", "red"],
    ] {
        let (code, stderr) = code_and_stderr(&Process::run(&[&["serve"], arguments].concat()));
        assert_eq!(code, Some(2), "{arguments:?}: {stderr}");
    }
}

#[test]
fn what_can_not_be_had_is_one_line_and_code_1() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = Process::run(&["serve", "--listen", &address, "--sink", "null:"]);
    let (code, stderr) = code_and_stderr(&output);
    assert_eq!(code, Some(1), "{stderr}");
    let says = format!("gametel-http: can't listen on {address}: Address already in use");
    assert!(stderr.starts_with(&says) && stderr.lines().count() == 1, "{stderr}");
}

#[cfg(not(feature = "log"))]
#[test]
fn a_sink_that_is_not_compiled_in_names_its_feature() {
    let (code, stderr) = code_and_stderr(&Process::run(&["serve", "--sink", "sqlite:x.db"]));
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("the feature \"log\""), "{stderr}");
}

#[cfg(not(feature = "kafka"))]
#[test]
fn kafka_that_is_not_compiled_in_names_its_feature() {
    let (code, stderr) =
        code_and_stderr(&Process::run(&["serve", "--sink", "kafka://127.0.0.1:1/t"]));
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("the feature \"kafka\""), "{stderr}");
}

#[test]
fn bad_input_is_answered_and_the_server_goes_on() {
    let process = Process::start(&["--sink", "null:", "--log-format", "json"]);
    let client = || Client::connect(process.address).unwrap();
    let good = || client().get("/purchase_a_sword").unwrap().body;

    let reply = client().post("/purchase_a_sword", "not json").unwrap();
    assert_eq!((reply.status, reply.code()), (400, "invalid_json".to_owned()));
    assert_eq!(good(), "Sword Purchased!\n");

    let array = r#"[{"event_type":"purchase_sword"},{"event_type":7},{"event_type":"default"}]"#;
    let reply = client().post("/v1/events", array).unwrap();
    assert_eq!(reply.status, 200);
    assert_eq!((&reply.json()["accepted"], &reply.json()["rejected"]), (&2.into(), &1.into()));
    assert_eq!(reply.json()["results"][1]["error"]["code"], "event_type_not_a_string");
    assert_eq!(good(), "Sword Purchased!\n");

    let reply = client().post("/v1/events", vec![b'['; 10_000_000]).unwrap();
    assert_eq!((reply.status, reply.code()), (413, "body_too_large".to_owned()));
    assert_eq!(good(), "Sword Purchased!\n");

    let mut odd = client();
    odd.send(b"GET /purchase_a_sword HTTP/1.1\r\nHost: caf\xe9\r\nAccept: \xff\r\n\r\n").unwrap();
    assert_eq!(odd.reply().unwrap().status, 200);
    assert_eq!(good(), "Sword Purchased!\n");

    let reply = client().get("/purchase_a_unicorn").unwrap();
    assert_eq!((reply.status, reply.code()), (404, "not_found".to_owned()));
    let mut delete = client();
    delete.send(b"DELETE /purchase_a_sword HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let reply = delete.reply().unwrap();
    assert_eq!((reply.status, reply.code()), (405, "method_not_allowed".to_owned()));
    assert_eq!(reply.header("allow"), Some("GET, POST"));
    assert_eq!(good(), "Sword Purchased!\n");

    process.terminate();
    let (code, stderr) = process.wait();
    assert_eq!(code, Some(0), "{stderr}");
    assert!(
        stderr.contains("stopped: 8 accepted, 3 rejected, 0 failed, 2 lossy values"),
        "{stderr}"
    );
    // What clients sent is theirs: it is in no log line.
    assert!(!stderr.contains("caf"), "{stderr}");
}

#[test]
fn running_out_of_open_files_is_only_a_wait() {
    // A port that is free.
    let admin = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let arguments = ["--sink", "null:", "--admin-listen", &admin.to_string()];
    let mut process = Process::start_with_few_files(32, &arguments);
    let mut admin = Client::connect(admin).unwrap();
    let mut errors = || {
        let metrics = admin.get("/metrics").unwrap().body;
        let mut lines = metrics.lines();
        let count = lines.find_map(|line| line.strip_prefix("gametel_http_accept_errors_total "));
        count.unwrap().parse::<u32>().unwrap()
    };
    assert_eq!(errors(), 0);
    // More than it can open, which the operating system accepts for it all the same.
    let mut clients: Vec<_> = (0..64).map(|_| Client::connect(process.address).unwrap()).collect();
    for client in &mut clients {
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    }
    for client in &mut clients {
        assert_eq!(client.reply().unwrap().status, 200);
    }
    let idle: Vec<_> = (0..64).map(|_| Client::connect(process.address).unwrap()).collect();
    process.wait_for("connections can't be accepted");
    let deadline = Instant::now() + Duration::from_secs(20);
    while errors() < 5 {
        assert!(Instant::now() < deadline, "it does not try again");
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(idle);
    assert_eq!(Client::connect(process.address).unwrap().get("/").unwrap().status, 200);
    process.terminate();
    let (_, stderr) = process.wait();
    // A line every 10 s, however many there are; the test may last longer than that.
    assert!(stderr.matches("can't be accepted").count() <= 2, "{stderr}");
}

#[test]
fn stdout_has_the_events_and_nothing_else() {
    use std::io::{BufRead, BufReader, Read};

    let (mut process, stdout) = Process::start_with_stdout(&["--sink", "stdout:"]);
    let mut stdout = BufReader::new(stdout);
    let mut client = Client::connect(process.address).unwrap();
    let pretty = "{\n \"event_type\": \"default\",\n \"tags\": [\n  1\n ]\n}";
    assert_eq!(client.post("/v1/events", pretty).unwrap().status, 200);
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    let event: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&event["event_type"], &event["tags"][0]), (&"default".into(), &1.into()));
    process.kill();
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
}

#[test]
fn an_error_shows_no_password() {
    let url = "kafka://user:hunter2@127.0.0.1:1/events";
    let (code, stderr) = code_and_stderr(&Process::run(&["serve", "--sink", url]));
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("credentials") && !stderr.contains("hunter2"), "{stderr}");
}
