//! The room that a request takes; where there is none, it is counted.

use bytes::{Buf, Bytes};
use futures_util::Stream;
use http::{HeaderMap, StatusCode};

use super::shared::Intake;
use crate::body::read_body;
use crate::error::ApiError;
use crate::limits::{Exhausted, Reservation};

/// What an event takes beside its payload: its place in the batch, and its result in the answer.
pub(super) const EVENT_BYTES: usize = 512;

/// Reads a body, which takes the room that it needs.
pub(super) async fn body_of<S, B, E>(
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
pub(super) fn reserve(intake: &Intake, taken: Result<(), Exhausted>) -> Result<(), ApiError> {
    taken.map_err(|exhausted| {
        intake.stats.add_overloaded();
        exhausted.into()
    })
}
