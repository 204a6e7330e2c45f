//! The proxy does what its weather says: else a fault that is said to be injected might be none.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::proxy::{Proxy, Weather};

/// A server that sends back what it gets, and says how many bytes each connection brought it.
fn echo() -> (Proxy, mpsc::Receiver<usize>) {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = Proxy::start(1);
    proxy.lead_to(socket.local_addr().unwrap());
    let (say, heard) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in socket.incoming() {
            let (mut stream, say) = (stream.unwrap(), say.clone());
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                // An error is an end, too.
                while let Ok(bytes @ 1..) = stream.read(&mut buffer) {
                    let _ = say.send(bytes);
                    let _ = stream.write_all(&buffer[..bytes]);
                }
                let _ = say.send(0);
            });
        }
    });
    (proxy, heard)
}

fn connect(proxy: &Proxy) -> TcpStream {
    let stream = TcpStream::connect(proxy.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

fn round_trip(stream: &mut TcpStream, bytes: usize) -> std::io::Result<Duration> {
    let start = Instant::now();
    stream.write_all(&vec![7; bytes])?;
    stream.read_exact(&mut vec![0; bytes])?;
    Ok(start.elapsed())
}

/// What is read from a connection on which nothing should come for a while.
fn silence(stream: &mut TcpStream) -> ErrorKind {
    stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let kind = stream.read(&mut [0]).unwrap_err().kind();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    kind
}

#[test]
fn slow_and_narrow_weather_take_their_time() {
    let (proxy, _heard) = echo();
    let mut stream = connect(&proxy);
    round_trip(&mut stream, 1000).unwrap();
    let (latency, jitter) = (Duration::from_millis(60), Duration::from_millis(1));
    proxy.set(Weather::Slow { latency, jitter });
    assert!(round_trip(&mut stream, 10).unwrap() >= 2 * latency);
    proxy.set(Weather::Narrow { bytes_per_second: 10_000 });
    assert!(round_trip(&mut stream, 2_000).unwrap() >= Duration::from_millis(200));
    proxy.set(Weather::Clear);
    round_trip(&mut stream, 100_000).unwrap();
}

#[test]
fn a_black_hole_swallows_nothing_and_lets_nothing_through() {
    let (proxy, heard) = echo();
    let mut before = connect(&proxy);
    round_trip(&mut before, 10).unwrap();
    proxy.set(Weather::BlackHole);
    let mut within = connect(&proxy);
    for stream in [&mut before, &mut within] {
        stream.write_all(b"hello").unwrap();
        let kind = silence(stream);
        assert!(matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut), "{kind:?}");
    }
    assert_eq!(heard.try_iter().sum::<usize>(), 10);
    proxy.set(Weather::Clear);
    for stream in [&mut before, &mut within] {
        stream.read_exact(&mut [0; 5]).unwrap();
    }
}

#[test]
fn half_open_weather_loses_the_answers_and_then_the_connection() {
    let (proxy, heard) = echo();
    let mut stream = connect(&proxy);
    round_trip(&mut stream, 10).unwrap();
    assert_eq!(heard.recv().unwrap(), 10);
    proxy.set(Weather::HalfOpen);
    stream.write_all(b"hello").unwrap();
    assert_eq!(heard.recv().unwrap(), 5);
    let kind = silence(&mut stream);
    assert!(matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut), "{kind:?}");
    proxy.set(Weather::Clear);
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
}

#[test]
fn a_cut_ends_connections_and_a_reset_breaks_them_off_in_the_midst() {
    let (proxy, heard) = echo();
    let mut stream = connect(&proxy);
    round_trip(&mut stream, 10).unwrap();
    proxy.cut();
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    assert_eq!(heard.recv().unwrap() + heard.recv().unwrap(), 10);

    proxy.set(Weather::Resetting { after: 1_000 });
    let mut stream = connect(&proxy);
    stream.write_all(&[7; 5_000]).unwrap();
    let mut buffer = Vec::new();
    let error = stream.read_to_end(&mut buffer).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let arrived: usize = heard.iter().take_while(|bytes| *bytes > 0).sum();
    assert_eq!(arrived, 1_000);
}
