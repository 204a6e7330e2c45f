//! The admin listener's pages, for those who watch the server: no key, and no event.

use std::convert::Infallible;
use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use warp::Filter;
use warp::filters::path::FullPath;
use warp::reply::Response;

use crate::error::ApiError;
use crate::intake::{Intake, live, ready_with_reasons};
use crate::metrics::Metrics;
use crate::observe::RequestId;

/// Makes a page of what there is to see now.
type Page = fn(&Intake) -> Response;

/// What is at a path.
fn page(path: &str) -> Option<Page> {
    match path {
        "/healthz/live" => Some(|_| live()),
        "/healthz/ready" => Some(ready_with_reasons),
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
    let asked = warp::method().and(warp::path::full()).and(warp::header::headers_cloned());
    asked.map(move |method: Method, path: FullPath, headers: HeaderMap| {
        let mut response = answer(&intake, &method, path.as_str());
        RequestId::of(&headers).add_to(response.headers_mut());
        response
    })
}

fn answer(intake: &Intake, method: &Method, path: &str) -> Response {
    match page(path) {
        Some(page) if [Method::GET, Method::HEAD].contains(method) => page(intake),
        Some(_) => ApiError::method_not_allowed("GET, HEAD").into_response(),
        None => {
            let message = "there is nothing at this path of the admin listener";
            ApiError::new(StatusCode::NOT_FOUND, "not_found", message).into_response()
        }
    }
}
