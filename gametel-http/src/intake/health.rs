//! Whether the server lives, and whether it is ready.

use http::StatusCode;
use serde::Serialize;
use warp::reply::Response;

use super::not_kept::not_kept;
use super::shared::Intake;
use crate::error::json_response;
use crate::readiness::Report;

/// That there is a server to answer.
pub(crate) fn live() -> Response {
    not_kept(json_response(StatusCode::OK, &HealthBody { status: "live" }))
}

/// Whether the server is ready, for everyone who asks.
pub(crate) fn ready(intake: &Intake) -> Response {
    readiness(&intake.readiness.report().without_reasons())
}

/// Whether the server is ready, and why not, for those who run it.
pub(crate) fn ready_with_reasons(intake: &Intake) -> Response {
    readiness(&intake.readiness.report())
}

#[derive(Serialize)]
struct HealthBody {
    status: &'static str,
}

fn readiness(report: &Report) -> Response {
    let status = if report.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    not_kept(json_response(status, report))
}
