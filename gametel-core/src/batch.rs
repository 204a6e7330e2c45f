//! Events that are handed over together.

use std::sync::Arc;

use crate::event::EncodedEvent;

/// Events in the order in which they are to be written; cheap to clone, and to take a part of.
///
/// A clone or a [`select`](Self::select)ion shares the events, so that a fan-out or a router copies
/// none.
///
/// ```
/// use gametel_core::batch::EventBatch;
/// use gametel_core::event::{EventDraft, Stamp, game::PurchaseSword};
///
/// let event = EventDraft::from_event(&PurchaseSword)?.encode(&[], Stamp::now())?;
/// let batch = EventBatch::from(vec![event.clone(), event.clone(), event]);
/// let part = batch.select(vec![0, 2]);
/// assert_eq!((batch.len(), part.len()), (3, 2));
/// # Ok::<(), gametel_core::codec::EncodeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct EventBatch {
    events: Arc<[EncodedEvent]>,
    /// Indices into `events`; `None` is all of them.
    selection: Option<Arc<[u32]>>,
}

impl EventBatch {
    /// How many events there are.
    pub fn len(&self) -> usize {
        self.selection.as_ref().map_or(self.events.len(), |selection| selection.len())
    }

    /// Whether there is no event.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The event at `index`, counted from 0.
    pub fn get(&self, index: usize) -> Option<&EncodedEvent> {
        match &self.selection {
            None => self.events.get(index),
            Some(selection) => self.events.get(*selection.get(index)? as usize),
        }
    }

    /// The events in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &EncodedEvent> {
        (0..self.len()).map(|index| self.get(index).expect("index is below the length"))
    }

    /// The batch of the events at `indices`, in that order.
    ///
    /// # Panics
    ///
    /// An index is not below the length.
    #[must_use]
    pub fn select(&self, mut indices: Vec<u32>) -> Self {
        let length = self.len();
        assert!(
            indices.iter().all(|index| (*index as usize) < length),
            "an index is past the batch's {length} events"
        );
        if let Some(selection) = &self.selection {
            for index in &mut indices {
                *index = selection[*index as usize];
            }
        }
        Self { events: Arc::clone(&self.events), selection: Some(indices.into()) }
    }

    /// The sum of the sizes of keys and payloads, in bytes.
    pub fn bytes(&self) -> usize {
        self.iter().map(EncodedEvent::size).sum()
    }
}

impl From<Vec<EncodedEvent>> for EventBatch {
    fn from(events: Vec<EncodedEvent>) -> Self {
        assert!(u32::try_from(events.len()).is_ok(), "a batch holds fewer than 2^32 events");
        Self { events: events.into(), selection: None }
    }
}

impl From<EncodedEvent> for EventBatch {
    fn from(event: EncodedEvent) -> Self {
        Self { events: Arc::new([event]), selection: None }
    }
}

impl FromIterator<EncodedEvent> for EventBatch {
    fn from_iter<I: IntoIterator<Item = EncodedEvent>>(events: I) -> Self {
        events.into_iter().collect::<Vec<_>>().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EventId, EventType, Timestamp};

    fn batch(count: u8) -> EventBatch {
        let at = Timestamp::from_micros(0);
        (0..count)
            .map(|n| EncodedEvent::new(EventId::new(at), EventType::new("t"), vec![n].into(), at))
            .collect()
    }

    fn payloads(batch: &EventBatch) -> Vec<u8> {
        batch.iter().map(|event| event.payload()[0]).collect()
    }

    #[test]
    fn a_selection_of_a_selection_counts_from_the_first() {
        let part = batch(6).select(vec![5, 3, 1]);
        assert_eq!(payloads(&part), [5, 3, 1]);
        assert_eq!(payloads(&part.select(vec![2, 0])), [1, 5]);
        assert_eq!(part.bytes(), 3);
        let with_key = part.get(0).unwrap().clone().with_key("ada");
        assert_eq!(EventBatch::from(with_key).bytes(), 4, "keys count");
        assert!(part.select(Vec::new()).is_empty());
        assert!(part.get(3).is_none());
    }

    #[test]
    #[should_panic(expected = "past the batch's 2 events")]
    fn an_index_past_the_end_panics() {
        let _ = batch(3).select(vec![0, 1]).select(vec![2]);
    }
}
