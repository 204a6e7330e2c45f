use std::net::SocketAddr;

/// The address of the client that a request came from, as an extension of the request.
///
/// [`Server`](crate::Server) adds it by itself. Who calls a [`GametelService`](crate::GametelService)
/// under a server of their own inserts it, so that limits by address hold there, too:
///
/// ```
/// # use gametel_http::Peer;
/// # let remote = ([127, 0, 0, 1], 52_000).into();
/// let mut request = http::Request::new(());
/// request.extensions_mut().insert(Peer(remote));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);
