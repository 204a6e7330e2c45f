use std::str::FromStr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::client::SpawnedReqwestConnector;
use object_store::path::Path;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, PutMode, RetryConfig};
use tokio::runtime::Handle;

use crate::error::BatchError;
use crate::store::StoreOptions;
use crate::store::remote::within;

use super::trouble::{Reason, Trouble};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The client of one bucket.
#[derive(Debug)]
pub(super) struct Bucket {
    name: String,
    options: StoreOptions,
    /// Tries again by itself, as is right for what may be done twice.
    patient: AmazonS3,
    /// Tries once, for what may not.
    once: AmazonS3,
}

impl Bucket {
    pub(super) fn new(
        name: &str,
        options: &StoreOptions,
        handle: &Handle,
    ) -> Result<Self, BatchError> {
        let retry = |max_retries| RetryConfig {
            backoff: BackoffConfig {
                init_backoff: FIRST_PAUSE,
                max_backoff: LONGEST_PAUSE,
                base: 2.0,
            },
            max_retries,
            retry_timeout: options.retry_for,
        };
        Ok(Self {
            name: name.to_owned(),
            options: options.clone(),
            patient: client(name, options, handle, retry(10))?,
            once: client(name, options, handle, retry(0))?,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn options(&self) -> &StoreOptions {
        &self.options
    }

    pub(super) fn patient(&self) -> &AmazonS3 {
        &self.patient
    }

    /// Waits for a request, its second tries included, as long as a call may take.
    pub(super) async fn call<T>(
        &self,
        request: impl Future<Output = object_store::Result<T>>,
    ) -> Result<T, Trouble> {
        match within(self.options.call_timeout, request).await {
            Some(result) => result.map_err(Trouble::from),
            None => {
                let seconds = self.options.call_timeout.as_secs_f64();
                let line = format!("S3 has not answered within {seconds} s");
                Err(Trouble::new(Reason::Silent, line))
            }
        }
    }

    /// Puts an object, if the mode's condition holds, and says whether the answer to an earlier try
    /// was lost on the way.
    pub(super) async fn put(
        &self,
        key: &Path,
        content: Bytes,
        mode: PutMode,
    ) -> (Result<Option<String>, Trouble>, bool) {
        let (started, mut pause, mut lost) = (Instant::now(), FIRST_PAUSE, false);
        loop {
            let put = self.once.put_opts(key, content.clone().into(), mode.clone().into());
            match self.call(put).await {
                Err(trouble)
                    if trouble.reason() == Reason::Other
                        && started.elapsed() + pause
                            < self.options.retry_for.min(LONGEST_PAUSE) =>
                {
                    tracing::debug!(error = trouble.line(), "S3 is asked again");
                    lost = true;
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                result => return (result.map(|put| put.e_tag), lost),
            }
        }
    }
}

fn client(
    bucket: &str,
    options: &StoreOptions,
    handle: &Handle,
    retry: RetryConfig,
) -> Result<AmazonS3, BatchError> {
    let mut builder = AmazonS3Builder::new();
    for (name, value) in options.s3() {
        // Not each variable of this kind is about S3, or of interest here.
        if let Ok(key) = AmazonS3ConfigKey::from_str(&name.to_ascii_lowercase()) {
            builder = builder.with_config(key, value);
        }
    }
    let endpoint = builder.get_config_value(&AmazonS3ConfigKey::Endpoint);
    // Amazon's own is never asked without TLS; whoever names another says how.
    let plain = endpoint.is_some_and(|endpoint| endpoint.starts_with("http://"));
    let http = ClientOptions::new()
        .with_timeout(options.call_timeout)
        .with_connect_timeout(CONNECT_TIMEOUT.min(options.call_timeout))
        .with_allow_http(plain);
    builder
        .with_bucket_name(bucket)
        .with_client_options(http)
        .with_retry(retry)
        .with_http_connector(SpawnedReqwestConnector::new(handle.clone()))
        .build()
        .map_err(|error| {
            let reason = Trouble::from(error);
            BatchError::config(format!("the bucket {bucket} can't be used: {}", reason.line()))
        })
}
