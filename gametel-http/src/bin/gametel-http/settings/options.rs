//! The options and variables that stand for keys of the file.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use super::configuration::Configuration;
use super::fault::faults_of;
use super::layer::{Key, Layer, Origin, key, value_at};
use super::problems::Problems;

/// An option, and the variable of the same meaning.
struct Setting {
    key: &'static str,
    option: &'static str,
    variable: &'static str,
    value_name: &'static str,
    kind: Kind,
    help: &'static str,
}

/// What its text is in the file. Times and sizes are text there, too.
enum Kind {
    Text,
    Number,
    /// Can be repeated, or listed with commas.
    List,
    /// Alone it says yes; `=false` is against a yes of the file.
    Switch,
}

const CONFIG: &str = "config";

/// The others are in the file alone, so that `--help` stays readable.
const SETTINGS: &[Setting] = &[
    Setting {
        key: "server.listen",
        option: "listen",
        variable: "GAMETEL_LISTEN",
        value_name: "IP:PORT",
        kind: Kind::Text,
        help: "The address to listen on; port 0 takes a free one",
    },
    Setting {
        key: "server.allow_public_without_keys",
        option: "allow-public-without-keys",
        variable: "GAMETEL_ALLOW_PUBLIC_WITHOUT_KEYS",
        value_name: "BOOL",
        kind: Kind::Switch,
        help: "Listen beyond loopback although there are no keys",
    },
    Setting {
        key: "server.admin_listen",
        option: "admin-listen",
        variable: "GAMETEL_ADMIN_LISTEN",
        value_name: "IP:PORT",
        kind: Kind::Text,
        help: "The address for health and metrics alone, without keys; there is none without",
    },
    Setting {
        key: "server.allow_public_admin",
        option: "allow-public-admin",
        variable: "GAMETEL_ALLOW_PUBLIC_ADMIN",
        value_name: "BOOL",
        kind: Kind::Switch,
        help: "Let that address be beyond loopback",
    },
    Setting {
        key: "server.max_connections",
        option: "max-connections",
        variable: "GAMETEL_MAX_CONNECTIONS",
        value_name: "N",
        kind: Kind::Number,
        help: "How many connections are served at once; further ones wait",
    },
    Setting {
        key: "limits.body_bytes",
        option: "max-body-bytes",
        variable: "GAMETEL_MAX_BODY_BYTES",
        value_name: "SIZE",
        kind: Kind::Text,
        help: "The largest body that is read, such as 65536 or 64KiB",
    },
    Setting {
        key: "server.shutdown_timeout",
        option: "shutdown-timeout",
        variable: "GAMETEL_SHUTDOWN_TIMEOUT",
        value_name: "TIME",
        kind: Kind::Text,
        help: "How long a stop waits for the requests in hand, such as 30s or 1m",
    },
    Setting {
        key: "keys.file",
        option: "key-file",
        variable: "GAMETEL_KEY_FILE",
        value_name: "FILE",
        kind: Kind::Text,
        help: "The keys that clients need to write, re-read on SIGHUP; `gametel-http key new` makes them",
    },
    Setting {
        key: "tls.certificate",
        option: "tls-certificate",
        variable: "GAMETEL_TLS_CERTIFICATE",
        value_name: "FILE",
        kind: Kind::Text,
        help: "The certificate chain to speak TLS with, as PEM, re-read on SIGHUP",
    },
    Setting {
        key: "tls.private_key",
        option: "tls-key",
        variable: "GAMETEL_TLS_KEY",
        value_name: "FILE",
        kind: Kind::Text,
        help: "The certificate's private key, as PEM",
    },
    Setting {
        key: "tls.client_roots",
        option: "tls-client-roots",
        variable: "GAMETEL_TLS_CLIENT_ROOTS",
        value_name: "FILE",
        kind: Kind::Text,
        help: "Who may sign clients' certificates, as PEM; clients need one then",
    },
    Setting {
        key: "cors.origins",
        option: "cors-origin",
        variable: "GAMETEL_CORS_ORIGIN",
        value_name: "ORIGIN",
        kind: Kind::List,
        help: "An origin whose web pages may send events, such as https://play.example. Can be repeated",
    },
    Setting {
        key: "sink.url",
        option: "sink",
        variable: "GAMETEL_SINK",
        value_name: "URL",
        kind: Kind::Text,
        help: "Where events go: sqlite:PATH, kafka://HOST:PORT[,HOST:PORT…]/TOPIC, stdout: or null:",
    },
    Setting {
        key: "sink.topic.partitions",
        option: "topic-partitions",
        variable: "GAMETEL_TOPIC_PARTITIONS",
        value_name: "N",
        kind: Kind::Number,
        help: "How many partitions a Kafka topic gets, if it has to be created",
    },
    Setting {
        key: "sink.topic.replication",
        option: "topic-replication",
        variable: "GAMETEL_TOPIC_REPLICATION",
        value_name: "N",
        kind: Kind::Number,
        help: "On how many brokers a Kafka topic is kept, if it has to be created",
    },
    Setting {
        key: "sink.dead_letter",
        option: "dead-letter",
        variable: "GAMETEL_DEAD_LETTER",
        value_name: "URL",
        kind: Kind::Text,
        help: "Where dead letters go, with `--on-invalid quarantine`: another such URL",
    },
    Setting {
        key: "spool.file",
        option: "spool",
        variable: "GAMETEL_SPOOL",
        value_name: "FILE",
        kind: Kind::Text,
        help: "Store events in this file first, and forward them from there to the sink, which may be away",
    },
    Setting {
        key: "spool.ack",
        option: "spool-ack",
        variable: "GAMETEL_SPOOL_ACK",
        value_name: "ACK",
        kind: Kind::Text,
        help: "What a 2xx means: the event is in the `spool`, or the `target` has accepted it, too",
    },
    Setting {
        key: "spool.max_bytes",
        option: "spool-max-bytes",
        variable: "GAMETEL_SPOOL_MAX_BYTES",
        value_name: "SIZE",
        kind: Kind::Text,
        help: "How much the spool may hold; at that, requests are answered with 503",
    },
    Setting {
        key: "catalog.file",
        option: "catalog",
        variable: "GAMETEL_CATALOG",
        value_name: "FILE",
        kind: Kind::Text,
        help: "The catalog of events, a TOML file. Without it the built-in catalog `game` is served",
    },
    Setting {
        key: "validation.on_invalid",
        option: "on-invalid",
        variable: "GAMETEL_ON_INVALID",
        value_name: "WHAT",
        kind: Kind::Text,
        help: "What becomes of events whose fields are not what the catalog says: `reject`, or `quarantine`, \
               which writes them as dead letters",
    },
    Setting {
        key: "headers.keep",
        option: "keep-header",
        variable: "GAMETEL_KEEP_HEADER",
        value_name: "NAME",
        kind: Kind::List,
        help: "A request header that events keep, beside those that the catalog names (Host, \
               User-Agent and Accept, if it names none). Can be repeated",
    },
    Setting {
        key: "headers.secret",
        option: "secret-header",
        variable: "GAMETEL_SECRET_HEADER",
        value_name: "NAME",
        kind: Kind::List,
        help: "A request header that counts as secret, so that it can't be kept. Can be repeated",
    },
    Setting {
        key: "log.filter",
        option: "log",
        variable: "GAMETEL_LOG",
        value_name: "FILTER",
        kind: Kind::Text,
        help: "Which log lines are written to stderr, such as `info` or `gametel_http=debug`; \
               the variable RUST_LOG is next in line",
    },
    Setting {
        key: "log.format",
        option: "log-format",
        variable: "GAMETEL_LOG_FORMAT",
        value_name: "FORMAT",
        kind: Kind::Text,
        help: "How log lines are written: text or json",
    },
];

/// What the command line and the environment say: which file, and what instead of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overrides {
    pub(super) file: Option<PathBuf>,
    pub(super) environment: Layer,
    pub(super) command_line: Layer,
}

impl Overrides {
    /// Whether there is a configuration file.
    pub(crate) fn has_file(&self) -> bool {
        self.file.is_some()
    }

    /// Takes the value of the variable `RUST_LOG` where `GAMETEL_LOG` is not set.
    pub(crate) fn with_rust_log(mut self, filter: String) -> Self {
        let log_filter = key("log.filter");
        if !filter.is_empty() && self.environment.origin(&log_filter).is_none() {
            let origin = Origin::Environment("RUST_LOG".to_owned());
            self.environment.insert(log_filter, filter.into(), origin);
        }
        self
    }

    /// Holds the values to their types.
    ///
    /// # Errors
    ///
    /// All that is wrong, each with its option or variable.
    pub(super) fn check(&self) -> Result<(), Problems> {
        let mut problems = Problems::default();
        for layer in [&self.environment, &self.command_line] {
            for fault in faults_of(layer.to_table()) {
                match layer.origin(&fault.key()) {
                    Some(origin) => problems.push(origin, &fault.message),
                    None => problems.push("the command line", &fault),
                }
            }
        }
        problems.or(())
    }
}

impl Args for Overrides {
    fn augment_args(command: Command) -> Command {
        let defaults = toml::Table::try_from(Configuration::default()).unwrap_or_default();
        let config = Arg::new(CONFIG)
            .long("config")
            .value_name("FILE")
            .env("GAMETEL_CONFIG")
            .hide_env_values(true)
            // As a path, it would be refused where the variable is empty.
            .value_parser(clap::value_parser!(OsString))
            .help("The configuration file; `gametel-http sample-config` prints one");
        command.arg(config).args(SETTINGS.iter().map(|setting| setting.argument(&defaults)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Overrides {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let file = matches.get_one::<OsString>(CONFIG).filter(|file| !file.is_empty());
        let mut overrides = Self { file: file.map(PathBuf::from), ..Self::default() };
        for setting in SETTINGS {
            let Some(values) = matches.get_many::<String>(setting.key) else { continue };
            let values: Vec<&String> = values.collect();
            match matches.value_source(setting.key) {
                // A variable that is empty is as good as none.
                Some(ValueSource::EnvVariable) if values.iter().all(|value| value.is_empty()) => {}
                Some(ValueSource::EnvVariable) => {
                    let origin = Origin::Environment(setting.variable.to_owned());
                    overrides.environment.insert(setting.key(), setting.value(&values), origin);
                }
                _ => {
                    let origin = Origin::CommandLine(format!("--{}", setting.option));
                    overrides.command_line.insert(setting.key(), setting.value(&values), origin);
                }
            }
        }
        Ok(overrides)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Setting {
    fn key(&self) -> Key {
        key(self.key)
    }

    fn argument(&self, defaults: &toml::Table) -> Arg {
        let default = match value_at(defaults, &self.key()) {
            Some(toml::Value::String(text)) => format!(" [default: {text}]"),
            Some(toml::Value::Array(_) | toml::Value::Boolean(_)) | None => String::new(),
            Some(value) => format!(" [default: {value}]"),
        };
        let argument = Arg::new(self.key)
            .long(self.option)
            .value_name(self.value_name)
            .env(self.variable)
            // There may be a password in a URL.
            .hide_env_values(true)
            .help_heading(self.heading())
            .help(format!("{}{default}", self.help));
        match self.kind {
            Kind::Text | Kind::Number => argument.action(ArgAction::Set),
            Kind::List => argument.action(ArgAction::Append).value_delimiter(','),
            Kind::Switch => {
                argument.num_args(0..=1).require_equals(true).default_missing_value("true")
            }
        }
    }

    /// Under what the option stands in `--help`.
    fn heading(&self) -> &'static str {
        match self.key.split('.').next() {
            Some("server" | "limits") => "Server",
            Some("keys" | "tls" | "cors") => "Access",
            Some("sink" | "spool") => "Destination",
            Some("catalog" | "validation" | "headers") => "Events",
            _ => "Log",
        }
    }

    fn value(&self, texts: &[&String]) -> toml::Value {
        let text = texts.last().map_or("", |text| text.as_str());
        match self.kind {
            Kind::Text => text.into(),
            Kind::Switch => text.parse::<bool>().map_or_else(|_| text.into(), toml::Value::from),
            // What is no number does not fit the key's type, and is an error by that.
            Kind::Number => text.parse::<i64>().map_or_else(|_| text.into(), toml::Value::from),
            Kind::List => texts.iter().map(|text| text.as_str()).collect::<Vec<_>>().into(),
        }
    }
}
