//! Each place to its handler.

use bytes::Buf;
use futures_util::Stream;
use http::Method;
use warp::reply::Response;

use super::admission::admit;
use super::health::{live, ready};
use super::places::Place;
use super::record_many::record_events;
use super::record_one::record_at_route;
use super::refusal::refuse;
use super::request::Request;
use super::shared::Intake;
use crate::error::ApiError;

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
