//! What costs a process memory or files: a real one, and what the system says of it.

#[cfg(feature = "zstd")]
use std::io::Read;
use std::io::Write;
use std::sync::Barrier;
use std::thread;

use flate2::Compression;
use flate2::write::GzEncoder;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::support::{Client, Process};

const MIB: usize = 1024 * 1024;

/// Lets this process open as many files as it ever may.
fn allow_files(count: u64) {
    let limit = getrlimit(Resource::Nofile);
    let enough = limit.maximum.is_none_or(|maximum| maximum >= count);
    assert!(enough, "the test needs {count} open files: raise the hard limit (ulimit -Hn)");
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
}

#[test]
fn ten_thousand_idle_connections_keep_nobody_out_that_is_in() {
    const PLACES: usize = 9_500;
    allow_files(10_500);
    let places = PLACES.to_string();
    let arguments = ["--sink", "null:", "--max-connections", &places];
    let process = Process::start_with_few_files(10_500, &arguments);
    let mut inside = Client::connect(process.address).unwrap();
    assert_eq!(inside.get("/").unwrap().status, 200);
    let before = process.peak_memory();
    let mut idle = Vec::new();
    while idle.len() < 10_000 {
        idle.extend((0..500).map(|_| Client::socket(process.address).unwrap()));
        // However long it takes: it is itself never idle for long.
        assert_eq!(inside.get("/").unwrap().status, 200);
    }
    let each = (process.peak_memory() - before) / PLACES;
    assert!(each < 16 * 1024, "{each} bytes a connection");
    // Who does nothing is let go after 10 s, and the next one gets its place.
    assert_eq!(Client::connect(process.address).unwrap().get("/").unwrap().status, 200);
    drop(idle);
    assert_eq!(Client::connect(process.address).unwrap().get("/").unwrap().status, 200);
}

fn gzip_of_zeros(bytes: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&vec![0; bytes]).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_bomb_is_no_more_than_a_body_that_is_too_large() {
    // A gibibyte of zeros, in a mebibyte of members.
    let gzip = gzip_of_zeros(MIB).repeat(1024);
    assert!(gzip.len() < 2 * MIB);
    let gzip = &gzip[..gzip.len().min(MIB)];
    let twice = {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(gzip).unwrap();
        encoder.finish().unwrap()
    };
    let bombs = [
        ("gzip", gzip.to_vec()),
        ("gzip, gzip", twice),
        #[cfg(feature = "zstd")]
        ("zstd", zstd::encode_all(std::io::repeat(0).take(1024 * MIB as u64), 1).unwrap()),
    ];

    let process = Process::start(&["--sink", "null:"]);
    let mut client = Client::connect(process.address).unwrap();
    assert_eq!(client.post("/v1/events", vec![b' '; MIB]).unwrap().status, 400);
    let before = process.peak_memory();
    let start = Barrier::new(30);
    thread::scope(|scope| {
        for number in 0..30 {
            let (start, address) = (&start, process.address);
            let (encoding, body) = &bombs[number % bombs.len()];
            scope.spawn(move || {
                let mut client = Client::connect(address).unwrap();
                let length = body.len();
                let head = format!(
                    "POST /v1/events HTTP/1.1\r\nHost: a\r\nContent-Encoding: {encoding}\r\n\
                     Content-Length: {length}\r\n\r\n"
                );
                start.wait();
                client.send(&[head.as_bytes(), body].concat()).unwrap();
                let reply = client.reply().unwrap();
                assert_eq!((reply.status, &*reply.code()), (413, "body_too_large"), "{encoding}");
            });
        }
    });
    let grown = process.peak_memory() - before;
    assert!(grown < 64 * MIB, "{} MiB", grown / MIB);
    assert_eq!(client.get("/").unwrap().status, 200);
}

#[test]
fn bodies_that_never_end_stay_within_the_budget() {
    let process = Process::start(&["--sink", "null:"]);
    let mut client = Client::connect(process.address).unwrap();
    assert_eq!(client.get("/").unwrap().status, 200);
    let before = process.peak_memory();
    // 200 MiB, where there is room for 64.
    let head = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {MIB}\r\n\r\n");
    let almost = [head.as_bytes(), &vec![b' '; MIB - 1]].concat();
    let mut slow: Vec<Client> = (0..200)
        .map(|_| {
            let mut client = Client::connect(process.address).unwrap();
            client.send(&almost).unwrap();
            client
        })
        .collect();
    // All of it has come: the last byte is answered, by one or the other.
    let mut refused = 0;
    for client in &mut slow {
        let _ = client.send(b" ");
        let reply = client.reply().unwrap();
        match reply.status {
            503 => {
                assert_eq!(
                    (&*reply.code(), reply.header("retry-after")),
                    ("overloaded", Some("1"))
                );
                refused += 1;
            }
            // An event of white space alone is none, and this one is too large besides.
            status => assert_eq!(status, 413, "{}", reply.body),
        }
    }
    // What was refused makes room for others at once.
    assert!(refused >= 100, "{refused} refused");
    let grown = process.peak_memory() - before;
    // As much again for sockets, buffers and the allocator; without the budget it is above 200 MiB.
    assert!(grown < 2 * 64 * MIB, "{} MiB", grown / MIB);
    assert_eq!(client.get("/").unwrap().status, 200);
}
