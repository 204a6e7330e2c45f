use std::convert::Infallible;
use std::future::ready;
use std::net::SocketAddr;
use std::sync::Arc;

use gametel_core::catalog::Catalog;
use gametel_core::sink::EventSink;
use http::uri::Authority;
use http::{HeaderMap, Method};
use warp::filters::path::{FullPath, Tail};
use warp::reply::Response;
use warp::{Filter, Rejection};

use super::host::add_host;
use super::peer::Peer;
use crate::config::RouteOptions;
use crate::intake::{Intake, Place, Request};
use crate::observe::respond;

/// Makes a warp filter of a catalog and a sink: each route of the catalog, `/v1/events`,
/// `/v1/schema`, `/openapi.json`, `/healthz/live` and `/healthz/ready`, to mount in a warp server of
/// one's own.
///
/// It goes by what the filters before it have left of the path, so that it can stand below a
/// prefix, and takes all of that. The root of the catalog is then both at `/prefix` and at
/// `/prefix/`; any other path is matched to its last character. It can stand among other filters in
/// any order: what is not at a path of its own it rejects with [`warp::reject::not_found`], body
/// untouched, and the next filter gets its turn. A request to one of its paths it answers itself,
/// also where it refuses it: with JSON, and a 405 where the method is the wrong one.
///
/// The limits of [`RouteOptions`] hold wherever it is mounted. `/healthz/ready` speaks for the sink
/// alone: that the server is about to stop is not known here. The filter does not close the sink:
/// when the server has stopped, call [`EventSink::close`].
///
/// ```
/// use std::sync::Arc;
/// use gametel_core::catalog::Catalog;
/// use gametel_core::sink::MemorySink;
/// use gametel_http::{RouteOptions, routes};
/// use warp::Filter;
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let sink = Arc::new(MemorySink::new());
/// let telemetry = routes(Catalog::game(), sink.clone(), RouteOptions::default());
/// let lobby = warp::path!("lobby" / String).map(|name| format!("welcome to {name}"));
/// let server = warp::path("telemetry").and(telemetry).or(lobby);
///
/// let ask = |path| warp::test::request().path(path).reply(&server);
/// assert_eq!(ask("/telemetry/join_guild?guild=Owls").await.body(), "\nGuild Joined!\n");
/// assert_eq!(ask("/lobby/north").await.body(), "welcome to north");
/// assert_eq!(sink.events().len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Panics
///
/// Making the filter needs no runtime. Answering a request needs a tokio runtime with its timer
/// enabled, which limits the time that a body may take, and panics without.
///
/// # Cancel safety
///
/// A request that is dropped while it is answered may have stored its event.
pub fn routes(
    catalog: impl Into<Arc<Catalog>>,
    sink: Arc<dyn EventSink>,
    options: RouteOptions,
) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    let intake = Arc::new(Intake::new(catalog.into(), sink, options));
    let shared = Arc::clone(&intake);
    let place = warp::path::tail().and_then(move |rest: Tail| {
        ready(shared.places.below(rest.as_str()).cloned().ok_or_else(warp::reject::not_found))
    });
    // Beside a header that says the host the URI's is of no interest, and not parsed.
    let authority = warp::header::value("host").map(|_| None).or(warp::host::optional()).unify();
    let remote = warp::addr::remote();
    place.and(authority).and(remote).and(head()).and(warp::body::stream()).then(
        move |place: Place,
              authority: Option<Authority>,
              remote: Option<SocketAddr>,
              method,
              path: FullPath,
              query: String,
              mut headers,
              body| {
            let intake = Arc::clone(&intake);
            async move {
                add_host(&mut headers, authority.as_ref());
                let (place, peer) = (Some(&place), remote.map(Peer));
                let uri = (path.as_str(), &*query);
                respond(&intake, Request::new(method, peer, place, uri, headers, body)).await
            }
        },
    )
}

/// The filter of a whole server, which answers every request, also one to a path where nothing is.
///
/// A chain of `or`s would try one route after the other; here, as in [`routes`], the path is looked
/// up once, in a table.
pub(crate) fn server_filter(
    intake: Arc<Intake>,
) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    let peer = warp::ext::optional();
    peer.and(head()).and(warp::body::stream()).then(
        move |peer: Option<Peer>, method, path: FullPath, query: String, headers, body| {
            let intake = Arc::clone(&intake);
            async move {
                let place = intake.places.at(path.as_str());
                let uri = (path.as_str(), &*query);
                respond(&intake, Request::new(method, peer, place, uri, headers, body)).await
            }
        },
    )
}

/// What there is of a request before its body.
fn head() -> impl Filter<Extract = (Method, FullPath, String, HeaderMap), Error = Infallible> + Clone
{
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    warp::method().and(warp::path::full()).and(query).and(warp::header::headers_cloned())
}
