use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use http::{HeaderValue, Uri};
use serde::{Deserialize, Deserializer, de};

/// Which web pages may send requests from a browser and read the answers. The default is none, as
/// in a server that never heard of CORS.
///
/// Cookies are never asked for: a page brings its key in a header.
///
/// ```
/// use gametel_http::{CorsOptions, RouteOptions};
///
/// let cors = CorsOptions::default().with_origins(["https://play.example".parse()?]);
/// let routes = RouteOptions::default().with_cors(cors);
/// # Ok::<(), gametel_http::OriginError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CorsOptions {
    /// The origins of those pages. Default none, which turns CORS off.
    pub origins: Vec<Origin>,
    /// How long a browser may remember the answer to a preflight. Default 1 hour; browsers have
    /// limits of their own, of 2 hours and more.
    pub max_age: Duration,
}

impl Default for CorsOptions {
    fn default() -> Self {
        Self { origins: Vec::new(), max_age: Duration::from_secs(3_600) }
    }
}

impl CorsOptions {
    /// Sets [`origins`](Self::origins).
    #[must_use]
    pub fn with_origins(self, origins: impl IntoIterator<Item = Origin>) -> Self {
        Self { origins: origins.into_iter().collect(), ..self }
    }

    /// Sets [`max_age`](Self::max_age).
    #[must_use]
    pub fn with_max_age(self, max_age: Duration) -> Self {
        Self { max_age, ..self }
    }
}

/// The origin of a web page, as browsers write it: `https://play.example` or
/// `http://localhost:3000`. There is no pattern for several, and none for all.
///
/// ```
/// use gametel_http::Origin;
///
/// assert_eq!("HTTPS://Play.example".parse::<Origin>()?.as_str(), "https://play.example");
/// for wrong in ["*", "null", "play.example", "https://play.example/", "https://play.example:443"] {
///     assert!(wrong.parse::<Origin>().is_err());
/// }
/// # Ok::<(), gametel_http::OriginError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(HeaderValue);

impl Origin {
    /// The origin, in lower case.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    pub(crate) fn as_header(&self) -> &HeaderValue {
        &self.0
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let lower = text.to_ascii_lowercase();
        let error = || OriginError { text: text.to_owned() };
        let uri: Uri = lower.parse().map_err(|_| error())?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(error());
        };
        // What a browser would never send matches nothing, and would be looked for in vain.
        let default_port = match scheme {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        };
        let is_written_out = authority.port_u16().is_some_and(|port| Some(port) == default_port);
        let is_whole =
            format!("{scheme}://{authority}") == lower && !authority.as_str().contains(['@', '*']);
        if is_written_out || !is_whole || authority.host().is_empty() {
            return Err(error());
        }
        HeaderValue::from_str(&lower).map(Self).map_err(|_| error())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Origin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// A text is no [`Origin`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is no origin: write SCHEME://HOST or SCHEME://HOST:PORT as a browser does, without a path, a usual port or a star"
)]
pub struct OriginError {
    text: String,
}
