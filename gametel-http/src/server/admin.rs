//! The admin listener's pages, for those who watch the server: no key, and no event.

use std::convert::Infallible;
use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, StatusCode};
use warp::Filter;
use warp::filters::path::FullPath;
use warp::reply::Response;

use crate::error::ApiError;
use crate::intake::{Intake, live, ready};
use crate::metrics::Metrics;

/// Makes a page of what there is to see now.
type Page = fn(&Intake) -> Response;

/// What is at a path.
fn page(path: &str) -> Option<Page> {
    match path {
        "/healthz/live" => Some(|_| live()),
        "/healthz/ready" => Some(ready),
        "/metrics" => Some(metrics),
        _ => None,
    }
}

fn metrics(intake: &Intake) -> Response {
    let mut response = Response::new(intake.meters.metrics.render().into());
    let content_type = HeaderValue::from_static(Metrics::CONTENT_TYPE);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

/// The filter of the admin listener, which answers every request.
pub(crate) fn admin_filter(
    intake: Arc<Intake>,
) -> impl Filter<Extract = (Response,), Error = Infallible> + Clone {
    warp::method().and(warp::path::full()).map(move |method: Method, path: FullPath| {
        match (page(path.as_str()), method) {
            (Some(page), Method::GET | Method::HEAD) => page(&intake),
            (Some(_), _) => ApiError::method_not_allowed("GET, HEAD").into_response(),
            (None, _) => {
                let message = "there is nothing at this path of the admin listener";
                ApiError::new(StatusCode::NOT_FOUND, "not_found", message).into_response()
            }
        }
    })
}
