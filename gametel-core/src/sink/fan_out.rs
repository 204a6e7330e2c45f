use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::join_all;

use crate::batch::EventBatch;

use super::parts::{close_all, flush_all};
use super::{EventSink, Outcome, SinkError, SinkErrorKind, WriteReport};

/// Writes every event to every one of its sinks, at the same time.
///
/// An event is accepted once *all* of them accepted it; its receipt is the first sink's. It is
/// rejected if any rejected it, with the first such reason. If any sink fails as a whole, so does
/// the fan-out, with the first such error, after the others have finished: the batch may then be in
/// some of the sinks, and writing it again repeats it there. Every sink's `flush` and `close` is
/// called, whatever the others answer.
///
/// The misuse to avoid: a slow or unreliable sink beside a fast one. The fan-out is as slow as the
/// slowest and as available as the least available of its sinks.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use std::sync::Arc;
/// use gametel_core::event::game::PurchaseSword;
/// use gametel_core::sink::{EventSinkExt, FanOut, MemorySink};
///
/// let (left, right) = (Arc::new(MemorySink::new()), Arc::new(MemorySink::new()));
/// let both = FanOut::new([left.clone() as _, right.clone() as _])?;
/// both.send(&PurchaseSword).await?;
/// assert_eq!((left.events().len(), right.events().len()), (1, 1));
/// # Ok::<(), gametel_core::sink::SinkError>(()) }).unwrap();
/// ```
#[derive(Debug)]
pub struct FanOut {
    sinks: Vec<Arc<dyn EventSink>>,
}

impl FanOut {
    /// A fan-out to these sinks, the first of which gives the receipts.
    ///
    /// # Errors
    ///
    /// There is no sink at all, so that accepting an event would lose it.
    pub fn new(sinks: impl IntoIterator<Item = Arc<dyn EventSink>>) -> Result<Self, SinkError> {
        let sinks: Vec<_> = sinks.into_iter().collect();
        if sinks.is_empty() {
            return Err(SinkError::new(
                SinkErrorKind::Config,
                "fan_out",
                "there is no sink to write to",
            ));
        }
        Ok(Self { sinks })
    }
}

/// Of two outcomes of one event, the one that a fan-out gives.
fn both(first: Outcome, second: Outcome) -> Outcome {
    match (&first, &second) {
        (Outcome::Accepted(_), Outcome::Rejected(_)) => second,
        _ => first,
    }
}

#[async_trait]
#[warn(clippy::missing_trait_methods)]
impl EventSink for FanOut {
    fn name(&self) -> &str {
        "fan_out"
    }

    async fn write_batch(&self, batch: &EventBatch) -> Result<WriteReport, SinkError> {
        let reports = join_all(self.sinks.iter().map(|sink| sink.write_batch(batch))).await;
        let mut outcomes: Option<Vec<Outcome>> = None;
        for report in reports {
            let next = report?.into_outcomes();
            outcomes = Some(match outcomes {
                None => next,
                Some(first) => first.into_iter().zip(next).map(|(a, b)| both(a, b)).collect(),
            });
        }
        Ok(outcomes.unwrap_or_default().into_iter().collect())
    }

    async fn flush(&self) -> Result<(), SinkError> {
        flush_all(&self.sinks).await
    }

    async fn close(&self) -> Result<(), SinkError> {
        close_all(&self.sinks).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::game::PurchaseSword;
    use crate::sink::odd::OddSink;
    use crate::sink::{EventSinkExt, MemorySink};

    #[tokio::test]
    async fn an_event_that_one_sink_rejects_is_rejected() {
        let (roomy, full) = (Arc::new(MemorySink::new()), Arc::new(MemorySink::with_capacity(0)));
        for sinks in [[Arc::clone(&roomy), Arc::clone(&full)], [full, roomy]] {
            let fan_out = FanOut::new(sinks.map(|sink| sink as _)).unwrap();
            let error = fan_out.send(&PurchaseSword).await.unwrap_err();
            assert_eq!(error.kind(), SinkErrorKind::Backpressure);
        }
    }

    #[tokio::test]
    async fn every_sink_is_called_though_one_fails() {
        let sinks = ["left", "right"].map(|name| Arc::new(OddSink::failing(name)));
        let fan_out = FanOut::new(sinks.clone().map(|sink| sink as _)).unwrap();
        let answers = [
            fan_out.send(&PurchaseSword).await.map(drop),
            fan_out.flush().await,
            fan_out.close().await,
        ];
        for answer in answers {
            assert_eq!(answer.unwrap_err().sink(), "left", "the first error is told");
        }
        for sink in sinks {
            assert_eq!(sink.calls(), ["write", "flush", "close"], "{sink:?}");
        }
    }

    #[tokio::test]
    async fn an_event_that_one_sink_fails_to_take_is_not_accepted() {
        for failing_first in [true, false] {
            let mut sinks: Vec<Arc<dyn EventSink>> =
                vec![Arc::new(MemorySink::new()), Arc::new(OddSink::failing("odd"))];
            sinks.rotate_left(usize::from(failing_first));
            let error = FanOut::new(sinks).unwrap().send(&PurchaseSword).await.unwrap_err();
            assert_eq!(error.sink(), "odd");
        }
    }

    #[tokio::test]
    async fn the_receipt_is_the_first_sinks() {
        let sinks = ["first", "second"].map(|name| Arc::new(MemorySink::named(name)) as _);
        let receipt = FanOut::new(sinks).unwrap().send(&PurchaseSword).await.unwrap();
        assert_eq!(&*receipt.position.unwrap().topic, "first");
    }

    #[test]
    fn a_fan_out_to_nowhere_can_not_be() {
        assert_eq!(FanOut::new([]).unwrap_err().kind(), SinkErrorKind::Config);
    }
}
