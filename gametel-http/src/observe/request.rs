use std::net::IpAddr;
use std::time::Instant;

use http::{Method, StatusCode};

use crate::intake::{Intake, Request};
use crate::limits::client_address;
use crate::metrics::{InFlight, RouteMeters};
use crate::routes::Peer;

use super::tally::Tally;

/// A request that is seen from outside: counted while it is in hand, and logged when it ends.
#[derive(Debug)]
pub(crate) struct ObservedRequest<'a> {
    begun: Instant,
    intake: &'a Intake,
    in_flight: InFlight<'a>,
    route: &'a RouteMeters,
    method: Method,
    peer: Option<Peer>,
    /// As the rates see it: beyond the proxies that are trusted.
    client: Option<IpAddr>,
}

impl<'a> ObservedRequest<'a> {
    pub(crate) fn begin<S>(intake: &'a Intake, request: &Request<'a, S>) -> Self {
        let trusted = &intake.options.rates.trusted_proxies;
        let client = request.peer.map(|peer| client_address(peer.0, &request.headers, trusted));
        Self {
            begun: Instant::now(),
            intake,
            in_flight: intake.meters.begin_request(),
            route: intake.places.meters(request.place),
            method: request.method.clone(),
            peer: request.peer,
            client,
        }
    }

    /// Takes note of the answer. Of what the client sent, nothing is logged but the method; the
    /// route is its template.
    pub(crate) fn end(self, status: StatusCode, tally: &Tally) {
        let Self { begun, intake, in_flight, route, method, peer, client } = self;
        let now = Instant::now();
        let duration = now - begun;
        route.add_request(&method, status, duration);
        intake.meters.add_refused(tally);
        in_flight.answered();

        let overloaded = [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE];
        if tally.code.is_some()
            && overloaded.contains(&status)
            && let Some(requests) = intake.overload.happened(now)
        {
            let (status, code) = (status.as_u16(), tally.code);
            tracing::warn!(requests, status, code, "requests are refused; told every 10 s");
        }
        // A macro can't be told its level by a value.
        macro_rules! log {
            ($level:ident) => {
                tracing::$level!(
                    target: "gametel_http::access",
                    method = method.as_str(),
                    route = route.route(),
                    status = status.as_u16(),
                    code = tally.code,
                    seconds = duration.as_secs_f64(),
                    accepted = tally.accepted,
                    quarantined = tally.quarantined,
                    refused = tally.refused(),
                    client = client.map(tracing::field::display),
                    peer = peer.map(|peer| tracing::field::display(peer.0)),
                    "answered"
                )
            };
        }
        // Where the sink is away each request is a 503: the line above says so, and how many.
        if status.is_server_error() && status != StatusCode::SERVICE_UNAVAILABLE {
            log!(info);
        } else {
            log!(debug);
        }
    }
}
