use bytes::Buf;
use futures_util::Stream;

use super::request::Request;
use super::shared::Intake;
use crate::body::discard_body;
use crate::error::ApiError;

/// Gives a refusal back once the body, which nobody wants, is out of its way.
pub(super) async fn refuse<S, B, E>(
    intake: &Intake,
    request: Request<'_, S>,
    refusal: ApiError,
) -> ApiError
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
{
    let Request { headers, body, .. } = request;
    discard_body(&headers, body, &intake.options.limits).await;
    refusal
}
