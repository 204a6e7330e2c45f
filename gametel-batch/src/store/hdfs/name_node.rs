use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hdfs_native::{Client, ClientBuilder, HdfsError};
use tokio::runtime::Handle;

use crate::store::StoreOptions;
use crate::store::remote::within;

use super::trouble::{Reason, Trouble};

/// The first pause before another try; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The client of one file system, with the deadlines and second tries that it lacks.
#[derive(Debug)]
pub(super) struct NameNode {
    authority: String,
    options: StoreOptions,
    handle: Handle,
    client: Mutex<Client>,
    /// Whether it ever answered. One that never did is misspelt more likely than it restarts.
    answered: AtomicBool,
}

impl NameNode {
    pub(super) fn new(
        authority: &str,
        options: StoreOptions,
        handle: Handle,
    ) -> Result<Self, Trouble> {
        let client = connect(authority, &handle)?;
        Ok(Self {
            authority: authority.to_owned(),
            options,
            handle,
            client: Mutex::new(client),
            answered: AtomicBool::new(false),
        })
    }

    pub(super) fn options(&self) -> &StoreOptions {
        &self.options
    }

    /// Makes a call until it succeeds, fails for a reason that will not pass, or has been tried for
    /// [`StoreOptions::retry_for`]. Each try has [`StoreOptions::call_timeout`], and no other follows
    /// one that ran out of it.
    pub(super) async fn call<T, F>(&self, attempt: impl Fn(Client) -> F) -> Result<T, Trouble>
    where
        F: Future<Output = hdfs_native::Result<T>>,
    {
        let (started, mut pause) = (Instant::now(), FIRST_PAUSE);
        loop {
            let trouble = match self.once(attempt(self.client())).await {
                Ok(done) => return Ok(done),
                Err(trouble) => trouble,
            };
            let unknown =
                trouble.reason() == Reason::Away && !self.answered.load(Ordering::Relaxed);
            if unknown || !trouble.may_pass() || started.elapsed() + pause > self.options.retry_for
            {
                return Err(trouble);
            }
            tracing::debug!(error = trouble.line(), "HDFS is asked again");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Waits for one answer, as long as a call may take.
    pub(super) async fn once<T>(
        &self,
        call: impl Future<Output = hdfs_native::Result<T>>,
    ) -> Result<T, Trouble> {
        let Some(result) = within(self.options.call_timeout, call).await else {
            self.reconnect();
            let seconds = self.options.call_timeout.as_secs_f64();
            return Err(Trouble::new(
                Reason::Silent,
                format!("HDFS has not answered within {seconds} s"),
            ));
        };
        if !matches!(result, Err(HdfsError::IOError(_) | HdfsError::SASLError(_))) {
            self.answered.store(true, Ordering::Relaxed);
        }
        result.map_err(Trouble::from)
    }

    pub(super) fn client(&self) -> Client {
        self.client.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Has the next call made on a new connection: one on which nothing comes back looks alive to
    /// the client, for ever.
    fn reconnect(&self) {
        // The configuration could be read when the store was opened; if no longer, the old one stays.
        if let Ok(client) = connect(&self.authority, &self.handle) {
            *self.client.lock().unwrap_or_else(PoisonError::into_inner) = client;
        }
    }
}

fn connect(authority: &str, handle: &Handle) -> Result<Client, Trouble> {
    let client = ClientBuilder::new().with_url(authority).with_io_runtime(handle.clone()).build();
    client.map_err(Trouble::from)
}
