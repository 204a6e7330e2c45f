use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::meters::histogram;

/// Methods that get a label of their own; what else a client may think of is `OTHER`.
const METHODS: [(Method, &str); 4] = [
    (Method::GET, "GET"),
    (Method::POST, "POST"),
    (Method::HEAD, "HEAD"),
    (Method::OPTIONS, "OPTIONS"),
];

/// The statuses that the server answers with as a rule: these are counted without a look-up.
const STATUSES: [u16; 15] =
    [200, 202, 204, 400, 401, 403, 404, 405, 408, 413, 415, 422, 429, 500, 503];

/// Requests by route, method and status.
#[derive(Debug)]
pub(super) struct RequestMeters {
    requests: Requests,
    durations: Durations,
}

type Requests = Family<RequestLabels, Counter>;
type Durations = Family<RouteLabel, Histogram, fn() -> Histogram>;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: Arc<str>,
    method: &'static str,
    code: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabel {
    route: Arc<str>,
}

/// What is counted of the requests to one route.
#[derive(Debug)]
pub(crate) struct RouteMeters {
    route: Arc<str>,
    requests: Requests,
    duration: Histogram,
    /// Of each method, a counter for each status, made when it is first of use: most never are.
    cells: [[OnceLock<Counter>; STATUSES.len()]; METHODS.len() + 1],
}

impl RequestMeters {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let requests = Requests::default();
        let help = "Requests that were answered, by route, method and status";
        registry.register("requests", help, requests.clone());
        let durations = Durations::new_with_constructor(histogram);
        let help = "How long requests took, from their head to the answer, by route";
        registry.register_with_unit("request_duration", help, Unit::Seconds, durations.clone());
        Self { requests, durations }
    }

    pub(super) fn route(&self, template: &str) -> RouteMeters {
        let route: Arc<str> = template.into();
        let duration =
            self.durations.get_or_create_owned(&RouteLabel { route: Arc::clone(&route) });
        RouteMeters { route, requests: self.requests.clone(), duration, cells: Default::default() }
    }
}

impl RouteMeters {
    /// The route's template, such as `/v1/events`; never a path as a client wrote it.
    pub(crate) fn route(&self) -> &str {
        &self.route
    }

    pub(crate) fn add_request(&self, method: &Method, status: StatusCode, duration: Duration) {
        self.duration.observe(duration.as_secs_f64());
        let row = METHODS.iter().position(|(known, _)| known == method);
        let code = status.as_u16();
        let labels = || RequestLabels {
            route: Arc::clone(&self.route),
            method: row.map_or("OTHER", |row| METHODS[row].1),
            code,
        };
        match STATUSES.binary_search(&code) {
            Ok(column) => {
                let cell = &self.cells[row.unwrap_or(METHODS.len())][column];
                cell.get_or_init(|| self.requests.get_or_create_owned(&labels())).inc();
            }
            Err(_) => {
                self.requests.get_or_create(&labels()).inc();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::prometheus_text::encode;

    use super::*;

    #[test]
    fn requests_are_counted_by_route_method_and_status() {
        let mut registry = Registry::default();
        let meters = RequestMeters::register(&mut registry);
        let (one, same, other) =
            (meters.route("/one"), meters.route("/one"), meters.route("/\"2\""));
        let brew = Method::from_bytes(b"BREW").unwrap();
        for (meters, method, status, millis) in [
            (&one, &Method::GET, 200, 1),
            (&same, &Method::GET, 200, 20),
            (&one, &Method::POST, 503, 3),
            (&other, &brew, 405, 1),
            (&other, &Method::DELETE, 418, 1),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            meters.add_request(method, status, Duration::from_millis(millis));
        }
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        let mut counted: Vec<&str> =
            text.lines().filter(|line| line.starts_with("requests_total")).collect();
        counted.sort_unstable();
        assert_eq!(
            counted,
            [
                r#"requests_total{route="/\"2\"",method="OTHER",code="405"} 1"#,
                r#"requests_total{route="/\"2\"",method="OTHER",code="418"} 1"#,
                r#"requests_total{route="/one",method="GET",code="200"} 2"#,
                r#"requests_total{route="/one",method="POST",code="503"} 1"#,
            ]
        );
        assert!(text.contains("request_duration_seconds_count{route=\"/one\"} 3\n"), "{text}");
        let bucket = "request_duration_seconds_bucket{route=\"/one\",le=\"0.0025\"} 1\n";
        assert!(text.contains(bucket), "{text}");
    }

    #[test]
    fn the_statuses_are_in_order_for_the_search() {
        assert!(STATUSES.is_sorted());
    }
}
