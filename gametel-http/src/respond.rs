use std::panic::AssertUnwindSafe;

use bytes::Buf;
use futures_util::{FutureExt, Stream, StreamExt};
use http::StatusCode;
use tracing::Instrument;
use warp::reply::Response;

use crate::cors::Exchange;
use crate::handlers::{Request, handle};
use crate::intake::{Intake, Place};
use crate::observed::Observed;
use crate::rejection::ApiError;
use crate::tally::Tally;
use crate::trace::{RequestId, TraceContext};

/// Answers a request, also one that is refused or that a handler panics at. This is the outermost
/// of what happens to it: it is named, counted and logged here.
pub(crate) async fn respond<S, B, E>(
    intake: &Intake,
    path: &str,
    request: Request<'_, S>,
) -> Response
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
{
    let trace = TraceContext::of(&request.headers);
    let id = RequestId::of(&request.headers, trace);
    // At the level of an error, so that no filter for lines takes the ids from those that it leaves.
    let span = tracing::error_span!(
        "request",
        request_id = id.as_str(),
        trace_id = trace.map(|trace| trace.trace_id),
        parent_id = trace.map(|trace| trace.parent_id),
    );
    let mut response = answer(intake, path, request).instrument(span).await;
    id.add_to(response.headers_mut());
    response
}

async fn answer<S, B, E>(intake: &Intake, path: &str, request: Request<'_, S>) -> Response
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
{
    let observed = Observed::begin(intake, &request);
    let exchange = Exchange::of(&intake.options.cors, &request.headers);
    let place = request.place;
    if let Some(place) = place
        && let Some(preflight) = exchange.preflight(&request.method, &request.headers, place)
    {
        observed.end(preflight.status(), &Tally::default());
        return preflight;
    }
    let request = counted(intake, request);
    // A panic is a bug. It costs the request that met it, and not the connection with the others on
    // it. What is shared is atomics and the sink, whose own panics do not come this far.
    let handled = AssertUnwindSafe(handle(intake, request)).catch_unwind().await;
    let (mut response, tally) = match handled {
        Ok(Ok(mut response)) => {
            let tally = tally_of(&mut response, place);
            (response, tally)
        }
        Ok(Err(error)) => {
            let tally = Tally::error(error.body.code);
            (error.into_response(), tally)
        }
        Err(_) => {
            tracing::error!(path, "a handler panicked");
            let error = ApiError::internal();
            let tally = Tally::error(error.body.code);
            (error.into_response(), tally)
        }
    };
    exchange.add_headers(response.headers_mut());
    observed.end(response.status(), &tally);
    response
}

/// Counts the bytes of the body as they are read.
fn counted<'a, S, B, E>(
    intake: &'a Intake,
    request: Request<'a, S>,
) -> Request<'a, impl Stream<Item = Result<B, E>>>
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
{
    let Request { method, peer, caller, place, uri_bytes, query, headers, body } = request;
    let body = body.inspect(|chunk| {
        if let Ok(bytes) = chunk {
            intake.meters.add_body_bytes(bytes.remaining());
        }
    });
    Request { method, peer, caller, place, uri_bytes, query, headers, body }
}

/// What an answer says of events; one at a route of an event says of one, and of the rest none.
fn tally_of(response: &mut Response, place: Option<&Place>) -> Tally {
    match place {
        Some(Place::Events) => response.extensions_mut().remove().unwrap_or_default(),
        Some(Place::Event(_)) if response.status() == StatusCode::OK => Tally::accepted_one(),
        _ => Tally::default(),
    }
}
