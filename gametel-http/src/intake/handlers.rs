//! One function a place: decode, call core, map the answer.

use bytes::{Buf, Bytes};
use futures_util::Stream;
use gametel_core::batch::EventBatch;
use gametel_core::catalog::{EventDefinition, FieldError};
use gametel_core::event::{EncodedEvent, EventDraft, EventType};
use gametel_core::header::EventHeader;
use gametel_core::sink::{Outcome, WriteReport};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::Serialize;
use warp::reply::Response;

use super::admission::admit;
use super::answer::{EventsAnswer, Judged, ToWrite, quarantined_response};
use super::events::{SplitError, split};
use super::own_fields::{is_media_type, own_fields};
use super::places::{EventRoute, Place};
use super::request::Request;
use super::shared::Intake;
use super::validation::check_fields;
use super::writer::WRITE_BYTES;
use crate::access::Caller;
use crate::body::{discard_body, read_body};
use crate::config::Limits;
use crate::error::{ApiError, ErrorBody, json_response};
use crate::limits::{Exhausted, Reservation, is_deeper};
use crate::readiness::Report;

/// What an event takes beside its payload: its place in the batch, and its result in the answer.
const EVENT_BYTES: usize = 512;

/// Answers a request.
pub(crate) async fn handle<S, B, E>(
    intake: &Intake,
    mut request: Request<'_, S>,
) -> Result<Response, ApiError>
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
{
    if let Err(refusal) = admit(intake, &mut request) {
        return Err(refuse(intake, request, refusal).await);
    }
    let (get, post) = (request.method == Method::GET, request.method == Method::POST);
    // Of a place that stores, HEAD stores nothing: it asks what is there, and buys no sword.
    let refusal = match request.place {
        Some(Place::Event(route)) if get || post => {
            return record_at_route(intake, route, request).await;
        }
        Some(Place::Events) if post => return record_events(intake, request).await,
        Some(Place::Live) if get || request.method == Method::HEAD => return Ok(live()),
        Some(Place::Ready) if get || request.method == Method::HEAD => return Ok(ready(intake)),
        Some(Place::Document(document)) if get || request.method == Method::HEAD => {
            return Ok(document.to_response());
        }
        Some(Place::UnknownSchema) => ApiError::unknown_schema(),
        Some(place) => ApiError::method_not_allowed(place.methods()),
        None => ApiError::not_found(),
    };
    Err(refuse(intake, request, refusal).await)
}

/// Gives a refusal back once the body, which nobody wants, is out of its way.
async fn refuse<S, B, E>(intake: &Intake, request: Request<'_, S>, refusal: ApiError) -> ApiError
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
{
    let Request { headers, body, .. } = request;
    discard_body(&headers, body, &intake.options.limits).await;
    refusal
}

async fn record_at_route<S, B, E>(
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
    let report = intake.sink().write(caller.as_ref(), &batch, &mut reservation).await?;
    match report.into_outcomes().pop() {
        Some(Outcome::Rejected(rejection)) => {
            return Err(rejection.into_error(intake.sink().name()).into());
        }
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

/// The event as it is to be written: as a dead letter, if there is something wrong with it.
fn encode(
    intake: &Intake,
    draft: EventDraft,
    misfit: Option<FieldError>,
    headers: &[EventHeader],
) -> Result<(ToWrite, EncodedEvent), ApiError> {
    let stamp = intake.options.stamper.stamp();
    let event = draft.encode(headers, stamp)?;
    let id = event.id().unwrap_or(stamp.id);
    let event = match &misfit {
        Some(misfit) => event.into_malformed(misfit.into()),
        None => event,
    };
    let misfit = misfit.as_ref().map(ErrorBody::from);
    Ok((ToWrite { id, misfit }, event))
}

async fn record_events<S, B, E>(
    intake: &Intake,
    request: Request<'_, S>,
) -> Result<Response, ApiError>
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
{
    let Request { caller, headers, body, .. } = request;
    let mut reservation = intake.budget.reservation();
    let body = body_of(intake, &headers, body, &mut reservation).await?;
    let lines = is_media_type(&headers, &["application/x-ndjson", "application/jsonlines"]);
    let max = intake.options.limits.events;
    let parts = split(&body, lines, max).map_err(|error| match error {
        SplitError::Malformed(malformed) => malformed.into(),
        SplitError::TooMany => {
            let message = format!("one request may have {max} events; send them in parts");
            ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_many_events", message)
        }
    });
    let parts = parts.inspect_err(|_| intake.stats.add_rejected(1))?;

    reserve(intake, reservation.take_events(parts.len()))?;
    reserve(intake, reservation.take_bytes(WRITE_BYTES + EVENT_BYTES * parts.len()))?;

    let kept = kept_headers(intake, &headers);
    let mut events = Vec::with_capacity(parts.len());
    let mut judged: Vec<Judged> = Vec::with_capacity(parts.len());
    for part in parts {
        let event = event_of(intake, caller.as_ref(), part, &kept);
        if let Ok((_, event)) = &event {
            reserve(intake, reservation.take_bytes(event.payload().len()))?;
        }
        judged.push(event.map(|(to_write, event)| {
            events.push(event);
            to_write
        }));
    }
    intake.stats.add_rejected(judged.len() - events.len());
    let written = if events.is_empty() {
        Ok(WriteReport::default())
    } else {
        let batch = EventBatch::from(events);
        intake.sink().write(caller.as_ref(), &batch, &mut reservation).await
    };
    Ok(EventsAnswer::new(judged, written).into_response(reservation))
}

/// One event of `/v1/events`, ready to be written.
fn event_of(
    intake: &Intake,
    caller: Option<&Caller>,
    json: &[u8],
    headers: &[EventHeader],
) -> Result<(ToWrite, EncodedEvent), ErrorBody> {
    let refused = |error: ApiError| error.body;
    let limits = &intake.options.limits;
    check_size(limits, json).and_then(|()| check_depth(limits, json)).map_err(refused)?;
    let mut draft = EventDraft::from_json(json).map_err(|error| refused(error.into()))?;
    check_type(caller, draft.event_type()).map_err(refused)?;
    let name = draft.event_type().as_str();
    let Some(definition) = intake.catalog.event(name) else {
        let catalog = intake.catalog.name();
        let message = format!(
            "the catalog {catalog} has no event {name:?}; correct event_type, or add it there"
        );
        return Err(ErrorBody::new("unknown_event_type", message));
    };
    let misfit = check_fields(definition, &mut draft, None, intake.options.validation)
        .map_err(|error| refused(error.into()))?;
    encode(intake, draft, misfit, headers).map_err(refused)
}

/// Whether the caller's key allows events of a type; without keys all are allowed.
fn check_type(caller: Option<&Caller>, event_type: &EventType) -> Result<(), ApiError> {
    match caller {
        Some(caller) if !caller.allows(event_type.as_str()) => {
            Err(ApiError::forbidden_event_type(caller.name(), event_type.as_str()))
        }
        _ => Ok(()),
    }
}

async fn body_of<S, B, E>(
    intake: &Intake,
    headers: &HeaderMap,
    body: S,
    reservation: &mut Reservation,
) -> Result<Bytes, ApiError>
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
{
    let read = read_body(headers, body, &intake.options.limits, reservation).await;
    read.inspect_err(|error| {
        if error.is_overloaded() {
            intake.stats.add_overloaded();
        }
        // Of one that did not come in full nobody knows what it was.
        if error.status == StatusCode::PAYLOAD_TOO_LARGE {
            intake.stats.add_rejected(1);
        }
    })
}

/// Counts a refusal for want of room.
fn reserve(intake: &Intake, taken: Result<(), Exhausted>) -> Result<(), ApiError> {
    taken.map_err(|exhausted| {
        intake.stats.add_overloaded();
        exhausted.into()
    })
}

fn check_size(limits: &Limits, json: &[u8]) -> Result<(), ApiError> {
    let max = limits.event_bytes;
    if json.len() <= max {
        return Ok(());
    }
    let message = format!("the event is larger than the limit of {max} bytes");
    Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message))
}

fn check_depth(limits: &Limits, json: &[u8]) -> Result<(), ApiError> {
    let max = limits.depth;
    if !is_deeper(json, max) {
        return Ok(());
    }
    let message = format!("the event nests deeper than the limit of {max}");
    Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "too_deep", message))
}

fn kept_headers(intake: &Intake, headers: &HeaderMap) -> Vec<EventHeader> {
    let pairs = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let kept = intake.header_rule.apply(pairs);
    intake.stats.add_lossy_values(kept.lossy);
    kept.headers
}

/// Keeps an answer out of every cache. Kept, that to a GET of an event's route would be the answer to
/// the next one, too, of which the server would not hear.
pub(super) fn not_kept(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[derive(Serialize)]
struct HealthBody {
    status: &'static str,
}

pub(crate) fn live() -> Response {
    not_kept(json_response(StatusCode::OK, &HealthBody { status: "live" }))
}

/// Whether the server is ready, for everyone who asks.
pub(crate) fn ready(intake: &Intake) -> Response {
    readiness(&intake.readiness.report().without_reasons())
}

/// Whether the server is ready, and why not, for those who run it.
pub(crate) fn ready_with_reasons(intake: &Intake) -> Response {
    readiness(&intake.readiness.report())
}

fn readiness(report: &Report) -> Response {
    let status = if report.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    not_kept(json_response(status, report))
}
