//! One function a place: decode, call core, map the answer.

use std::time::Instant;

use bytes::{Buf, Bytes};
use futures_util::Stream;
use gametel_core::batch::EventBatch;
use gametel_core::catalog::{EventDefinition, FieldError};
use gametel_core::event::{EncodedEvent, EventDraft};
use gametel_core::header::EventHeader;
use gametel_core::sink::{Outcome, SinkError, WriteReport};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::Serialize;
use warp::reply::Response;

use crate::answer::{EventsAnswer, Judged, ToWrite, quarantined_response};
use crate::body::{discard_body, read_body};
use crate::events::{SplitError, split};
use crate::intake::{EventRoute, Intake, Place};
use crate::peer::Peer;
use crate::rejection::{ApiError, ErrorBody, json_response};
use crate::request::{is_media_type, own_fields};
use crate::validation::check_fields;

/// A request, as far as the handlers care.
#[derive(Debug)]
pub(crate) struct Request<'a, S> {
    pub(crate) method: Method,
    #[expect(dead_code, reason = "limits by address come with the next commits")]
    /// Where the request came from; none where whoever mounted the routes does not say.
    pub(crate) peer: Option<Peer>,
    /// What is at the request's path.
    pub(crate) place: Option<&'a Place>,
    pub(crate) query: &'a str,
    pub(crate) headers: HeaderMap,
    pub(crate) body: S,
}

/// Answers a request.
pub(crate) async fn handle<S, B, E>(
    intake: &Intake,
    request: Request<'_, S>,
) -> Result<Response, ApiError>
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
{
    let (get, post) = (request.method == Method::GET, request.method == Method::POST);
    // Of a place that stores, HEAD stores nothing: it asks what is there, and buys no sword.
    let refusal = match request.place {
        Some(Place::Event(route)) if get || post => {
            return record_at_route(intake, route, request).await;
        }
        Some(Place::Events) if post => return record_events(intake, request).await,
        Some(Place::Live) if get || request.method == Method::HEAD => return Ok(live()),
        Some(Place::Ready) if get || request.method == Method::HEAD => return Ok(ready(intake)),
        Some(Place::Event(_)) => ApiError::method_not_allowed("GET, POST"),
        Some(Place::Events) => ApiError::method_not_allowed("POST"),
        Some(Place::Live | Place::Ready) => ApiError::method_not_allowed("GET, HEAD"),
        None => ApiError::not_found(),
    };
    let Request { headers, body, .. } = request;
    discard_body(&headers, body, intake.options.limits.body_timeout).await;
    Err(refusal)
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
    let Request { method, query, headers, body, .. } = request;
    let body = match method {
        Method::POST => body_of(intake, &headers, body).await?,
        _ => Bytes::new(),
    };
    let (to_write, event) = event_at_route(intake, &route.definition, query, &headers, &body)
        .inspect_err(|_| intake.stats.add_rejected(1))?;
    let report = intake.write(&EventBatch::from(event)).await?;
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
    let Request { headers, body, .. } = request;
    let body = body_of(intake, &headers, body).await?;
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

    let kept = kept_headers(intake, &headers);
    let mut events = Vec::with_capacity(parts.len());
    let judged: Vec<Judged> = parts
        .into_iter()
        .map(|part| {
            let (to_write, event) = event_of(intake, part, &kept)?;
            events.push(event);
            Ok(to_write)
        })
        .collect();
    intake.stats.add_rejected(judged.len() - events.len());
    let written = write_unless_empty(intake, events).await;
    Ok(EventsAnswer::new(judged, written).into_response())
}

async fn write_unless_empty(
    intake: &Intake,
    events: Vec<EncodedEvent>,
) -> Result<WriteReport, SinkError> {
    if events.is_empty() {
        return Ok(WriteReport::default());
    }
    intake.write(&EventBatch::from(events)).await
}

/// One event of `/v1/events`, ready to be written.
fn event_of(
    intake: &Intake,
    json: &[u8],
    headers: &[EventHeader],
) -> Result<(ToWrite, EncodedEvent), ErrorBody> {
    let refused = |error: ApiError| error.body;
    let mut draft = EventDraft::from_json(json).map_err(|error| refused(error.into()))?;
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

async fn body_of<S, B, E>(intake: &Intake, headers: &HeaderMap, body: S) -> Result<Bytes, ApiError>
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
{
    let limits = &intake.options.limits;
    let read = read_body(headers, body, limits.body_bytes, limits.body_timeout).await;
    read.inspect_err(|error| {
        // Of one that did not come in full nobody knows what it was.
        if error.status == StatusCode::PAYLOAD_TOO_LARGE {
            intake.stats.add_rejected(1);
        }
    })
}

fn kept_headers(intake: &Intake, headers: &HeaderMap) -> Vec<EventHeader> {
    let pairs = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let kept = intake.header_rule.apply(pairs);
    intake.stats.add_lossy_values(kept.lossy);
    kept.headers
}

#[derive(Serialize)]
struct HealthBody {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

fn live() -> Response {
    json_response(StatusCode::OK, &HealthBody { status: "live", reason: None })
}

fn ready(intake: &Intake) -> Response {
    match intake.health.check(Instant::now()) {
        Ok(()) => json_response(StatusCode::OK, &HealthBody { status: "ready", reason: None }),
        Err(why) => {
            let body = HealthBody { status: "not_ready", reason: Some(why.reason()) };
            json_response(StatusCode::SERVICE_UNAVAILABLE, &body)
        }
    }
}
