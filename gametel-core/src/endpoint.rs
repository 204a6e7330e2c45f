//! URLs name every end: where events go to, and where they are read from.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// One end of the pipeline, as a URL names it.
///
/// | URL | end |
/// |---|---|
/// | `sqlite:PATH` | the embedded log in that file |
/// | `kafka://HOST:PORT[,HOST:PORT…]/TOPIC` | a topic of a Kafka cluster |
/// | `file:PATH` | a file with one event a line (NDJSON), to read from |
/// | `stdin:` | this process's standard input, likewise |
/// | `stdout:` | this process's standard output |
/// | `null:` | nowhere |
///
/// Reading a URL touches nothing. Which ends a program can use is its own business; `file:` and
/// `stdin:` are sources and no sinks.
///
/// ```
/// use gametel_core::endpoint::Endpoint;
///
/// let end: Endpoint = "kafka://a.example:9092,b.example:9092/events".parse()?;
/// let brokers = "a.example:9092,b.example:9092".to_owned();
/// assert_eq!(end, Endpoint::Kafka { brokers, topic: "events".to_owned() });
/// assert_eq!(end.to_string(), "kafka://a.example:9092,b.example:9092/events");
/// # Ok::<(), gametel_core::endpoint::EndpointError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Endpoint {
    /// An embedded log.
    Sqlite(PathBuf),
    /// A Kafka topic.
    Kafka {
        /// The bootstrap servers, `host:port` with commas between.
        brokers: String,
        /// The topic's name.
        topic: String,
    },
    /// A file with one event a line. A source, and no sink.
    File(PathBuf),
    /// Standard input, with one event a line. A source, and no sink.
    Stdin,
    /// Standard output.
    Stdout,
    /// Nowhere.
    Null,
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(url: &str) -> Result<Self, EndpointError> {
        let fail = |why: &str| Err(EndpointError { url: redacted(url), why: why.to_owned() });
        let Some((scheme, rest)) = url.split_once(':') else {
            return fail(
                "it has no scheme: write sqlite:PATH, kafka://HOST:PORT/TOPIC, file:PATH, stdin:, \
                 stdout: or null:",
            );
        };
        match (scheme, rest) {
            ("sqlite", "") => fail("it names no file: write sqlite:PATH"),
            // sqlite:///var/lib/x is how other tools write the absolute path.
            ("sqlite", path) => Ok(Self::Sqlite(path.strip_prefix("//").unwrap_or(path).into())),
            ("kafka", rest) => match kafka(rest) {
                Ok((brokers, topic)) => Ok(Self::Kafka { brokers, topic }),
                Err(why) => fail(why),
            },
            ("file", "") => fail("it names no file: write file:PATH"),
            ("file", path) => Ok(Self::File(path.strip_prefix("//").unwrap_or(path).into())),
            ("stdin", "") => Ok(Self::Stdin),
            ("stdout", "") => Ok(Self::Stdout),
            ("null", "") => Ok(Self::Null),
            ("stdin" | "stdout" | "null", _) => fail("nothing may follow the colon"),
            _ => fail("the scheme is none of sqlite, kafka, file, stdin, stdout, null"),
        }
    }
}

fn kafka(rest: &str) -> Result<(String, String), &'static str> {
    const FORM: &str = "write kafka://HOST:PORT[,HOST:PORT…]/TOPIC";
    let (brokers, topic) =
        rest.strip_prefix("//").and_then(|rest| rest.split_once('/')).ok_or(FORM)?;
    for broker in brokers.split(',') {
        let (host, port) = broker.rsplit_once(':').ok_or(FORM)?;
        if host.is_empty() || port.parse::<u16>().is_err() {
            return Err(FORM);
        }
        if host.contains('@') {
            return Err("credentials don't belong in a URL");
        }
    }
    // The broker's own rule for names.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if topic.is_empty() || topic.len() > 249 || !topic.bytes().all(plain) {
        return Err("a topic's name has 1 to 249 of the characters A-Z a-z 0-9 . _ -");
    }
    if topic == "." || topic == ".." {
        return Err("a topic can't be called . or ..");
    }
    Ok((brokers.to_owned(), topic.to_owned()))
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Kafka { brokers, topic } => write!(f, "kafka://{brokers}/{topic}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Stdin => f.write_str("stdin:"),
            Self::Stdout => f.write_str("stdout:"),
            Self::Null => f.write_str("null:"),
        }
    }
}

/// The URL without what may be a password: all in front of its last `@`.
fn redacted(url: &str) -> String {
    match (url.rsplit_once('@'), url.split_once("//")) {
        (None, _) => url.to_owned(),
        (Some((_, rest)), Some((scheme, _))) => format!("{scheme}//***@{rest}"),
        (Some((_, rest)), None) => format!("***@{rest}"),
    }
}

/// The text names no end. The message shows the URL without credentials.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{url:?} names no end: {why}")]
pub struct EndpointError {
    url: String,
    why: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_and_written_back() {
        for url in [
            "sqlite:events.db",
            "sqlite:/var/lib/x y.db",
            "kafka://127.0.0.1:19092/events",
            "kafka://[::1]:1/a.b-c_d",
            "file:events.ndjson.gz",
            "stdin:",
            "stdout:",
            "null:",
        ] {
            assert_eq!(url.parse::<Endpoint>().unwrap().to_string(), url);
        }
        assert_eq!("sqlite:///var/x.db".parse(), Ok(Endpoint::Sqlite("/var/x.db".into())));
        assert_eq!("file:///var/x.ndjson".parse(), Ok(Endpoint::File("/var/x.ndjson".into())));
    }

    #[test]
    fn an_error_shows_no_credentials() {
        for url in
            ["kafka://u:hunter2@a:1/t", "kafka:u:hunter2@a:1/t", "hunter2@a", "x://hunter2@b@c"]
        {
            let error = url.parse::<Endpoint>().unwrap_err();
            for text in [error.to_string(), format!("{error:?}")] {
                assert!(!text.contains("hunter2") && text.contains("***@"), "{text}");
            }
        }
    }

    #[test]
    fn a_url_that_names_no_end_is_refused() {
        for url in [
            "",
            "events.db",
            "sqlite:",
            "file:",
            "stdin:x",
            "http://x",
            "stdout:x",
            "null://",
            "kafka:a:1/t",
            "kafka://a/t",
            "kafka://a:1",
            "kafka://a:1/",
            "kafka://:1/t",
            "kafka://a:x/t",
            "kafka://a:1,/t",
            "kafka://a:1/t/u",
            "kafka://a:1/t?x",
            "kafka://u@a:1/t",
            "kafka://a:1/..",
        ] {
            assert!(url.parse::<Endpoint>().is_err(), "{url}");
        }
    }
}
