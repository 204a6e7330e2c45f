use bytes::Buf;
use futures_util::{Stream, StreamExt};
use tracing::Instrument;
use tracing::field::Empty;
use warp::reply::Response;

use crate::intake;
use crate::intake::{Intake, Request};

use super::request::ObservedRequest;
use super::request_id::RequestId;
use super::tally::Tally;
use super::trace_context::TraceContext;

/// Answers a request, and sees to it that the request can be seen: in the metrics, in the log, and
/// by the id that its answer has.
pub(crate) async fn respond<S, B, E>(intake: &Intake, request: Request<'_, S>) -> Response
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
{
    let trace = TraceContext::of(&request.headers);
    let id = RequestId::within(trace, &request.headers);
    // At the level of an error, so that no filter for lines takes the ids from those that it leaves.
    let span = tracing::error_span!(
        "request",
        // As what they show: the id's characters need no quotes, which would cost a look at each.
        request_id = %id.as_str(),
        trace_id = trace.map(|trace| tracing::field::display(trace.trace_id)),
        parent_id = trace.map(|trace| tracing::field::display(trace.parent_id)),
        // Recorded by who finds it out.
        key = Empty,
    );
    let mut response = observed(intake, request).instrument(span).await;
    id.add_to(response.headers_mut());
    response
}

async fn observed<S, B, E>(intake: &Intake, request: Request<'_, S>) -> Response
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
{
    let observed = ObservedRequest::begin(intake, &request);
    let place = request.place;
    let mut response = intake::respond(intake, counted(intake, request)).await;
    observed.end(response.status(), &Tally::take_from(&mut response, place));
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
