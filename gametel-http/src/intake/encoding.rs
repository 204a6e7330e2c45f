use gametel_core::catalog::FieldError;
use gametel_core::event::{EncodedEvent, EventDraft};
use gametel_core::header::EventHeader;
use http::HeaderMap;

use super::answer::ToWrite;
use super::shared::Intake;
use crate::error::{ApiError, ErrorBody};

/// The event as it is to be written: as a dead letter, if there is something wrong with it.
pub(super) fn encode(
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

/// The headers of a request that its events keep.
pub(super) fn kept_headers(intake: &Intake, headers: &HeaderMap) -> Vec<EventHeader> {
    let pairs = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let kept = intake.header_rule.apply(pairs);
    intake.stats.add_lossy_values(kept.lossy);
    kept.headers
}
