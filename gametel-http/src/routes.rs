use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use bytes::Buf;
use futures_util::{FutureExt, Stream};
use gametel_core::catalog::Catalog;
use gametel_core::sink::EventSink;
use http::{HeaderMap, Method};
use warp::filters::path::FullPath;
use warp::reply::Response;
use warp::{Filter, Rejection};

use crate::config::RouteOptions;
use crate::handlers::{Request, handle};
use crate::intake::{Intake, RouteError};
use crate::rejection::ApiError;

/// Makes a warp filter of a catalog and a sink: each route of the catalog, `/v1/events`,
/// `/healthz/live` and `/healthz/ready`.
///
/// It answers every request itself, also with 404 and 405 in JSON, so put it last in a chain of
/// `or`s. Paths are matched whole; the filter can't be mounted below a prefix. On HTTP/2 the host
/// is in the URI and not in a header: who serves HTTP/2 and keeps `Host` adds the header, as
/// [`Server`](crate::Server) does.
///
/// The filter does not close the sink.
///
/// ```
/// use std::sync::Arc;
/// use gametel_core::catalog::Catalog;
/// use gametel_core::sink::MemorySink;
/// use gametel_http::{RouteOptions, routes};
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let sink = Arc::new(MemorySink::new());
/// let routes = routes(Arc::new(Catalog::game()), sink.clone(), RouteOptions::default())?;
/// let response = warp::test::request().path("/join_guild?guild=Owls").reply(&routes).await;
/// assert_eq!(response.body(), "\nGuild Joined!\n");
/// assert_eq!(sink.events().len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// A route of the catalog is at a path that the server has for itself.
pub fn routes(
    catalog: Arc<Catalog>,
    sink: Arc<dyn EventSink>,
    options: RouteOptions,
) -> Result<impl Filter<Extract = (Response,), Error = Rejection> + Clone, RouteError> {
    Ok(filter(Arc::new(Intake::new(catalog, sink, options)?)))
}

/// All routes in one filter. A chain of `or`s would try one route after the other; this looks the
/// path up once, in a table.
pub(crate) fn filter(
    intake: Arc<Intake>,
) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    warp::method()
        .and(warp::path::full())
        .and(query)
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .then(move |method, path, query, headers, body| {
            answer(Arc::clone(&intake), method, path, query, headers, body)
        })
}

async fn answer<S, B, E>(
    intake: Arc<Intake>,
    method: Method,
    path: FullPath,
    query: String,
    headers: HeaderMap,
    body: S,
) -> Response
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
{
    let request = Request { method, path: path.as_str(), query: &query, headers, body };
    // A panic is a bug, here or in a sink. It costs the request that met it, and not the connection
    // with the others on it. What is shared is atomics and the sink, which holds by its contract.
    let handled = AssertUnwindSafe(handle(&intake, request)).catch_unwind().await;
    match handled {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => error.into_response(),
        Err(_) => {
            tracing::error!(path = path.as_str(), "a handler panicked");
            ApiError::internal().into_response()
        }
    }
}
