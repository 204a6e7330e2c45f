use std::fmt;
use std::sync::Arc;

use prometheus_client::encoding::prometheus_text;
use prometheus_client::registry::Registry;

/// The metrics of one server, in the text format of Prometheus.
///
/// [`Server::metrics`](crate::Server::metrics) and
/// [`GametelService::metrics`](crate::GametelService::metrics) give them, to be served wherever the
/// embedding program serves its own. A clone is cheap, and shows the same server.
///
/// ```
/// use std::sync::Arc;
/// use gametel_core::catalog::Catalog;
/// use gametel_core::sink::MemorySink;
/// use gametel_http::{Metrics, RouteOptions, service};
///
/// let service = service(Catalog::game(), Arc::new(MemorySink::new()), RouteOptions::default());
/// let metrics = service.metrics();
/// let answer = http::Response::builder()
///     .header("content-type", Metrics::CONTENT_TYPE)
///     .body(metrics.render())?;
/// assert!(answer.body().contains("gametel_http_events_total{outcome=\"accepted\"} 0\n"));
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
}

impl Metrics {
    /// The content type of what [`render`](Self::render) gives.
    pub const CONTENT_TYPE: &'static str = prometheus_text::CONTENT_TYPE;

    pub(super) fn new(registry: Registry) -> Self {
        Self { registry: Arc::new(registry) }
    }

    /// Writes down all metrics as they are now.
    ///
    /// It asks the system for the process's numbers, and thereby blocks for some microseconds.
    pub fn render(&self) -> String {
        let mut text = String::new();
        prometheus_text::encode(&mut text, &self.registry)
            .expect("a string takes what is written, and no collector fails");
        text
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
