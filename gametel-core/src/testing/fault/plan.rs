use crate::sink::SinkErrorKind;

/// A method of a sink that can be made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// [`write_batch`](crate::sink::EventSink::write_batch).
    Write,
    /// [`flush`](crate::sink::EventSink::flush).
    Flush,
    /// [`close`](crate::sink::EventSink::close).
    Close,
}

/// Which calls a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// The call of this number, counted from 1 since the sink was made.
    Nth(u64),
    /// This many calls from now on.
    Next(u64),
    /// Every call from now on, until the sink is healed.
    Always,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The call is an error, and the sink inside does not hear of it. (It hears of a close: a sink
    /// whose close failed is closed all the same.)
    Fail(SinkErrorKind),
    /// The first `stored` events of the batch are written, and then the call is an error: stored,
    /// but reported failed. With [`usize::MAX`], all are stored. A flush or close is done, and then
    /// an error.
    FailAfterStoring {
        /// How many events of the batch are stored.
        stored: usize,
        /// The kind of the error.
        kind: SinkErrorKind,
    },
    /// Every event whose number in the batch, counted from 1, is a multiple of `every` is rejected;
    /// the others are written. For writes only.
    RejectEvery {
        /// The number of which the rejected ones are multiples; with 1, all.
        every: usize,
        /// The kind of the rejections.
        kind: SinkErrorKind,
    },
    /// The call waits until [`release`](super::FaultSink::release), for ever if that never comes,
    /// and then goes on as if nothing had been.
    Hang,
    /// The call panics, and the sink inside does not hear of it.
    Panic,
}

/// The faults that are still to strike, and the numbers of the calls so far.
#[derive(Debug, Default)]
pub(super) struct Plan {
    faults: Vec<(Call, When, Fault)>,
    calls: Calls,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Calls([u64; 3]);

impl Calls {
    pub(super) fn of(self, call: Call) -> u64 {
        self.0[call as usize]
    }
}

impl Plan {
    pub(super) fn add(&mut self, call: Call, when: When, fault: Fault) {
        if let Fault::RejectEvery { every, .. } = fault {
            assert!(call == Call::Write, "only a write has events to reject");
            assert!(every > 0, "no event's number is a multiple of 0");
        }
        self.faults.push((call, when, fault));
    }

    pub(super) fn clear(&mut self) {
        self.faults.clear();
    }

    pub(super) fn calls(&self) -> Calls {
        self.calls
    }

    /// Counts a call, and gives the fault that strikes it: of several, the one that was planned
    /// first.
    pub(super) fn strike(&mut self, call: Call) -> Option<Fault> {
        self.calls.0[call as usize] += 1;
        let number = self.calls.of(call);
        let place = self.faults.iter().position(|(of, when, _)| {
            *of == call
                && match when {
                    When::Nth(nth) => *nth == number,
                    When::Next(left) => *left > 0,
                    When::Always => true,
                }
        })?;
        let (_, when, fault) = &mut self.faults[place];
        if let When::Next(left) = when {
            *left -= 1;
        }
        Some(*fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAIL: Fault = Fault::Fail(SinkErrorKind::Io);

    #[test]
    fn the_planned_calls_are_struck_and_no_others() {
        let mut plan = Plan::default();
        plan.add(Call::Write, When::Nth(2), Fault::Panic);
        plan.add(Call::Write, When::Next(2), FAIL);
        plan.add(Call::Flush, When::Always, Fault::Hang);
        let strikes: Vec<_> = (0..5).map(|_| plan.strike(Call::Write)).collect();
        assert_eq!(strikes, [Some(FAIL), Some(Fault::Panic), Some(FAIL), None, None]);
        assert_eq!(plan.strike(Call::Close), None);
        assert_eq!([plan.strike(Call::Flush), plan.strike(Call::Flush)], [Some(Fault::Hang); 2]);
        assert_eq!(
            [Call::Write, Call::Flush, Call::Close].map(|call| plan.calls().of(call)),
            [5, 2, 1]
        );
        plan.clear();
        assert_eq!(plan.strike(Call::Flush), None);
    }

    #[test]
    #[should_panic(expected = "only a write has events")]
    fn a_flush_has_nothing_to_reject() {
        let fault = Fault::RejectEvery { every: 1, kind: SinkErrorKind::Io };
        Plan::default().add(Call::Flush, When::Always, fault);
    }
}
