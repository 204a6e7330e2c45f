//! Which faults happen, in which order: drawn from a seed.

use std::collections::BTreeMap;
use std::time::Duration;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// kill -9 of the server, and its restart.
    KillServer,
    /// SIGTERM to the server, and its restart.
    StopServer,
    /// kill -9 of the broker, and its restart.
    KillBroker,
    /// The broker stands still for a while.
    FreezeBroker,
    /// All connections to the broker are closed.
    Cut,
    /// Connections to the broker are reset in the midst of a request.
    Reset,
    /// The way to the broker is slow, with jitter.
    Slow,
    /// The way to the broker is narrow.
    Narrow,
    /// Nothing passes to the broker or back.
    BlackHole,
    /// The broker's answers are lost.
    HalfOpen,
    /// kill -9 of the server while the broker's answers are lost: what is stored is not known.
    KillServerHalfOpen,
    /// kill -9 of the server while the broker stands still.
    KillServerFrozen,
    /// The disk is full, for a while.
    FullDisk,
    /// The broker is away for longer than any time-out, while the server is killed, stopped and
    /// started.
    BrokerAway,
}

/// Faults of the server alone, for a sink that has no broker.
pub(crate) const OF_THE_SERVER: &[Fault] =
    &[Fault::KillServer, Fault::KillServer, Fault::KillServer, Fault::StopServer];

/// Faults of the server, of the broker, and of what is between them.
pub(crate) const OF_ALL: &[Fault] = &[
    Fault::KillServer,
    Fault::KillServer,
    Fault::KillServer,
    Fault::StopServer,
    Fault::KillBroker,
    Fault::FreezeBroker,
    Fault::Cut,
    Fault::Cut,
    Fault::Reset,
    Fault::Slow,
    Fault::Narrow,
    Fault::BlackHole,
    Fault::HalfOpen,
    Fault::KillServerHalfOpen,
    Fault::KillServerFrozen,
];

/// What a spool is there for; in a short run, the rest of what is between it and the broker is left
/// to the sink alone.
pub(crate) const OF_A_SPOOL: &[Fault] = &[
    Fault::KillServer,
    Fault::KillServer,
    Fault::StopServer,
    Fault::Cut,
    Fault::HalfOpen,
    Fault::KillServerHalfOpen,
    Fault::BrokerAway,
    Fault::FullDisk,
];

/// All that there is.
pub(crate) const OF_A_LONG_SPOOL: &[Fault] = &[
    Fault::KillServer,
    Fault::KillServer,
    Fault::KillServer,
    Fault::StopServer,
    Fault::KillBroker,
    Fault::KillBroker,
    Fault::FreezeBroker,
    Fault::Cut,
    Fault::Reset,
    Fault::Slow,
    Fault::Narrow,
    Fault::BlackHole,
    Fault::HalfOpen,
    Fault::KillServerHalfOpen,
    Fault::KillServerFrozen,
    Fault::BrokerAway,
    Fault::FullDisk,
];

/// Enough to interrupt what is on its way, with keys.
pub(crate) const OF_KEYS: &[Fault] = &[
    Fault::KillServer,
    Fault::KillServer,
    Fault::StopServer,
    Fault::Cut,
    Fault::KillServerHalfOpen,
];

/// The same for two topics.
pub(crate) const OF_DEAD_LETTERS: &[Fault] = &[
    Fault::KillServer,
    Fault::KillServer,
    Fault::StopServer,
    Fault::Cut,
    Fault::KillServerHalfOpen,
    Fault::KillServerFrozen,
];

/// Deals out faults without end: all of a deck in some order, and then again in another.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) random: fastrand::Rng,
    deck: &'static [Fault],
    dealt: Vec<Fault>,
    pub(crate) injected: BTreeMap<Fault, usize>,
    /// Whether some faults last longer than the producer tries.
    patient: bool,
}

impl Plan {
    /// The plan of a run: a long one has the time for faults that last.
    pub(crate) fn new(run: Run, deck: &'static [Fault]) -> Self {
        let random = fastrand::Rng::with_seed(run.seed);
        let patient = !run.time.is_zero();
        Self { random, deck, dealt: Vec::new(), injected: BTreeMap::new(), patient }
    }

    pub(crate) fn next(&mut self) -> Fault {
        if self.dealt.is_empty() {
            self.dealt = self.deck.to_vec();
            self.random.shuffle(&mut self.dealt);
        }
        let fault = self.dealt.pop().expect("a deck has a card");
        *self.injected.entry(fault).or_default() += 1;
        fault
    }

    /// How long a fault lasts, or half of it.
    pub(crate) fn spell(&mut self) -> Duration {
        // Twice that is past the 30 s for which the producer tries.
        let millis = match self.patient && self.random.u8(..8) == 0 {
            true => 16_000..20_000,
            false => 200..1_500,
        };
        Duration::from_millis(self.random.u64(millis))
    }

    pub(crate) fn total(&self) -> usize {
        self.injected.values().sum()
    }
}

/// What a run is told from outside, by the variables `GAMETEL_FAULTS_SEED` and
/// `GAMETEL_FAULTS_MINUTES`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) seed: u64,
    /// How long each scenario goes on, beyond its least number of faults.
    pub(crate) time: Duration,
}

impl Run {
    /// The seed of short runs. A long one takes a new one each time, unless it is told which.
    const SEED: u64 = 20_261_125;

    pub(crate) fn from_environment() -> Self {
        let number = |name: &str| {
            let text = std::env::var(name).ok()?;
            Some(text.parse::<u64>().unwrap_or_else(|_| panic!("{name} is no number: {text:?}")))
        };
        let minutes = number("GAMETEL_FAULTS_MINUTES");
        let seed = number("GAMETEL_FAULTS_SEED");
        let seed = seed.unwrap_or_else(|| minutes.map_or(Self::SEED, |_| fastrand::u64(..)));
        Self { seed, time: Duration::from_secs(60 * minutes.unwrap_or(0)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_plan_and_every_fault_has_its_turn() {
        let deal = |seed| {
            let mut plan = Plan::new(Run { seed, time: Duration::ZERO }, OF_ALL);
            let faults: Vec<_> = std::iter::repeat_with(|| plan.next()).take(40).collect();
            (faults, plan.spell(), plan)
        };
        let (one, two, other) = (deal(1), deal(1), deal(2));
        assert_eq!((&one.0, one.1), (&two.0, two.1));
        assert_ne!(one.0, other.0);
        let mut round = one.0[..OF_ALL.len()].to_vec();
        round.sort();
        let mut deck = OF_ALL.to_vec();
        deck.sort();
        assert_eq!(round, deck);
    }
}
