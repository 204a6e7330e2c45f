use std::convert::Infallible;
use std::str::FromStr;

use gametel_batch::source::endpoints;
use gametel_batch::{BatchError, ErrorKind};
use gametel_core::endpoint::{Endpoint, EndpointError};

/// A URL as it was typed. It is no URL's fault before it is used: clap would print the whole of it,
/// with a password that does not belong there.
#[derive(Clone, Debug)]
pub(super) struct Url(Result<Vec<Endpoint>, EndpointError>);

impl FromStr for Url {
    type Err = Infallible;

    fn from_str(url: &str) -> Result<Self, Infallible> {
        Ok(Self(endpoints(url)))
    }
}

impl Url {
    /// The one end that the URL names.
    pub(super) fn endpoint(self) -> Result<Endpoint, BatchError> {
        match &self.endpoints()?[..] {
            [endpoint] => Ok(endpoint.clone()),
            _ => Err(BatchError::new(
                ErrorKind::Config,
                "one topic is wanted, and several are named",
            )),
        }
    }

    /// The ends that the URL names: at least one.
    pub(super) fn endpoints(self) -> Result<Vec<Endpoint>, BatchError> {
        self.0.map_err(|error| BatchError::new(ErrorKind::Config, error.to_string()))
    }
}
