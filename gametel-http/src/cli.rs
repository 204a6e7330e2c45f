//! The command line, as typed, and what it resolves to. Nothing here reads a file or a socket; clap
//! reads the variables that the options name.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::num::{NonZeroU16, NonZeroU32};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use gametel_core::catalog::Catalog;
use gametel_core::endpoint::{Endpoint, EndpointError};
use gametel_core::header::{HeaderRule, HeaderRuleError};
use gametel_http::sinks::TopicOptions;
use gametel_http::{Limits, RouteOptions, ServerConfig};

/// Takes game events over HTTP, and answers once they are durable.
#[derive(Debug, Parser)]
#[command(name = "gametel-http", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) log: LogArgs,
}

#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    /// How log lines on stderr are written.
    #[arg(long, value_enum, default_value_t, env = "GAMETEL_LOG_FORMAT", global = true)]
    pub(crate) log_format: LogFormat,
    /// Which log lines are written, such as `info` or `gametel_http=debug`. `RUST_LOG` is the next
    /// in line; without either it is `info`.
    #[arg(long, value_name = "FILTER", env = "GAMETEL_LOG", global = true)]
    pub(crate) log: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum LogFormat {
    #[default]
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the catalog's routes until SIGTERM or ctrl-c.
    Serve(ServeArgs),
    /// Look into a spool, or empty it.
    #[cfg(feature = "log")]
    #[command(subcommand)]
    Spool(crate::spool::SpoolCommand),
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:5000", env = "GAMETEL_LISTEN")]
    pub(crate) listen: SocketAddr,
    /// Where events go: sqlite:PATH, kafka://HOST:PORT[,HOST:PORT…]/TOPIC, stdout: or null:
    #[arg(
        long,
        value_name = "URL",
        default_value = "sqlite:gametel-events.db",
        env = "GAMETEL_SINK"
    )]
    pub(crate) sink: Url,
    #[cfg(feature = "log")]
    #[command(flatten)]
    pub(crate) spool: crate::spool::SpoolArgs,
    /// The catalog of events, a TOML file. Without it the built-in catalog `game` is served.
    #[arg(long, value_name = "FILE", env = "GAMETEL_CATALOG")]
    pub(crate) catalog: Option<PathBuf>,
    /// How many partitions the Kafka topic gets, if it has to be created.
    #[arg(long, value_name = "N", default_value = "1", env = "GAMETEL_TOPIC_PARTITIONS")]
    pub(crate) topic_partitions: NonZeroU16,
    /// On how many brokers the Kafka topic is kept, if it has to be created.
    #[arg(long, value_name = "N", default_value = "1", env = "GAMETEL_TOPIC_REPLICATION")]
    pub(crate) topic_replication: NonZeroU16,
    /// A request header that events keep, beside those that the catalog names (Host, User-Agent and
    /// Accept, if it names none). Can be repeated.
    #[arg(long, value_name = "NAME", value_delimiter = ',', env = "GAMETEL_KEEP_HEADER")]
    pub(crate) keep_header: Vec<String>,
    /// A request header that counts as secret, so that it can't be kept. Can be repeated.
    #[arg(long, value_name = "NAME", value_delimiter = ',', env = "GAMETEL_SECRET_HEADER")]
    pub(crate) secret_header: Vec<String>,
    /// The largest body that is read, in bytes.
    #[arg(long, value_name = "N", default_value = "1048576", env = "GAMETEL_MAX_BODY_BYTES")]
    pub(crate) max_body_bytes: usize,
    /// How many connections are served at once; further ones wait.
    #[arg(long, value_name = "N", default_value = "1024", env = "GAMETEL_MAX_CONNECTIONS")]
    pub(crate) max_connections: NonZeroU32,
    /// How long a stop waits for the requests in hand.
    #[arg(long, value_name = "SECONDS", default_value = "30", env = "GAMETEL_SHUTDOWN_TIMEOUT")]
    pub(crate) shutdown_timeout: u32,
}

/// A URL as it was typed. It is no URL's fault before it is used: clap would print the whole of it,
/// with a password that does not belong there.
#[derive(Clone, Debug)]
pub(crate) struct Url(pub(crate) Result<Endpoint, EndpointError>);

impl FromStr for Url {
    type Err = Infallible;

    fn from_str(url: &str) -> Result<Self, Infallible> {
        Ok(Self(url.parse()))
    }
}

/// The options of `serve`, put into the types of the library.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) server: ServerConfig,
    pub(crate) sink: Endpoint,
    #[cfg(feature = "log")]
    pub(crate) spool: crate::spool::SpoolArgs,
    pub(crate) topic: TopicOptions,
    pub(crate) catalog: Option<PathBuf>,
    pub(crate) headers: HeaderOptions,
}

/// What the command line says of headers. What they come to depends on the catalog, too.
#[derive(Debug)]
pub(crate) struct HeaderOptions {
    keep: Vec<String>,
    secret: Vec<String>,
}

impl ServeArgs {
    /// # Errors
    ///
    /// The sink's URL names no end.
    pub(crate) fn resolve(self) -> Result<Settings, EndpointError> {
        let limits = Limits::default().with_body_bytes(self.max_body_bytes);
        let routes = RouteOptions::default().with_limits(limits);
        let server = ServerConfig::default()
            .with_listen(self.listen)
            .with_max_connections(self.max_connections)
            .with_shutdown_timeout(Duration::from_secs(self.shutdown_timeout.into()))
            .with_routes(routes);
        let topic = TopicOptions::default()
            .with_partitions(self.topic_partitions)
            .with_replication(self.topic_replication);
        let headers = HeaderOptions { keep: self.keep_header, secret: self.secret_header };
        Ok(Settings {
            server,
            sink: self.sink.0?,
            #[cfg(feature = "log")]
            spool: self.spool,
            topic,
            catalog: self.catalog,
            headers,
        })
    }
}

impl HeaderOptions {
    /// The catalog's headers and the further ones, unless one of them is secret.
    pub(crate) fn rule(&self, catalog: &Catalog) -> Result<HeaderRule, HeaderRuleError> {
        let named = catalog.header_rule().kept();
        HeaderRule::new(named.chain(self.keep.iter().map(String::as_str)), &self.secret)
    }
}
