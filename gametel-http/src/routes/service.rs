use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use gametel_core::catalog::Catalog;
use gametel_core::sink::EventSink;
use http_body::Body;
use http_body_util::BodyDataStream;
use tower_service::Service;
use warp::reply::Response;

use super::host::add_host;
use crate::config::RouteOptions;
use crate::intake::{Intake, Request, Totals};
use crate::metrics::Metrics;
use crate::observe::respond;

/// Makes a tower service of a catalog and a sink, for axum, hyper and whatever else speaks tower:
/// each route of the catalog, `/v1/events`, `/v1/schema`, `/openapi.json`, `/healthz/live` and
/// `/healthz/ready`.
///
/// It answers every request, also one to a path where nothing is (404 in JSON). The path is matched
/// whole: a router that mounts it below a prefix takes the prefix off, as axum's `nest_service`
/// does.
///
/// ```
/// use std::sync::Arc;
/// use axum::Router;
/// use axum::routing::get;
/// use gametel_core::catalog::Catalog;
/// use gametel_core::sink::MemorySink;
/// use gametel_http::{RouteOptions, service};
///
/// let sink = Arc::new(MemorySink::new());
/// let telemetry = service(Catalog::game(), sink, RouteOptions::default());
/// let app: Router = Router::new()
///     .route("/", get(|| async { "the game's own page" }))
///     .nest_service("/telemetry", telemetry);
/// ```
///
/// # What is left to the caller
///
/// The limits of [`RouteOptions`] are kept here: the size of a body, the time that it may take, the
/// number of events. What is below a request is the server's: how many connections there are, how
/// long a client may take for a request's head, and when an idle one is let go. `/healthz/ready` speaks
/// for the sink alone: that the server is about to stop is not known here. When it has stopped, the
/// caller closes the sink with [`EventSink::close`].
///
/// # Panics
///
/// Making the service needs no runtime. Answering a request needs a tokio runtime with its timer
/// enabled, which limits the time that a body may take, and panics without.
pub fn service(
    catalog: impl Into<Arc<Catalog>>,
    sink: Arc<dyn EventSink>,
    options: RouteOptions,
) -> GametelService {
    GametelService { intake: Arc::new(Intake::new(catalog.into(), sink, options)) }
}

/// The routes as a tower service; see [`service`]. A clone is the same service, and cheap.
///
/// It is always ready, and never fails: overload is an answer, 503 with `Retry-After`. The body of
/// a request may be any [`http_body::Body`] that can be sent to another thread; that of the answer
/// is one whose chunks are [`bytes::Bytes`]. Where there is no `Host` header it is taken from the
/// URI, which is where HTTP/2 has it.
///
/// # Cancel safety
///
/// A request whose future is dropped may have stored its event.
#[derive(Clone)]
pub struct GametelService {
    intake: Arc<Intake>,
}

impl GametelService {
    /// What was counted since it was made, by all clones together.
    pub fn totals(&self) -> Totals {
        self.intake.stats.totals()
    }

    /// The metrics of all clones together; see [`Metrics`].
    pub fn metrics(&self) -> Metrics {
        self.intake.meters.metrics.clone()
    }
}

impl fmt::Debug for GametelService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let catalog = self.intake.catalog.name();
        f.debug_struct("GametelService").field("catalog", &catalog).finish_non_exhaustive()
    }
}

impl<B> Service<http::Request<B>> for GametelService
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> ResponseFuture {
        let intake = Arc::clone(&self.intake);
        ResponseFuture(Box::pin(async move {
            let (head, body) = request.into_parts();
            let mut headers = head.headers;
            add_host(&mut headers, head.uri.authority());
            let path = head.uri.path();
            let query = head.uri.query().unwrap_or_default();
            let (peer, place) = (head.extensions.get().copied(), intake.places.at(path));
            let body = BodyDataStream::new(body);
            let request = Request::new(head.method, peer, place, (path, query), headers, body);
            respond(&intake, request).await
        }))
    }
}

/// The answer of a [`GametelService`], once it is there.
pub struct ResponseFuture(Pin<Box<dyn Future<Output = Response> + Send>>);

impl Future for ResponseFuture {
    type Output = Result<Response, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context).map(Ok)
    }
}

impl fmt::Debug for ResponseFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
