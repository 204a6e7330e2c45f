use http::{HeaderMap, Method};

use super::places::Place;
use crate::access::Caller;
use crate::routes::Peer;

/// A request, as far as the handlers care.
#[derive(Debug)]
pub(crate) struct Request<'a, S> {
    pub(crate) method: Method,
    /// Where the request came from; none where whoever mounted the routes does not say.
    pub(crate) peer: Option<Peer>,
    /// Who sends it; none where no keys are asked for.
    pub(crate) caller: Option<Caller>,
    /// What is at the request's path.
    pub(crate) place: Option<&'a Place>,
    /// How long path and query are together.
    pub(crate) uri_bytes: usize,
    pub(crate) query: &'a str,
    pub(crate) headers: HeaderMap,
    pub(crate) body: S,
}

impl<'a, S> Request<'a, S> {
    /// A request as it came, of which nobody knows yet who sent it. Of the path no more is kept than
    /// what is there, and how long it is.
    pub(crate) fn new(
        method: Method,
        peer: Option<Peer>,
        place: Option<&'a Place>,
        (path, query): (&str, &'a str),
        headers: HeaderMap,
        body: S,
    ) -> Self {
        let uri_bytes = path.len() + query.len();
        Self { method, peer, caller: None, place, uri_bytes, query, headers, body }
    }
}
