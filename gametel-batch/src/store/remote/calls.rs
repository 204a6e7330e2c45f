use std::future::Future;
use std::sync::mpsc;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};

use crate::error::{BatchError, ErrorKind};

/// Threads of a store's own, on which its calls are made. Whoever calls waits on the own thread,
/// which may belong to any runtime or to none.
#[derive(Debug)]
pub(in crate::store) struct Calls {
    /// There until the drop.
    runtime: Option<Runtime>,
    handle: Handle,
}

impl Calls {
    /// Starts two threads: one that waits for the other end, and one for what it sends meanwhile.
    pub(in crate::store) fn new() -> Result<Self, BatchError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("gametel-store")
            .enable_all()
            .build()
            .map_err(|error| BatchError::failed("the store's threads can't be started", error))?;
        let handle = runtime.handle().clone();
        Ok(Self { runtime: Some(runtime), handle })
    }

    pub(in crate::store) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Makes a call, and waits for its end.
    pub(in crate::store) fn wait<T: Send + 'static>(
        &self,
        call: impl Future<Output = Result<T, BatchError>> + Send + 'static,
    ) -> Result<T, BatchError> {
        let (sender, receiver) = mpsc::sync_channel(1);
        self.handle.spawn(async move { drop(sender.send(call.await)) });
        receiver.recv().unwrap_or_else(|_| {
            Err(BatchError::new(ErrorKind::Failed, "a call to the store has died on its thread"))
        })
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A plain drop waits for the threads, which panics on a thread of another runtime.
            runtime.shutdown_background();
        }
    }
}

/// Gives a call its time: `None` when that is over.
pub(in crate::store) async fn within<T>(
    time: Duration,
    call: impl Future<Output = T>,
) -> Option<T> {
    tokio::time::timeout(time, call).await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_dies_is_an_error() {
        let calls = Calls::new().unwrap();
        assert_eq!(calls.wait(async { Ok(1) }).unwrap(), 1);
        let error = calls.wait::<()>(async { panic!("on purpose") }).unwrap_err();
        assert!(error.to_string().contains("has died"), "{error}");
    }

    #[tokio::test]
    async fn calls_may_be_waited_for_and_dropped_on_a_thread_of_another_runtime() {
        let calls = Calls::new().unwrap();
        assert_eq!(calls.wait(async { Ok(1) }).unwrap(), 1);
    }
}
