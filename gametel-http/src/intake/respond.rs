use std::panic::AssertUnwindSafe;

use bytes::Buf;
use futures_util::{FutureExt, Stream};
use warp::reply::Response;

use super::cors::Exchange;
use super::handlers::handle;
use super::not_kept::not_kept;
use super::request::Request;
use super::shared::Intake;
use crate::error::ApiError;

/// Answers a request, also one that is refused or that a handler panics at.
pub(crate) async fn respond<S, B, E>(intake: &Intake, request: Request<'_, S>) -> Response
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
{
    let exchange = Exchange::of(&intake.options.cors, &request.headers);
    if let Some(place) = request.place
        && let Some(preflight) = exchange.preflight(&request.method, &request.headers, place)
    {
        return preflight;
    }
    let may_be_kept = !request.place.is_some_and(|place| place.stores() || place.is_health());
    let route = intake.places.meters(request.place).route();
    // A panic is a bug. It costs the request that met it, and not the connection with the others on
    // it. What is shared is atomics and the sink, whose own panics do not come this far.
    let handled = AssertUnwindSafe(handle(intake, request)).catch_unwind().await;
    let mut response = match handled {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => error.into_response(),
        Err(_) => {
            tracing::error!(route, "a handler panicked");
            ApiError::internal().into_response()
        }
    };
    if !may_be_kept {
        response = not_kept(response);
    }
    exchange.add_headers(response.headers_mut());
    response
}
