/// What becomes of events whose fields are not what the catalog says.
///
/// Made as [`ServerConfig`](crate::ServerConfig) is: from the defaults, by the setters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Validation {
    /// Whether they are refused or kept apart. Default [`OnInvalid::Reject`].
    pub on_invalid: OnInvalid,
}

/// Whether an event whose fields fail is refused, or kept apart.
///
/// What is no event at all, or of a type that the catalog does not have, is refused in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnInvalid {
    /// It is refused, with the field and what was wrong with it.
    #[default]
    Reject,
    /// It is written as a dead letter, and answered as such once that is durable.
    ///
    /// The sink must tell dead letters from events, as
    /// [`DeadLetter`](gametel_core::sink::DeadLetter) does, which
    /// [`SinkOptions::with_dead_letter`](crate::sinks::SinkOptions::with_dead_letter) has it. In a sink that
    /// does not, they stand among the events.
    Quarantine,
}

impl Validation {
    /// Sets [`on_invalid`](Self::on_invalid).
    #[must_use]
    pub fn with_on_invalid(self, on_invalid: OnInvalid) -> Self {
        Self { on_invalid }
    }
}
