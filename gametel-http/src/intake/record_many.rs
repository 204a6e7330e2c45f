//! A request to `/v1/events`, which brings as many events as it likes.

use bytes::Buf;
use futures_util::Stream;
use gametel_core::batch::EventBatch;
use gametel_core::event::{EncodedEvent, EventDraft};
use gametel_core::header::EventHeader;
use gametel_core::sink::WriteReport;
use http::StatusCode;
use warp::reply::Response;

use super::answer::{EventsAnswer, Judged, ToWrite};
use super::checks::{check_depth, check_size, check_type};
use super::encoding::{encode, kept_headers};
use super::events::{SplitError, split};
use super::own_fields::is_media_type;
use super::request::Request;
use super::room::{EVENT_BYTES, body_of, reserve};
use super::shared::Intake;
use super::validation::check_fields;
use super::writer::WRITE_BYTES;
use crate::access::Caller;
use crate::error::{ApiError, ErrorBody};

pub(super) async fn record_events<S, B, E>(
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
