use std::future::Future;

use crate::sink::EventSink;

use super::Fixture;
use super::closing::{a_write_beside_a_close_is_stored_or_refused, close_flushes_and_refuses};
use super::failing::a_failure_is_told_and_passes;
use super::writing::{
    a_dropped_write_leaves_the_sink_usable, an_empty_batch_is_fine,
    concurrent_writers_lose_nothing, every_event_is_accounted_for, order_holds_for_each_key,
    what_is_too_large_is_rejected_alone,
};

/// What the suite could check of a sink. Assert on it, so that a check is not lost in silence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConformanceReport {
    /// Whether what was stored could be read back and was compared.
    pub read_back: bool,
    /// Whether the rejection of an event that is too large was checked.
    pub oversize: bool,
    /// Whether a failure of the destination, and the recovery from it, were checked.
    pub failure: bool,
}

/// Checks that a sink keeps the contract of [`EventSink`], as a value and behind
/// `Arc<dyn EventSink>`.
///
/// `open` is called for every check, and must give a sink on a fresh, empty destination each time.
/// The suite needs no particular async runtime.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use std::sync::Arc;
/// use gametel_core::sink::MemorySink;
/// use gametel_core::testing::{Fixture, conformance};
///
/// let report = conformance(|| async {
///     let sink = Arc::new(MemorySink::new());
///     let handle = Arc::clone(&sink);
///     Fixture::new(sink).stored(move || {
///         let payloads = handle.events().into_iter().map(|event| event.payload().clone());
///         std::future::ready(payloads.collect())
///     })
/// })
/// .await;
/// assert!(report.read_back);
/// # });
/// ```
///
/// # Panics
///
/// The sink breaks the contract; the message says which part.
pub async fn conformance<S, O>(open: impl Fn() -> O) -> ConformanceReport
where
    S: EventSink,
    O: Future<Output = Fixture<S>>,
{
    let report = suite(&open).await;
    suite(&|| async { open().await.into_dyn() }).await;
    report
}

async fn suite<S, O>(open: &impl Fn() -> O) -> ConformanceReport
where
    S: EventSink,
    O: Future<Output = Fixture<S>>,
{
    every_event_is_accounted_for(open().await).await;
    an_empty_batch_is_fine(open().await).await;
    close_flushes_and_refuses(open().await).await;
    a_write_beside_a_close_is_stored_or_refused(open().await).await;
    concurrent_writers_lose_nothing(open().await).await;
    order_holds_for_each_key(open().await).await;
    a_dropped_write_leaves_the_sink_usable(open().await).await;
    a_failure_is_told_and_passes(open().await).await;
    let fixture = open().await;
    let report = ConformanceReport {
        read_back: fixture.stored.is_some(),
        oversize: fixture.oversize.is_some(),
        failure: fixture.failure.is_some(),
    };
    what_is_too_large_is_rejected_alone(fixture).await;
    report
}
