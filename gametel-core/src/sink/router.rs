use std::sync::Arc;

use async_trait::async_trait;

use crate::batch::EventBatch;
use crate::catalog::{Catalog, Classification, QUARANTINE};

use super::parts::{close_all, flush_all, write_parts};
use super::{EventSink, SinkError, SinkErrorKind, WriteReport};

/// Writes each event to one of its sinks, by the catalog's classification.
///
/// There is a sink for every dataset of the catalog, one for events that land in none, be it by
/// their type or by the dataset's filter, and one for records that are no events: nothing has
/// nowhere to go. Events for the same sink keep their order; the sinks are written at the same time.
/// If a sink fails as a whole, the events for it are rejected for that reason, and what the others
/// accepted is accepted; if all that were written to fail, so does the router, with the first error.
///
/// Whether an event fits the typed columns of its dataset is not looked at here, but by
/// [`Catalog::check_columns`]: one that was made [malformed](crate::event::EncodedEvent::into_malformed)
/// for it goes where records go that are no events.
///
/// The misuse to avoid: a [`NullSink`](super::NullSink) for what is unselected or in quarantine. A
/// misspelt event type then vanishes without a trace; count it at least, as the batch job does.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use std::sync::Arc;
/// use gametel_core::catalog::Catalog;
/// use gametel_core::event::game::{PurchasePotion, PurchaseSword};
/// use gametel_core::sink::{EventSinkExt, MemorySink, NullSink, Router};
///
/// let potions = Arc::new(MemorySink::new());
/// let router = Router::builder(Catalog::game())
///     .dataset("equipment_purchases", NullSink::new())
///     .dataset("consumable_purchases", potions.clone())
///     .dataset("guild_joins", NullSink::new())
///     .unselected(MemorySink::named("unselected"))
///     .quarantine(MemorySink::named("quarantine"))
///     .build()?;
/// router.send(&PurchaseSword).await?;
/// router.send(&PurchasePotion::default()).await?;
/// assert_eq!(potions.events().len(), 1);
/// # Ok::<(), gametel_core::sink::SinkError>(()) }).unwrap();
/// ```
#[derive(Debug)]
pub struct Router {
    catalog: Arc<Catalog>,
    /// One for each dataset in the catalog's order, then `unselected`, then `quarantine`.
    sinks: Vec<Arc<dyn EventSink>>,
}

/// Gathers the sinks of a [`Router`].
#[derive(Debug)]
pub struct RouterBuilder {
    catalog: Arc<Catalog>,
    datasets: Vec<(String, Arc<dyn EventSink>)>,
    unselected: Option<Arc<dyn EventSink>>,
    quarantine: Option<Arc<dyn EventSink>>,
}

impl Router {
    /// Starts a router over a catalog's datasets.
    pub fn builder(catalog: impl Into<Arc<Catalog>>) -> RouterBuilder {
        RouterBuilder {
            catalog: catalog.into(),
            datasets: Vec::new(),
            unselected: None,
            quarantine: None,
        }
    }

    fn sink_of(&self, classification: Classification) -> usize {
        let datasets = self.catalog.datasets().len();
        match classification {
            Classification::Dataset(index) => index.as_usize(),
            Classification::Unselected => datasets,
            Classification::Quarantine => datasets + 1,
        }
    }
}

impl RouterBuilder {
    /// Sets the sink of a dataset.
    #[must_use]
    pub fn dataset(mut self, name: &str, sink: impl EventSink) -> Self {
        self.datasets.push((name.to_owned(), Arc::new(sink)));
        self
    }

    /// Sets the sink of events that land in no dataset: by their type, or because the dataset's
    /// filter does not let them through.
    #[must_use]
    pub fn unselected(mut self, sink: impl EventSink) -> Self {
        self.unselected = Some(Arc::new(sink));
        self
    }

    /// Sets the sink of records that are no events, or were
    /// [made malformed](crate::event::EncodedEvent::into_malformed) because they do not fit their
    /// dataset's typed columns.
    #[must_use]
    pub fn quarantine(mut self, sink: impl EventSink) -> Self {
        self.quarantine = Some(Arc::new(sink));
        self
    }

    /// Checks that every event has exactly one place to go, and makes the router.
    ///
    /// # Errors
    ///
    /// A place has no sink or two, or a sink is for a dataset that the catalog does not have (kind
    /// `Config`).
    pub fn build(mut self) -> Result<Router, SinkError> {
        let fail = |message: String| Err(SinkError::new(SinkErrorKind::Config, "router", message));
        let mut sinks = Vec::new();
        for dataset in self.catalog.datasets() {
            let name = dataset.name();
            let Some(place) = self.datasets.iter().position(|(of, _)| of == name) else {
                return fail(format!("the dataset {name} has no sink"));
            };
            sinks.push(self.datasets.swap_remove(place).1);
        }
        if let Some((name, _)) = self.datasets.first() {
            return fail(format!(
                "the sink of {name} is one too many: the catalog has no such dataset, or it has a sink"
            ));
        }
        for (name, sink) in [("unselected", self.unselected), (QUARANTINE, self.quarantine)] {
            match sink {
                Some(sink) => sinks.push(sink),
                None => return fail(format!("{name} has no sink")),
            }
        }
        Ok(Router { catalog: self.catalog, sinks })
    }
}

#[async_trait]
#[warn(clippy::missing_trait_methods)]
impl EventSink for Router {
    fn name(&self) -> &str {
        "router"
    }

    async fn write_batch(&self, batch: &EventBatch) -> Result<WriteReport, SinkError> {
        let place = |event: &_| self.sink_of(self.catalog.classify(event));
        write_parts("router", &self.sinks, batch, place).await
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
    use crate::sink::odd::OddSink;
    use crate::sink::{MemorySink, NullSink};

    fn batch(payloads: &[&'static str]) -> EventBatch {
        let mut decoder = Decoder::new();
        let position = Position { topic: "events".into(), partition: 0, offset: 0 };
        payloads.iter().map(|p| decoder.decode((*p).into(), None, position.clone())).collect()
    }

    #[tokio::test]
    async fn each_event_goes_to_one_place_and_keeps_its_index() {
        let names = ["equipment_purchases", "consumable_purchases", "guild_joins"];
        let memory: [Arc<MemorySink>; 4] = std::array::from_fn(|_| Arc::new(MemorySink::new()));
        let full = MemorySink::with_capacity(1);
        let mut builder = Router::builder(Catalog::game());
        for (name, sink) in names.iter().zip(&memory) {
            builder = builder.dataset(name, Arc::clone(sink));
        }
        let router = builder.unselected(Arc::clone(&memory[3])).quarantine(full).build().unwrap();
        let report = router
            .write_batch(&batch(&[
                "nonsense",
                r#"{"event_type":"purchase_potion"}"#,
                r#"{"event_type":"purchase_sword"}"#,
                r#"{"event_type":"nobody_knows"}"#,
                "also nonsense",
                r#"{"event_type":"purchase_shield"}"#,
            ]))
            .await
            .unwrap();
        assert_eq!(memory.map(|sink| sink.events().len()), [2, 1, 0, 1]);
        assert_eq!(report.accepted_count(), 5);
        assert_eq!(report.rejected().map(|(index, _)| index).collect::<Vec<_>>(), [4]);
    }

    #[tokio::test]
    async fn every_sink_is_called_though_one_fails() {
        let names = ["equipment_purchases", "consumable_purchases", "guild_joins"];
        let sinks: [Arc<OddSink>; 3] = names.map(|name| Arc::new(OddSink::failing(name)));
        let mut builder = Router::builder(Catalog::game());
        for (name, sink) in names.iter().zip(&sinks) {
            builder = builder.dataset(name, Arc::clone(sink));
        }
        let router =
            builder.unselected(NullSink::new()).quarantine(NullSink::new()).build().unwrap();
        let all = [
            r#"{"event_type":"purchase_sword"}"#,
            r#"{"event_type":"purchase_potion"}"#,
            r#"{"event_type":"join_guild"}"#,
        ];
        let written = router.write_batch(&batch(&all)).await.map(drop);
        for answer in [written, router.flush().await, router.close().await] {
            assert_eq!(answer.unwrap_err().sink(), names[0], "the first error is told");
        }
        for sink in sinks {
            assert_eq!(sink.calls(), ["write", "flush", "close"], "{sink:?}");
        }
    }

    #[tokio::test]
    async fn an_event_of_which_no_sink_reports_is_not_accepted() {
        let router = Router::builder(Catalog::game())
            .dataset("equipment_purchases", OddSink::silent())
            .dataset("consumable_purchases", NullSink::new())
            .dataset("guild_joins", NullSink::new())
            .unselected(NullSink::new())
            .quarantine(NullSink::new())
            .build()
            .unwrap();
        let written = router.write_batch(&batch(&[r#"{"event_type":"purchase_sword"}"#])).await;
        assert!(written.unwrap_err().to_string().contains("did not report of every event"));
    }

    #[test]
    fn a_place_without_a_sink_is_an_error() {
        let builder = || Router::builder(Catalog::game());
        let message = builder().build().unwrap_err().to_string();
        assert_eq!(message, "router: the dataset equipment_purchases has no sink");
        let all = || {
            builder()
                .dataset("equipment_purchases", NullSink::new())
                .dataset("consumable_purchases", NullSink::new())
                .dataset("guild_joins", NullSink::new())
        };
        let message = all().unselected(NullSink::new()).build().unwrap_err().to_string();
        assert_eq!(message, "router: quarantine has no sink");
        let message = all().dataset("swords", NullSink::new()).build().unwrap_err().to_string();
        assert!(message.starts_with("router: the sink of swords is one too many"), "{message}");
    }
}
