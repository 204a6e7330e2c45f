use crate::event::EncodedEvent;

use super::Catalog;

/// The place of a dataset in [`Catalog::datasets`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DatasetIndex(usize);

impl DatasetIndex {
    pub(super) fn new(index: usize) -> Self {
        Self(index)
    }

    /// The place, counted from 0.
    pub fn as_usize(self) -> usize {
        self.0
    }
}

/// Where a record belongs: exactly one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Classification {
    /// It is an event that lands in this dataset.
    Dataset(DatasetIndex),
    /// It is an event whose type lands in no dataset, or that the dataset's filter does not let
    /// through.
    Unselected,
    /// It is no event, or was [made malformed](EncodedEvent::into_malformed) because it does not fit
    /// its dataset's typed columns.
    Quarantine,
}

impl Catalog {
    /// Says where a record belongs: by its event type, and by the filter of the dataset where that type
    /// lands. Costs one look-up, and where there is a filter on fields one pass over the payload.
    ///
    /// ```
    /// use gametel_core::catalog::{Catalog, Classification};
    /// use gametel_core::event::{EventDraft, Stamp, game::{DefaultEvent, PurchaseSword}};
    ///
    /// let catalog = Catalog::game();
    /// let sword = EventDraft::from_event(&PurchaseSword)?.encode(&[], Stamp::now())?;
    /// let Classification::Dataset(index) = catalog.classify(&sword) else { panic!() };
    /// assert_eq!(catalog.dataset(index).name(), "equipment_purchases");
    ///
    /// let front_page = EventDraft::from_event(&DefaultEvent)?.encode(&[], Stamp::now())?;
    /// assert_eq!(catalog.classify(&front_page), Classification::Unselected);
    /// # Ok::<(), gametel_core::codec::EncodeError>(())
    /// ```
    pub fn classify(&self, event: &EncodedEvent) -> Classification {
        let Some(event_type) = event.event_type() else {
            return Classification::Quarantine;
        };
        let landing = self.by_type.get(event_type.as_str()).and_then(|index| self.landing[*index]);
        match landing {
            Some(index)
                if self.dataset(index).filter().is_none_or(|filter| filter.matches(event)) =>
            {
                Classification::Dataset(index)
            }
            _ => Classification::Unselected,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{DatasetDefinition, EventDefinition};
    use crate::event::{EventDraft, Stamp};
    use crate::filter::Filter;

    #[test]
    fn a_datasets_filter_narrows_what_lands_there() {
        let catalog = Catalog::builder("c")
            .event(EventDefinition::new("sword").with_field("price").with_dataset("large"))
            .event(EventDefinition::new("guild").with_field("price"))
            .dataset(
                DatasetDefinition::new("large", ["price"])
                    .with_filter(Filter::field("price").at_least(100)),
            )
            .build()
            .unwrap();
        for (object, lands) in [
            (r#"{"event_type":"sword","price":100}"#, true),
            (r#"{"event_type":"sword","price":99}"#, false),
            (r#"{"event_type":"sword"}"#, false),
            (r#"{"event_type":"guild","price":100}"#, false),
        ] {
            let draft = EventDraft::from_json(object.as_bytes()).unwrap();
            let found = catalog.classify(&draft.encode(&[], Stamp::now()).unwrap());
            assert_eq!(matches!(found, Classification::Dataset(_)), lands, "{object}");
            assert_eq!(found == Classification::Unselected, !lands, "{object}");
        }
    }
}
