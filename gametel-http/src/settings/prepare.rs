//! From the configuration to what a server is started with.

use gametel_core::catalog::Catalog;
use gametel_core::endpoint::Endpoint;
use gametel_http::sinks::SinkOptions;
use gametel_http::{RouteOptions, ServerConfig};
use tracing_subscriber::EnvFilter;

use super::problems::{Complaints, Problems};
use super::resolve::Settings;

/// All that a server needs, read and checked, with nothing opened yet.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) server: ServerConfig,
    pub(crate) catalog: Catalog,
    pub(crate) sink: Endpoint,
    pub(crate) sink_options: SinkOptions,
    pub(crate) log_filter: EnvFilter,
}

impl Settings {
    /// Reads the files that the configuration names, and checks what can be checked without a
    /// server.
    ///
    /// # Errors
    ///
    /// All that is wrong, each with the place where it was set.
    pub(crate) fn prepare(&self) -> Result<Prepared, Problems> {
        let configuration = &self.configuration;
        let mut complaints = Complaints::about(self);
        configuration.server.check(&mut complaints);
        configuration.sink.check(&mut complaints);
        configuration.limits.check(&mut complaints);
        let log_filter = configuration.log.filter(&mut complaints);
        let catalog = configuration.catalog.load(&mut complaints);
        let rule = catalog.as_ref().and_then(|catalog| {
            let rule = configuration.headers.rule(catalog);
            rule.map_err(|error| complaints.add("headers.keep", error)).ok()
        });
        match (catalog, rule, log_filter, complaints.into_problems()) {
            (Some(catalog), Some(rule), Some(log_filter), problems) => {
                let routes = RouteOptions::default()
                    .with_limits(configuration.limits.limits())
                    .with_header_rule(rule);
                problems.or(Prepared {
                    server: configuration.server.config().with_routes(routes),
                    catalog,
                    sink: configuration.sink.url.0.clone(),
                    sink_options: configuration.sink.options(),
                    log_filter,
                })
            }
            (_, _, _, problems) => Err(problems),
        }
    }
}
