use std::convert::Infallible;
use std::str::FromStr;

use gametel_batch::{BatchError, ErrorKind};
use gametel_core::endpoint::{Endpoint, EndpointError};

/// A URL as it was typed. It is no URL's fault before it is used: clap would print the whole of it,
/// with a password that does not belong there.
#[derive(Clone, Debug)]
pub(super) struct Url(Result<Endpoint, EndpointError>);

impl FromStr for Url {
    type Err = Infallible;

    fn from_str(url: &str) -> Result<Self, Infallible> {
        Ok(Self(url.parse()))
    }
}

impl Url {
    /// The end that the URL names.
    pub(super) fn endpoint(self) -> Result<Endpoint, BatchError> {
        self.0.map_err(|error| BatchError::new(ErrorKind::Config, error.to_string()))
    }
}
