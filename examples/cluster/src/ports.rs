use std::net::TcpListener;
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};

/// Finds a port on loopback where nobody listens, for a server that has to come back to it.
///
/// It lies below the ports that Linux gives to outgoing connections (32768 and up). A client that
/// tries again and again to reach a server which is away would, on one of those, be connected to
/// itself some day, and hold the port that the server comes back for.
///
/// # Panics
///
/// If there is none.
#[must_use]
pub fn free_port() -> u16 {
    free_listener().local_addr().expect("it is bound").port()
}

/// Listens on such a port.
///
/// Who listens within the test's own process takes this, and not a [`free_port`]: a child that is
/// being started by another thread holds the port for a moment longer than it was looked at.
///
/// # Panics
///
/// If there is none.
#[must_use]
pub fn free_listener() -> TcpListener {
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 12_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Programs that run at the same time look in different places, as a rule.
    let start = u16::try_from(process::id().wrapping_mul(37) % u32::from(COUNT)).unwrap_or(0);
    for _ in 0..COUNT {
        let port = FIRST + (start + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT) % COUNT;
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            return listener;
        }
    }
    panic!("all ports from {FIRST} to {} are taken", FIRST + COUNT);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_given_once() {
        let ports = [free_port(), free_port(), free_port()];
        assert!(ports[0] != ports[1] && ports[1] != ports[2] && ports[0] != ports[2], "{ports:?}");
    }

    #[test]
    fn a_listener_is_below_the_ports_of_outgoing_connections() {
        let port = free_listener().local_addr().unwrap().port();
        assert!((20_000..32_000).contains(&port), "{port}");
    }
}
