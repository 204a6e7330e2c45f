//! What the settings say to each other, and that a server goes by each part of them.

use gametel_core::sink::log::LogReader;
use gametel_http::KeyHash;

use crate::config::{Folder, complaints, resolved, stdout};
use crate::support::{Client, Process};

/// That the file, with the options, has this one mistake.
fn assert_refused(text: &str, options: &[&str], complaint: &str) {
    let found = complaints(&Folder::with(text).check_with(&[], options));
    assert!(found.len() == 1 && found[0].starts_with(complaint), "{found:#?}\n is not {complaint}");
}

#[test]
fn a_setting_that_would_do_nothing_is_a_mistake() {
    let needs_spool = "there is no spool without spool.file (--spool)";
    let text = "[spool]\nmax_events = 5\n";
    assert_refused(text, &[], &format!("gametel.toml:2: spool.max_events: {needs_spool}"));
    for (options, name) in [
        (["--spool-ack", "spool"], "--spool-ack"),
        (["--spool-max-bytes", "1GiB"], "--spool-max-bytes"),
    ] {
        assert_refused("", &options, &format!("{name}: {needs_spool}"));
    }
    for (text, complaint) in [
        ("[tls]\ncertificate = \"a\"\n", "tls.certificate: it needs tls.private_key"),
        ("[tls]\nprivate_key = \"a\"\n", "tls.private_key: it needs tls.certificate"),
        (
            "[tls]\nclient_roots = \"a\"\n",
            "tls.client_roots: it needs tls.certificate and tls.private_key",
        ),
        ("[sink]\ndead_letter = \"null:\"\n", "sink.dead_letter: nothing is written there while"),
    ] {
        assert_refused(text, &[], &format!("gametel.toml:2: {complaint}"));
    }

    // What is written out with its default changes nothing, as does the table alone.
    let defaults = Folder::with("[spool]\nack = \"spool\"\nmax_bytes = \"1024MiB\"\n[tls]\n");
    assert_eq!(defaults.check().status.code(), Some(0));
    // What was quarantined before may still be in a spool.
    let dead_letter = "[sink]\ndead_letter = \"null:\"\n[spool]\nfile = \"spool.db\"\n";
    assert_eq!(Folder::with(dead_letter).check().status.code(), Some(0));
}

#[test]
fn settings_that_contradict_each_other_are_a_mistake() {
    for (text, complaint) in [
        (
            "[validation]\non_invalid = \"quarantine\"\n",
            "validation.on_invalid: \"quarantine\" needs",
        ),
        ("[server]\nadmin_listen = \"127.0.0.1:5000\"\n", "server.admin_listen: server.listen has"),
        ("[server]\nhead_bytes = \"4KiB\"\n", "server.head_bytes: it must be 8KiB or more"),
        ("[limits]\nin_flight_bytes = \"1MiB\"\n", "limits.in_flight_bytes: it must be twice"),
        ("[limits]\nin_flight_events = 9999\n", "limits.in_flight_events: it is less than"),
        ("[limits]\ndepth = 0\n", "limits.depth: it must be more than 0"),
        ("[deduplication]\nwindow = \"0s\"\n", "deduplication.window: it must be longer"),
        ("[spool]\nfile = \"gametel-events.db\"\n", "spool.file: a spool needs a file of its own"),
        ("[spool]\nfile = \"no/such/s.db\"\n", "spool.file: there is no folder"),
        ("[spool]\nbatch_events = 0\n[sink]\nurl = \"null:\"\n", "spool.batch_events: it must be"),
    ] {
        let found = complaints(&Folder::with(text).check());
        assert!(found[0].starts_with(&format!("gametel.toml:2: {complaint}")), "{found:#?}");
    }
    // The value that makes it so may be the default.
    let larger = ["--max-body-bytes", "100MiB"];
    assert_refused("", &larger, "limits.in_flight_bytes: it must be twice limits.body_bytes");
    let quarantine = ["--on-invalid", "quarantine", "--dead-letter", "sqlite:e.db"];
    let same = "--dead-letter: dead letters need a sink of their own";
    let same_sink = [&quarantine[..], &["--sink", "sqlite:e.db"]].concat();
    assert_refused("", &same_sink, same);
    let zero = "[rates]\nper_address = { requests_per_second = 0 }\n";
    assert_refused(zero, &[], "gametel.toml:2: rates.per_address.requests_per_second: ");
}

#[test]
fn a_switch_says_yes_alone_and_no_in_so_many_words() {
    let folder = Folder::with("[server]\nlisten = \"0.0.0.0:1\"\n");
    let refused = folder.check();
    let stderr = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(3), "{stderr}");
    assert!(stderr.contains("refused to listen on 0.0.0.0:1"), "{stderr}");
    let variable = "GAMETEL_ALLOW_PUBLIC_WITHOUT_KEYS";
    assert_eq!(folder.check_with(&[(variable, "true")], &[]).status.code(), Some(0));
    let told = folder.check_with(&[], &["--allow-public-without-keys"]);
    assert_eq!(resolved(&told)["server"]["allow_public_without_keys"].as_bool(), Some(true));

    let text = "[server]\nlisten = \"0.0.0.0:1\"\nallow_public_without_keys = true\n";
    let folder = Folder::with(text);
    assert_eq!(folder.check().status.code(), Some(0));
    let option = ["--allow-public-without-keys=false"];
    assert_eq!(folder.check_with(&[], &option).status.code(), Some(3));
    let found = complaints(&folder.check_with(&[(variable, "maybe")], &[]));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with(&format!("{variable}: invalid type: string \"maybe\"")));
}

#[test]
fn keys_are_shown_without_what_they_are_known_by() {
    let hash = KeyHash::of("k").to_string();
    let entry = format!(
        "[[key]]\nname = \"arena\"\nhash = \"{hash}\"\nevent_types = [\"join_guild\"]\n\
         requests_per_second = 5\nexpires = 2999-01-01T00:00:00+01:00\n"
    );
    let folder = Folder::with(&entry);
    let output = folder.check();
    let printed = stdout(&output);
    assert!(!printed.contains(&hash[..20]), "{printed}");
    for line in [
        "[[key]]  # gametel.toml:1".to_owned(),
        "name = \"arena\"".to_owned(),
        format!(
            "hash = \"{}…\"  # shortened: to load this file, put the whole hash in",
            &hash[..15]
        ),
        "event_types = [\"join_guild\"]".to_owned(),
        "requests_per_second = 5".to_owned(),
        "expires = \"2998-12-31T23:00:00Z\"".to_owned(),
    ] {
        assert!(printed.lines().any(|found| found == line), "{line}\n{printed}");
    }
    let found = complaints(&Folder::with(printed).check());
    assert!(
        found.len() == 1 && found[0].contains("key[0].hash: the hash of a key is"),
        "{found:#?}"
    );

    // Those of the file stand beside those of the key file, and must not contradict them.
    folder.write("keys.toml", &entry);
    let found = complaints(&folder.check_with(&[], &["--key-file", "keys.toml"]));
    assert!(found[0].contains("the keys arena and arena have the same hash"), "{found:#?}");
}

#[test]
fn a_server_goes_by_every_part_of_its_file() {
    let hash = KeyHash::of("k");
    let folder = Folder::with(&format!(
        "[server]\nadmin_listen = \"127.0.0.1:0\"\n[cors]\norigins = [\"https://play.example\"]\n\
         [sink]\nurl = \"sqlite:events.db\"\ndead_letter = \"sqlite:dead.db\"\n\
         [spool]\nfile = \"spool.db\"\n[validation]\non_invalid = \"quarantine\"\n\
         [deduplication]\nenabled = false\n[limits]\ndepth = 2\n\
         [rates]\nper_key = {{ requests_per_second = 1, burst = 5 }}\n\
         [catalog]\nfile = \"catalog.toml\"\n\
         [[key]]\nname = \"arena\"\nhash = \"{hash}\"\n"
    ));
    folder.write(
        "catalog.toml",
        "name = \"x\"\n[[event]]\ntype = \"duel\"\n[[event.field]]\nname = \"rounds\"\n\
         type = \"int64\"\n",
    );
    let config = folder.path().join("gametel.toml");
    let process = Process::start(&["--config", config.to_str().unwrap()]);
    let mut client = Client::connect(process.address).unwrap();
    let mut send = |body: &str, headers: &[&str]| {
        let headers = [&["Origin: https://play.example"], headers].concat();
        client.ask("POST /v1/events", &headers, body).unwrap()
    };
    let event = r#"{"event_type":"duel","event_id":"0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b"}"#;
    assert_eq!(send(event, &[]).status, 401);
    let key = ["X-Api-Key: k"];
    let twice = [send(event, &key), send(event, &key)];
    assert!(twice.iter().all(|reply| reply.json()["accepted"] == 1), "{twice:?}");
    let allowed = twice[0].header("access-control-allow-origin");
    assert_eq!(allowed, Some("https://play.example"));
    let quarantined = send(r#"{"event_type":"duel","rounds":"two"}"#, &key);
    assert_eq!(quarantined.json()["quarantined"], 1, "{quarantined:?}");
    assert_eq!(send(r#"{"event_type":"duel","x":[[1]]}"#, &key).code(), "too_deep");
    let statuses: Vec<_> = (0..3).map(|_| send(event, &key).status).collect();
    assert!(statuses.contains(&429), "{statuses:?}");
    let accepted = 2 + statuses.iter().filter(|status| **status == 200).count();
    process.terminate();
    let (code, stderr) = process.wait();
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains("admin requests on http://127.0.0.1:"), "{stderr}");
    assert!(folder.path().join("spool.db").exists());
    let stored = |file| {
        let (low, high) = LogReader::open(&folder.path().join(file)).unwrap().range().unwrap();
        usize::try_from(high - low).unwrap()
    };
    // The repeats, too, as the file has it.
    assert_eq!((stored("events.db"), stored("dead.db")), (accepted, 1));
}
