//! `Content-Encoding`: what is sent compressed is read as if it were not, and costs no more.

#![cfg_attr(not(feature = "zstd"), allow(unused_mut, reason = "zstd adds a case of its own"))]

use std::io::Write;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use gametel_core::sink::MemorySink;
use gametel_http::{Limits, RouteOptions, ServerConfig};
use serde_json::Value;

use crate::support::{Client, Reply, Running};

type Encode = fn(&[u8]) -> Vec<u8>;

const LIMIT: usize = 64 * 1024;

fn start() -> (Arc<MemorySink>, Running) {
    let sink = Arc::new(MemorySink::new());
    let limits = Limits::default().with_body_bytes(LIMIT);
    let routes = RouteOptions::default().with_limits(limits);
    let config = ServerConfig::default().with_routes(routes);
    let server = Running::start(Arc::clone(&sink) as _, config);
    (sink, server)
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn zlib(plain: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn raw_deflate(plain: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn send(server: &Running, encoding: &str, body: &[u8]) -> Reply {
    let head = format!(
        "POST /join_guild HTTP/1.1\r\nHost: a\r\nContent-Encoding: {encoding}\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    let mut client = Client::connect(server.address).unwrap();
    client.send(&[head.as_bytes(), body].concat()).unwrap();
    client.reply().unwrap()
}

/// Sends it one byte a chunk, as the slowest network would.
fn send_in_pieces(server: &Running, encoding: &str, body: &[u8]) -> Reply {
    let mut request = format!(
        "POST /join_guild HTTP/1.1\r\nHost: a\r\nContent-Encoding: {encoding}\r\n\
         Transfer-Encoding: chunked\r\n\r\n"
    )
    .into_bytes();
    for byte in body {
        request.extend_from_slice(&[b'1', b'\r', b'\n', *byte, b'\r', b'\n']);
    }
    request.extend_from_slice(b"0\r\n\r\n");
    let mut client = Client::connect(server.address).unwrap();
    client.send(&request).unwrap();
    client.reply().unwrap()
}

fn guilds(sink: &MemorySink) -> Vec<String> {
    let guild = |payload: &[u8]| -> String {
        let event: Value = serde_json::from_slice(payload).unwrap();
        event["guild"].as_str().unwrap().to_owned()
    };
    sink.events().iter().map(|event| guild(event.payload())).collect()
}

#[test]
fn every_coding_is_undone_whole_or_in_pieces() {
    let (sink, server) = start();
    let plain = br#"{"guild":"Owls"}"#;
    let (first, second) = plain.split_at(7);
    let mut cases = vec![
        ("identity", plain.to_vec()),
        ("gzip", gzip(plain)),
        ("X-GZIP", gzip(plain)),
        ("gzip", [gzip(first), gzip(second)].concat()),
        ("deflate", zlib(plain)),
        ("deflate", raw_deflate(plain)),
        ("deflate, gzip", gzip(&zlib(plain))),
        ("gzip, deflate", raw_deflate(&gzip(plain))),
    ];
    #[cfg(feature = "zstd")]
    {
        let zstd = |plain: &[u8]| zstd::encode_all(plain, 3).unwrap();
        cases.push(("zstd", zstd(plain)));
        cases.push(("zstd", [zstd(first), zstd(second)].concat()));
        cases.push(("gzip, zstd", zstd(&gzip(plain))));
        cases.push(("zstd, deflate", zlib(&zstd(plain))));
    }
    for (encoding, body) in &cases {
        for reply in [send(&server, encoding, body), send_in_pieces(&server, encoding, body)] {
            assert_eq!(reply.status, 200, "{encoding}: {}", reply.body);
        }
    }
    assert_eq!(guilds(&sink), vec!["Owls"; 2 * cases.len()]);
}

#[test]
fn no_body_has_no_coding() {
    let (sink, server) = start();
    for encoding in ["gzip", "deflate", "zstd"] {
        if encoding != "zstd" || cfg!(feature = "zstd") {
            assert_eq!(send(&server, encoding, b"").status, 200, "{encoding}");
        }
    }
    assert!(sink.events().len() >= 2);
}

#[test]
fn an_unknown_coding_is_told_which_are_known() {
    let (sink, server) = start();
    for encoding in ["br", "compress", "gzip, br", "gzip, gzip, gzip", "gzip;q=1"] {
        let reply = send(&server, encoding, b"{}");
        assert_eq!((reply.status, &*reply.code()), (415, "unsupported_encoding"), "{encoding}");
        let offer = reply.header("accept-encoding").unwrap();
        assert!(offer.starts_with("gzip, deflate"), "{offer}");
        assert_eq!(offer.contains("zstd"), cfg!(feature = "zstd"), "{offer}");
    }
    assert!(sink.events().is_empty());
}

#[test]
fn what_is_broken_is_refused() {
    let (sink, server) = start();
    let plain = br#"{"guild":"Owls"}"#;
    let cut = |bytes: Vec<u8>| bytes[..bytes.len() - 1].to_vec();
    let flipped = |mut bytes: Vec<u8>| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x10;
        bytes
    };
    let mut cases = vec![
        ("gzip", plain.to_vec()),
        ("deflate", b"\x07garbage".to_vec()),
        ("gzip", zlib(plain)),
        ("gzip", cut(gzip(plain))),
        ("gzip", flipped(gzip(plain))),
        ("gzip", [gzip(plain), b"more".to_vec()].concat()),
        ("deflate", cut(zlib(plain))),
        ("deflate", cut(raw_deflate(plain))),
        ("deflate", flipped(zlib(plain))),
        ("deflate", [zlib(plain), b"more".to_vec()].concat()),
        ("gzip, deflate", zlib(plain)),
        // Deflate's first byte never comes.
        ("gzip, gzip", gzip(b"")),
    ];
    #[cfg(feature = "zstd")]
    {
        let zstd = zstd::encode_all(&plain[..], 3).unwrap();
        cases.push(("zstd", plain.to_vec()));
        cases.push(("zstd", cut(zstd.clone())));
        cases.push(("zstd", [zstd, b"more".to_vec()].concat()));
    }
    for (encoding, body) in &cases {
        for reply in [send(&server, encoding, body), send_in_pieces(&server, encoding, body)] {
            let found = (reply.status, reply.code());
            assert_eq!(found, (400, "invalid_encoding".to_owned()), "{encoding} {body:x?}");
        }
    }
    // Nothing within a coding within another is nothing, and not a fault of the server.
    assert_eq!(send(&server, "deflate, gzip", &gzip(b"")).status, 200);
    assert_eq!(sink.events().len(), 1);
}

#[test]
fn the_limit_is_for_what_it_becomes() {
    let (sink, server) = start();
    let body_of = |bytes: usize| {
        let filler = "x".repeat(bytes - br#"{"guild":""}"#.len());
        format!(r#"{{"guild":"{filler}"}}"#).into_bytes()
    };
    let (fits, too_large) = (body_of(LIMIT), body_of(LIMIT + 1));
    let mut codings: Vec<(&str, Encode)> = vec![
        ("gzip", gzip),
        ("deflate", zlib),
        ("deflate", raw_deflate),
        ("gzip, deflate", |plain| zlib(&gzip(plain))),
    ];
    #[cfg(feature = "zstd")]
    codings.push(("zstd", |plain| zstd::encode_all(plain, 3).unwrap()));
    for (encoding, encode) in &codings {
        assert_eq!(send(&server, encoding, &encode(&fits)).status, 200, "{encoding}");
        let reply = send(&server, encoding, &encode(&too_large));
        assert_eq!((reply.status, &*reply.code()), (413, "body_too_large"), "{encoding}");
    }
    // Neither is more taken than the limit as it is sent, whatever it becomes.
    let empty_members = gzip(b"").repeat(LIMIT / 20 + 1);
    assert!(empty_members.len() > LIMIT);
    for reply in [
        send(&server, "gzip", &empty_members),
        send_in_pieces(&server, "gzip", &empty_members),
        // A bomb between two codings, of which nothing is left at the end.
        send(&server, "gzip, gzip", &gzip(&gzip(b"").repeat(LIMIT))),
    ] {
        assert_eq!((reply.status, &*reply.code()), (413, "body_too_large"));
    }
    assert_eq!(sink.events().len(), codings.len());
}

#[cfg(feature = "zstd")]
#[test]
fn a_window_of_more_than_eight_mebibytes_is_refused() {
    let (_, server) = start();
    let with_window = |log| {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(log).unwrap();
        encoder.write_all(b"{}").unwrap();
        // The size is not known in advance, so that the frame says its window.
        encoder.finish().unwrap()
    };
    assert_eq!(send(&server, "zstd", &with_window(23)).status, 200);
    let reply = send(&server, "zstd", &with_window(24));
    assert_eq!((reply.status, &*reply.code()), (400, "invalid_encoding"));
}
