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
    /// It is an event whose type lands in no dataset.
    Unselected,
    /// It is no event.
    Quarantine,
}

impl Catalog {
    /// Says where a record belongs, by its event type alone. Costs one look-up.
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
        landing.map_or(Classification::Unselected, Classification::Dataset)
    }
}
