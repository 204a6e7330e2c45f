//! A request to a route of the catalog, which means one event.

use bytes::{Buf, Bytes};
use futures_util::Stream;
use gametel_core::batch::EventBatch;
use gametel_core::catalog::EventDefinition;
use gametel_core::event::{EncodedEvent, EventDraft};
use gametel_core::sink::Outcome;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use warp::reply::Response;

use super::answer::{ToWrite, quarantined_response};
use super::checks::{check_depth, check_size, check_type};
use super::encoding::{encode, kept_headers};
use super::own_fields::own_fields;
use super::places::EventRoute;
use super::refusal::refuse;
use super::request::Request;
use super::room::{EVENT_BYTES, body_of, reserve};
use super::shared::Intake;
use super::validation::check_fields;
use super::writer::WRITE_BYTES;
use crate::error::ApiError;

pub(super) async fn record_at_route<S, B, E>(
    intake: &Intake,
    route: &EventRoute,
    request: Request<'_, S>,
) -> Result<Response, ApiError>
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
{
    if let Err(refusal) = check_type(request.caller.as_ref(), route.definition.event_type()) {
        intake.stats.add_rejected(1);
        return Err(refuse(intake, request, refusal).await);
    }
    let Request { method, caller, query, headers, body, .. } = request;
    let mut reservation = intake.budget.reservation();
    reserve(intake, reservation.take_events(1))?;
    let body = match method {
        Method::POST => body_of(intake, &headers, body, &mut reservation).await?,
        _ => Bytes::new(),
    };
    let (to_write, event) = event_at_route(intake, &route.definition, query, &headers, &body)
        .inspect_err(|_| intake.stats.add_rejected(1))?;
    let bytes = WRITE_BYTES + EVENT_BYTES + event.payload().len();
    reserve(intake, reservation.take_bytes(bytes))?;
    let batch = EventBatch::from(event);
    let written = intake.sink().write(caller.as_ref(), &batch, &mut reservation).await;
    let report = written.map_err(|error| ApiError::of_sink(error.kind()))?;
    match report.into_outcomes().pop() {
        Some(Outcome::Rejected(rejection)) => return Err(ApiError::of_sink(rejection.kind)),
        Some(Outcome::Accepted(receipt)) if to_write.misfit.is_some() => {
            return Ok(quarantined_response(to_write, receipt));
        }
        _ => {}
    }
    let mut response = Response::new(route.reply.clone().into());
    let content_type = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    Ok(response)
}

/// The event that a request to a route of its own means.
fn event_at_route(
    intake: &Intake,
    definition: &EventDefinition,
    query: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(ToWrite, EncodedEvent), ApiError> {
    let limits = &intake.options.limits;
    check_size(limits, body)?;
    // A form may have any brackets in it.
    if matches!(body.trim_ascii_start().first(), Some(b'{' | b'[')) {
        check_depth(limits, body)?;
    }
    let own = own_fields(definition, query, headers, body)?;
    intake.stats.add_lossy_values(own.lossy_values);
    let mut draft = EventDraft::with_envelope(definition.event_type().clone(), own.fields)?;
    let misfit = check_fields(definition, &mut draft, own.misfit, intake.options.validation)?;
    encode(intake, draft, misfit, &kept_headers(intake, headers))
}
