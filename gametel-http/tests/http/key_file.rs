//! Keys by the command: the file, the signal, what `key new` makes, and what is refused.

use std::path::Path;

use gametel_http::KeyHash;

use crate::support::{Client, Process};

const SWORD: &str = r#"{"event_type":"purchase_sword"}"#;

fn write_keys(path: &Path, keys: &[(&str, &str)]) {
    let entry = |(name, key): &(&str, &str)| {
        format!("[[key]]\nname = \"{name}\"\nhash = \"{}\"\n", KeyHash::of(key))
    };
    std::fs::write(path, keys.iter().map(entry).collect::<String>()).unwrap();
}

fn status(client: &mut Client, key: &str) -> u16 {
    let header = format!("X-Api-Key: {key}");
    client.ask("POST /v1/events", &[&header], SWORD).unwrap().status
}

#[test]
fn a_hangup_puts_the_new_keys_into_force_also_on_open_connections() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys.toml");
    write_keys(&path, &[("arena", "old")]);
    let mut process = Process::start(&["--sink", "null:", "--key-file", path.to_str().unwrap()]);
    let mut client = Client::connect(process.address).unwrap();
    assert_eq!((status(&mut client, "old"), status(&mut client, "new")), (200, 401));

    // Both for a while, as a rotation needs it, and then the new one alone.
    write_keys(&path, &[("arena", "old"), ("arena", "new")]);
    process.hang_up();
    process.wait_for("the keys were reloaded");
    assert_eq!((status(&mut client, "old"), status(&mut client, "new")), (200, 200));
    write_keys(&path, &[("arena", "new")]);
    process.hang_up();
    process.wait_for("the keys were reloaded");
    assert_eq!((status(&mut client, "old"), status(&mut client, "new")), (401, 200));

    for broken in ["", "[[key]]\nname = \"arena\"\nhash = \"newer\"\n"] {
        std::fs::write(&path, broken).unwrap();
        process.hang_up();
        let line = process.wait_for("the keys were not reloaded");
        assert!(line.contains("ERROR") && line.contains("keys.toml"), "{line}");
        assert_eq!((status(&mut client, "new"), status(&mut client, "newer")), (200, 401));
    }
    std::fs::remove_file(&path).unwrap();
    process.hang_up();
    process.wait_for("can't be read: No such file");
    assert_eq!(status(&mut client, "new"), 200);
    process.terminate();
    assert_eq!(process.wait().0, Some(0));
}

#[test]
fn a_hangup_puts_the_keys_of_the_configuration_file_into_force_too() {
    let directory = tempfile::tempdir().unwrap();
    let (config, file) = (directory.path().join("server.toml"), directory.path().join("keys.toml"));
    let write_config = |keys: &[(&str, &str)]| {
        write_keys(&config, keys);
        let keys = std::fs::read_to_string(&config).unwrap();
        std::fs::write(&config, format!("keys.file = \"keys.toml\"\n{keys}")).unwrap();
    };
    write_config(&[("arena", "old")]);
    write_keys(&file, &[("web", "file")]);
    let arguments = ["--sink", "null:", "--config", config.to_str().unwrap()];
    let mut process = Process::start(&arguments);
    let mut client = Client::connect(process.address).unwrap();
    let mut in_force = || ["old", "new", "file", "newer"].map(|key| status(&mut client, key));
    assert_eq!(in_force(), [200, 401, 200, 401]);

    write_config(&[("arena", "new")]);
    process.hang_up();
    process.wait_for("the keys were reloaded");
    assert_eq!(in_force(), [401, 200, 200, 401]);

    // Broken in another place than its keys; the key file is read all the same.
    write_config(&[("arena", "old")]);
    let broken = std::fs::read_to_string(&config).unwrap() + "[server]\nlisten = 7\n";
    std::fs::write(&config, broken).unwrap();
    write_keys(&file, &[("web", "newer")]);
    process.hang_up();
    let line = process.wait_for("the keys of the configuration file were not reloaded");
    assert!(line.contains("ERROR") && line.contains("server.toml:6"), "{line}");
    process.wait_for("the keys were reloaded");
    assert_eq!(in_force(), [401, 200, 401, 200]);

    std::fs::remove_file(&config).unwrap();
    process.hang_up();
    process.wait_for("the keys of the configuration file were not reloaded");
    process.wait_for("the keys were reloaded");
    assert_eq!(in_force(), [401, 200, 401, 200]);
    process.terminate();
    assert_eq!(process.wait().0, Some(0));
}

#[test]
fn keys_for_a_server_that_has_none_wait_for_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("server.toml");
    std::fs::write(&config, "").unwrap();
    let mut process = Process::start(&["--sink", "null:", "--config", config.to_str().unwrap()]);
    write_keys(&config, &[("arena", "new")]);
    process.hang_up();
    let line = process.wait_for("takes up those that are new at a restart");
    assert!(line.contains("ERROR"), "{line}");
    let mut client = Client::connect(process.address).unwrap();
    assert_eq!(client.get("/").unwrap().status, 200);
}

#[test]
fn a_hangup_without_anything_to_reload_ends_nothing() {
    let mut process = Process::start(&["--sink", "null:"]);
    process.hang_up();
    process.wait_for("SIGHUP");
    let mut client = Client::connect(process.address).unwrap();
    assert_eq!(client.get("/").unwrap().status, 200);
}

#[test]
fn a_key_that_allows_an_event_that_there_is_not_is_warned_of() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys.toml");
    let write = |event_type: &str| {
        let hash = KeyHash::of("k");
        let types = format!("event_types = [\"join_guild\", \"{event_type}\"]");
        let text = format!("[[key]]\nname = \"arena\"\nhash = \"{hash}\"\n{types}\n");
        std::fs::write(&path, text).unwrap();
    };
    write("purchase_horse");
    let mut process = Process::start(&["--sink", "null:", "--key-file", path.to_str().unwrap()]);
    write("purchase_unicorn");
    process.hang_up();
    process.wait_for("purchase_unicorn");
    process.terminate();
    let (_, stderr) = process.wait();
    let warnings: Vec<_> = stderr.lines().filter(|line| line.contains("WARN")).collect();
    assert_eq!(warnings.len(), 2, "{stderr}");
    assert!(warnings[0].contains("arena") && warnings[0].contains("purchase_horse"));
}

#[test]
fn files_and_origins_that_are_none_are_one_line_and_code_2() {
    let directory = tempfile::tempdir().unwrap();
    let broken = directory.path().join("broken");
    std::fs::write(&broken, "hunter2").unwrap();
    let broken = broken.to_str().unwrap();
    for (arguments, says) in [
        (&["--key-file", "no/such.toml"][..], "no/such.toml can't be read"),
        (&["--key-file", broken], "broken:1: "),
        #[cfg(feature = "tls")]
        (&["--tls-certificate", broken, "--tls-key", broken], "broken can't be read as PEM"),
    ] {
        let arguments = [&["serve", "--listen", "127.0.0.1:0", "--sink", "null:"], arguments];
        let output = Process::run(&arguments.concat());
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(says) && stderr.lines().count() == 1, "{stderr}");
        assert!(!stderr.contains("hunter2"), "{stderr}");
    }
    for arguments in [
        &["--cors-origin", "*"][..],
        &["--cors-origin", "https://play.example/"],
        &["--tls-certificate", broken],
    ] {
        let output = Process::run(&[&["serve"], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn a_new_key_is_shown_once_and_its_entry_fits_the_key_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys.toml");
    let output = Process::run(&[
        "key",
        "new",
        "--name",
        "arena",
        "--event-type",
        "purchase_sword,join_guild",
        "--requests-per-second",
        "50",
        "--burst",
        "100",
        "--expires",
        "2999-01-01T00:00:00Z",
    ]);
    assert_eq!(output.status.code(), Some(0));
    let (stdout, stderr) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    let key = stderr.split_whitespace().find(|word| word.starts_with("gametel_")).unwrap();
    assert!(!stdout.contains(key), "{stdout}");
    let entry: toml::Table = stdout.parse().unwrap();
    let entry = entry["key"][0].as_table().unwrap();
    assert_eq!(entry["hash"].as_str().unwrap(), KeyHash::of(key).to_string());
    assert_eq!(entry["requests_per_second"].as_integer(), Some(50));
    std::fs::write(&path, &stdout).unwrap();
    let process = Process::start(&["--sink", "null:", "--key-file", path.to_str().unwrap()]);
    let mut client = Client::connect(process.address).unwrap();
    assert_eq!(status(&mut client, key), 200);
    let header = format!("Authorization: Bearer {key}");
    let reply = client.ask("GET /purchase_a_potion", &[&header], "").unwrap();
    assert_eq!(reply.status, 403);

    for arguments in [&["--name", "a b"][..], &["--name", "a", "--burst", "3"], &[]] {
        let output = Process::run(&[&["key", "new"], arguments].concat());
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    }
}

#[test]
fn what_is_not_safe_is_refused_with_code_3() {
    let loopback = "127.0.0.1:0";
    for (listen, more, says) in [
        ("0.0.0.0:0", &[][..], "allow_public_without_keys"),
        ("[::]:0", &[], "allow_public_without_keys"),
        (loopback, &["--admin-listen", "0.0.0.0:0"], "allow_public_admin"),
    ] {
        let arguments = [&["serve", "--sink", "null:", "--listen", listen], more].concat();
        let output = Process::run(&arguments);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{stderr}");
        assert!(stderr.contains(says) && stderr.lines().count() == 1, "{stderr}");
    }
}
