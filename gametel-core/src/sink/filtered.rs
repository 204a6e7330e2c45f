use std::sync::Arc;

use async_trait::async_trait;

use crate::batch::EventBatch;
use crate::filter::Filter;

use super::parts::{close_all, flush_all, write_parts};
use super::{EventSink, SinkError, WriteReport};

/// Writes the events that match a filter to one sink, and the others to another.
///
/// Both sinks must be given, so that nothing has nowhere to go; a [`NullSink`](super::NullSink)
/// says that a part is thrown away. Events for the same sink keep their order; the two are written
/// at the same time. If one fails as a whole, the events for it are rejected for that reason, and what
/// the other accepted is accepted; if nothing was for the other, this sink fails as a whole. Both are
/// flushed and closed, whatever the other answers.
///
/// The misuse to avoid: `not` of a comparison to mean its opposite. `!price.at_least(100)` lets
/// events without a price through, where `price.below(100)` does not; and it lets through records
/// that are no events at all.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use std::sync::Arc;
/// use gametel_core::event::game::{JoinGuild, PurchaseSword};
/// use gametel_core::filter::Filter;
/// use gametel_core::sink::{EventSinkExt, Filtered, MemorySink, NullSink};
///
/// let guilds = Arc::new(MemorySink::new());
/// let sink = Filtered::matching(Filter::of::<JoinGuild>(), guilds.clone()).rest(NullSink::new());
/// sink.send(&PurchaseSword).await?;
/// sink.send(&JoinGuild { guild: "Night Watch".into() }).await?;
/// assert_eq!(guilds.events().len(), 1);
/// # Ok::<(), gametel_core::sink::SinkError>(()) }).unwrap();
/// ```
#[derive(Debug)]
pub struct Filtered {
    filter: Filter,
    /// For what matches, and for the rest.
    sinks: [Arc<dyn EventSink>; 2],
}

/// A [`Filtered`] that still lacks the sink for what does not match.
#[derive(Debug)]
#[must_use = "a filtered sink needs a sink for the rest"]
pub struct FilteredBuilder {
    filter: Filter,
    matching: Arc<dyn EventSink>,
}

const MATCHING: usize = 0;
const REST: usize = 1;

impl Filtered {
    /// Starts a sink that writes what matches `filter` to `sink`.
    pub fn matching(filter: Filter, sink: impl EventSink) -> FilteredBuilder {
        FilteredBuilder { filter, matching: Arc::new(sink) }
    }
}

impl FilteredBuilder {
    /// Sets the sink of what does not match, and makes the filtered sink.
    pub fn rest(self, sink: impl EventSink) -> Filtered {
        Filtered { filter: self.filter, sinks: [self.matching, Arc::new(sink)] }
    }
}

#[async_trait]
#[warn(clippy::missing_trait_methods)]
impl EventSink for Filtered {
    fn name(&self) -> &str {
        "filtered"
    }

    async fn write_batch(&self, batch: &EventBatch) -> Result<WriteReport, SinkError> {
        let place = |event: &_| if self.filter.matches(event) { MATCHING } else { REST };
        write_parts("filtered", &self.sinks, batch, place).await
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
    use crate::codec::Decoder;
    use crate::event::Position;
    use crate::event::game::PurchaseSword;
    use crate::sink::{EventSinkExt, MemorySink, SinkErrorKind};

    #[tokio::test]
    async fn outcomes_come_in_the_batchs_order() {
        let mut decoder = Decoder::new();
        let position = Position { topic: "events".into(), partition: 0, offset: 0 };
        let batch: EventBatch = [1, 200, 3, 400, 5]
            .map(|price| format!(r#"{{"event_type":"sale","price":{price}}}"#))
            .map(|payload| decoder.decode(payload.into(), None, position.clone()))
            .into_iter()
            .collect();
        let (dear, cheap) = (Arc::new(MemorySink::new()), Arc::new(MemorySink::with_capacity(2)));
        let filter = Filter::field("price").at_least(100);
        let sink = Filtered::matching(filter, Arc::clone(&dear)).rest(Arc::clone(&cheap));
        let report = sink.write_batch(&batch).await.unwrap();
        // The sink of the cheap ones is full when the last comes.
        assert_eq!(report.rejected().map(|(index, _)| index).collect::<Vec<_>>(), [4]);
        let prices = |sink: &MemorySink| -> Vec<_> {
            sink.events().iter().map(|event| event.payload().slice(29..30)).collect()
        };
        assert_eq!(
            (prices(&dear), prices(&cheap)),
            (vec!["2".into(), "4".into()], vec!["1".into(), "3".into()])
        );
    }

    #[tokio::test]
    async fn both_sinks_are_closed_though_one_fails() {
        let closed = Arc::new(MemorySink::new());
        closed.close().await.unwrap();
        let open = Arc::new(MemorySink::new());
        for filter in [Filter::all([]), Filter::any([])] {
            let sink = Filtered::matching(filter, Arc::clone(&closed)).rest(Arc::clone(&open));
            assert_eq!(sink.flush().await.unwrap_err().kind(), SinkErrorKind::Closed);
            sink.close().await.unwrap();
        }
        assert_eq!(open.send(&PurchaseSword).await.unwrap_err().kind(), SinkErrorKind::Closed);
    }
}
