//! From the configuration to what a server is started with.

use gametel_core::catalog::Catalog;
use gametel_core::endpoint::Endpoint;
use gametel_http::sinks::SinkOptions;
use gametel_http::{RouteOptions, ServerConfig};
use tracing_subscriber::EnvFilter;

use super::configuration::Configuration;
use super::problems::{Complaints, Problems};
use super::resolve::Settings;
use super::section::open_keys;

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
        self.check_ends(&mut complaints);
        configuration.deduplication.check(&mut complaints);
        configuration.limits.check(&mut complaints);
        let mut server = configuration.server.config();
        #[cfg(feature = "tls")]
        {
            server.tls = configuration.tls.load(&mut complaints);
        }
        let keys = open_keys(&configuration.keys, &configuration.key, &mut complaints);
        let log_filter = configuration.log.filter(&mut complaints);
        let catalog = configuration.catalog.load(&mut complaints);
        let rule = catalog.as_ref().and_then(|catalog| {
            let rule = configuration.headers.rule(catalog);
            rule.map_err(|error| complaints.add("headers.keep", error)).ok()
        });
        match (catalog, rule, log_filter, complaints.into_problems()) {
            (Some(catalog), Some(rule), Some(log_filter), problems) => {
                server.routes = RouteOptions::default()
                    .with_cors(configuration.cors.options())
                    .with_header_rule(rule)
                    .with_limits(configuration.limits.limits())
                    .with_rates(configuration.rates.limits())
                    .with_validation(configuration.validation.validation())
                    .with_deduplication(configuration.deduplication.settings());
                server.routes.keys = keys;
                problems.or(Prepared {
                    server,
                    catalog,
                    sink: configuration.sink.url.0.clone(),
                    sink_options: self.sink_options(),
                    log_filter,
                })
            }
            (_, _, _, problems) => Err(problems),
        }
    }

    #[cfg(feature = "log")]
    fn check_ends(&self, complaints: &mut Complaints<'_>) {
        let Configuration { sink, spool, validation, .. } = &self.configuration;
        sink.check(validation.on_invalid, spool.is_on(), complaints);
        spool.check(sink, complaints);
    }

    #[cfg(not(feature = "log"))]
    fn check_ends(&self, complaints: &mut Complaints<'_>) {
        let Configuration { sink, validation, .. } = &self.configuration;
        sink.check(validation.on_invalid, false, complaints);
    }

    #[cfg(feature = "log")]
    fn sink_options(&self) -> SinkOptions {
        self.configuration.spool.add_to(self.configuration.sink.options())
    }

    #[cfg(not(feature = "log"))]
    fn sink_options(&self) -> SinkOptions {
        self.configuration.sink.options()
    }
}
