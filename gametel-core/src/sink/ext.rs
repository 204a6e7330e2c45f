use async_trait::async_trait;

use crate::batch::EventBatch;
use crate::event::{EncodedEvent, Event, EventDraft, Stamp};

use super::{EventSink, Outcome, Receipt, SinkError, SinkErrorKind};

/// Conveniences that every [`EventSink`] has.
#[async_trait]
pub trait EventSinkExt: EventSink {
    /// Writes one event, and turns its rejection into an error.
    ///
    /// # Errors
    ///
    /// The sink failed or rejected the event.
    async fn write(&self, event: EncodedEvent) -> Result<Receipt, SinkError> {
        let report = self.write_batch(&EventBatch::from(event)).await?;
        match report.into_outcomes().pop() {
            Some(Outcome::Accepted(receipt)) => Ok(receipt),
            Some(Outcome::Rejected(rejection)) => Err(rejection.into_error(self.name())),
            None => {
                let message = "the sink reported nothing of the event, against its contract";
                Err(SinkError::new(SinkErrorKind::Config, self.name().to_owned(), message))
            }
        }
    }

    /// Encodes one typed event with a new id and the system's time, and writes it.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use gametel_core::event::game::PurchaseSword;
    /// use gametel_core::sink::{EventSinkExt, MemorySink};
    ///
    /// let sink = MemorySink::new();
    /// sink.send(&PurchaseSword).await?;
    /// assert_eq!(sink.events().len(), 1);
    /// # Ok::<(), gametel_core::sink::SinkError>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// The event does not encode (kind `Rejected`), or the sink failed or rejected it.
    async fn send<E: Event + Sync>(&self, event: &E) -> Result<Receipt, SinkError>
    where
        Self: Sized,
    {
        let encoded = EventDraft::from_event(event)
            .and_then(|draft| draft.encode(&[], Stamp::now()))
            .map_err(|error| {
                let message = format!("the event {} can't be encoded", E::TYPE);
                SinkError::new(SinkErrorKind::Rejected, self.name().to_owned(), message)
                    .with_source(error)
            })?;
        self.write(encoded).await
    }
}

impl<S: EventSink + ?Sized> EventSinkExt for S {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::game::PurchaseSword;
    use crate::sink::odd::OddSink;

    #[tokio::test]
    async fn an_event_of_which_nothing_is_reported_is_not_accepted() {
        let error = OddSink::silent().send(&PurchaseSword).await.unwrap_err();
        assert_eq!(error.kind(), SinkErrorKind::Config);
    }
}
