use http::HeaderValue;
use http::header::CACHE_CONTROL;
use warp::reply::Response;

/// Keeps an answer out of every cache. Kept, that to a GET of an event's route would be the answer to
/// the next one, too, of which the server would not hear.
pub(super) fn not_kept(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
