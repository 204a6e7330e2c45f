//! Which address a request comes from, where there may be proxies in between.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;

use crate::config::Network;

/// The address of the client: that of the socket, unless a trusted proxy is at its other end.
///
/// A proxy adds to `X-Forwarded-For`, at its right, the address that it was called from. What a
/// trusted one added is believed, and so on to the left, up to the first address that is not one of
/// theirs; what stands further left can be anybody's invention. An entry that is no address ends
/// the search, too.
pub(crate) fn client_address(peer: SocketAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut client = peer.ip().to_canonical();
    if !is_trusted(client) {
        return client;
    }
    for value in headers.get_all("x-forwarded-for").iter().rev() {
        for entry in value.as_bytes().rsplit(|byte| *byte == b',') {
            let Some(address) = address(entry.trim_ascii()) else {
                return client;
            };
            client = address;
            if !is_trusted(client) {
                return client;
            }
        }
    }
    client
}

/// Some proxies add the port.
fn address(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?;
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().or_else(|_| text.parse().map(|socket: SocketAddr| socket.ip()));
    Some(address.ok()?.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let trusted = ["10.0.0.0/8", "fd00::/8"].map(|network| network.parse().unwrap());
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        client_address(SocketAddr::new(peer.parse().unwrap(), 1), &headers, &trusted).to_string()
    }

    #[test]
    fn who_is_no_trusted_proxy_is_not_believed() {
        assert_eq!(client("192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(client("::ffff:192.0.2.1", &[]), "192.0.2.1");
    }

    #[test]
    fn the_right_most_address_that_is_not_trusted_is_the_client() {
        for forwarded in [
            &["198.51.100.7"][..],
            &["1.1.1.1, 198.51.100.7"],
            &["1.1.1.1, 198.51.100.7,10.0.0.2"],
            &["1.1.1.1", "198.51.100.7", "10.0.0.2, fd00::1"],
            &["10.0.0.3, 198.51.100.7"],
            &["198.51.100.7:4711"],
            &["::ffff:198.51.100.7"],
        ] {
            assert_eq!(client("10.0.0.1", forwarded), "198.51.100.7", "{forwarded:?}");
            assert_eq!(client("::ffff:10.0.0.1", forwarded), "198.51.100.7", "{forwarded:?}");
        }
        assert_eq!(client("fd00::2", &["2001:db8::1"]), "2001:db8::1");
        assert_eq!(client("fd00::2", &["[2001:db8::1]:443"]), "2001:db8::1");
    }

    #[test]
    fn what_is_no_address_is_not_looked_past() {
        assert_eq!(client("10.0.0.1", &["198.51.100.7, unknown, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(client("10.0.0.1", &["198.51.100.7, "]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["10.0.0.3, 10.0.0.2"]), "10.0.0.3");
    }
}
