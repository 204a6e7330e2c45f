//! One connection, from its first byte to its last.

use std::convert::Infallible;
use std::pin::pin;
#[cfg(feature = "tls")]
use std::sync::Arc;
use std::time::Duration;

use gametel_core::sink::error_chain;
use http::{Request, Uri};
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tower_service::Service as TowerService;
use warp::reply::Response;

use super::activity::Activity;
use super::answer_body::AnswerBody;
#[cfg(feature = "tls")]
use super::tls::TlsIdentity;
use crate::config::ServerConfig;
use crate::routes::{Peer, add_host};

/// hyper takes no less, and panics.
const SMALLEST_HEAD_BYTES: usize = 8 * 1024;

/// How many headers hyper takes without being told.
const HEADERS: usize = 100;

/// How much of one HTTP/2 stream lies between the client and the handler, either way.
const STREAM_BYTES: u32 = 64 * 1024;

/// What all connections are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Go on.
    Serving,
    /// Finish the requests in hand, and take no more.
    Draining,
    /// End now.
    Aborting,
}

/// What answers the requests of a listener: a warp filter, as a service.
pub(crate) trait Routes:
    TowerService<Request<Incoming>, Response = Response, Error = Infallible, Future: Send>
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S> Routes for S where
    S: TowerService<Request<Incoming>, Response = Response, Error = Infallible, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// Serves connections, one call each.
#[derive(Debug)]
pub(crate) struct ConnectionServer<S> {
    routes: S,
    #[cfg(feature = "tls")]
    tls: Option<Arc<TlsIdentity>>,
    http: auto::Builder<TokioExecutor>,
    header_timeout: Duration,
    idle_timeout: Duration,
}

impl<S: Routes> ConnectionServer<S> {
    /// Serves plain HTTP.
    pub(crate) fn new(routes: S, config: &ServerConfig) -> Self {
        let ServerConfig { header_timeout, idle_timeout, .. } = *config;
        let mut http = auto::Builder::new(TokioExecutor::new());
        http.http1()
            .timer(TokioTimer::new())
            .header_read_timeout(header_timeout)
            // Who has sent all and only listens is still there.
            .half_close(true)
            .max_buf_size(config.head_bytes.max(SMALLEST_HEAD_BYTES));
        // Set at all it costs an allocation a request. Below it our own check gives the answer.
        if config.routes.limits.headers > HEADERS {
            http.http1().max_headers(config.routes.limits.headers);
        }
        http.http2()
            .timer(TokioTimer::new())
            // A client that is gone without a word is found out by its silence.
            .keep_alive_interval(idle_timeout)
            // As many as nginx and Apache allow at least; each may hold one body.
            .max_concurrent_streams(100)
            .max_header_list_size(u32::try_from(config.head_bytes).unwrap_or(u32::MAX))
            // What a client can make the server hold of bodies that nobody has asked for yet, and
            // of answers that it does not read: hyper's own defaults are 1 MiB and 400 KiB.
            .initial_stream_window_size(STREAM_BYTES)
            .initial_connection_window_size(4 * STREAM_BYTES)
            .max_send_buf_size(STREAM_BYTES as usize);
        Self {
            routes,
            #[cfg(feature = "tls")]
            tls: None,
            http,
            header_timeout,
            idle_timeout,
        }
    }

    /// Serves HTTP within TLS.
    #[cfg(feature = "tls")]
    pub(crate) fn with_tls(self, tls: Arc<TlsIdentity>) -> Self {
        Self { tls: Some(tls), ..self }
    }

    /// Serves one connection until the client leaves or is silent for too long, or the phase ends
    /// it.
    pub(crate) async fn serve(&self, stream: TcpStream, peer: Peer, phase: watch::Receiver<Phase>) {
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            let mut told = phase.clone();
            let secured = tokio::select! {
                secured = tls.accept(stream, self.header_timeout) => secured,
                // Nothing is in hand yet.
                _ = told.wait_for(|phase| *phase != Phase::Serving) => return,
            };
            match secured {
                Ok(stream) => self.serve_http(stream, peer, phase).await,
                Err(error) => tracing::debug!(%error, "a TLS handshake failed"),
            }
            return;
        }
        self.serve_http(stream, peer, phase).await;
    }

    async fn serve_http(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        peer: Peer,
        mut phase: watch::Receiver<Phase>,
    ) {
        let activity = Activity::new();
        let routes = TowerToHyperService::new(self.routes.clone());
        let service = {
            let activity = activity.clone();
            service_fn(move |mut request: Request<Incoming>| {
                give_path(&mut request);
                let authority = request.uri().authority().cloned();
                add_host(request.headers_mut(), authority.as_ref());
                request.extensions_mut().insert(peer);
                let in_hand = activity.begin();
                let response = routes.call(request);
                async move {
                    let response: Result<Response, Infallible> = response.await;
                    response.map(|response| {
                        response.map(|body| AnswerBody::new(body, in_hand.answered()))
                    })
                }
            })
        };
        let mut connection = pin!(self.http.serve_connection(TokioIo::new(stream), service));

        // hyper's own time-out starts when it knows the version, which is with the first bytes.
        let mut timer = pin!(sleep_until(activity.origin() + self.header_timeout));
        let mut leaving = false;
        // The phase may have changed before there was a receiver to see it.
        phase.mark_changed();
        loop {
            tokio::select! {
                result = connection.as_mut() => {
                    if let Err(error) = result {
                        tracing::debug!(error = error_chain(&*error), "a connection failed");
                    }
                    return;
                }
                changed = phase.changed() => {
                    let now = changed.map_or(Phase::Aborting, |()| *phase.borrow_and_update());
                    match now {
                        Phase::Serving => {}
                        Phase::Draining => {
                            leaving = true;
                            connection.as_mut().graceful_shutdown();
                        }
                        Phase::Aborting => return,
                    }
                }
                () = timer.as_mut() => {
                    let now = Instant::now();
                    match activity.due(self.idle_timeout) {
                        None => timer.as_mut().reset(now + self.idle_timeout),
                        Some(due) if due > now => timer.as_mut().reset(due),
                        // It was told to leave one time-out ago: answers that nobody reads.
                        _ if leaving => return,
                        _ => {
                            leaving = true;
                            connection.as_mut().graceful_shutdown();
                            timer.as_mut().reset(now + self.header_timeout);
                        }
                    }
                }
            }
        }
    }
}

/// warp panics at a target that has no path, such as CONNECT has; at this one there is nothing.
fn give_path<B>(request: &mut Request<B>) {
    if request.uri().path_and_query().is_none() {
        *request.uri_mut() = Uri::from_static("*");
    }
}
