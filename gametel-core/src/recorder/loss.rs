use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::event::EncodedEvent;
use crate::sink::SinkError;

/// An event that the recorder took and that will not be delivered, as told to
/// [`on_loss`](super::RecorderBuilder::on_loss).
#[derive(Debug)]
#[non_exhaustive]
pub struct Loss {
    /// The event.
    pub event: EncodedEvent,
    /// Why it is lost.
    pub reason: LossReason,
}

/// Why an event that the recorder took is lost.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum LossReason {
    /// There was no room, and the policy is to drop. Counted as `dropped`.
    Full,
    /// The sink refused the event for good (kinds `TooLarge` and `Rejected`). Counted as `rejected`, and
    /// as `refused` among these.
    Refused(SinkError),
    /// The sink failed, and the retries, if the kind allows any, are at their end. A sink that
    /// panics fails with kind `Config`. The event may be stored all the same. Counted as `dropped`.
    Failed(SinkError),
}

/// Tells losses to whoever wants to know.
pub(super) struct Teller {
    on_loss: Box<dyn FnMut(Loss) + Send>,
    panicked: bool,
}

impl Teller {
    pub(super) fn new(on_loss: impl FnMut(Loss) + Send + 'static) -> Self {
        Self { on_loss: Box::new(on_loss), panicked: false }
    }

    /// Calls the callback. A panic of its own ends that call and nothing else.
    pub(super) fn tell(&mut self, loss: Loss) {
        let told = catch_unwind(AssertUnwindSafe(|| (self.on_loss)(loss)));
        if told.is_err() && !std::mem::replace(&mut self.panicked, true) {
            tracing::warn!("the recorder's on_loss callback panicked");
        }
    }
}
