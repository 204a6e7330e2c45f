//! What was sent and what was answered, as the clients know it. The judge holds it against what is
//! stored.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The 128 bits of a UUID.
pub(crate) type Id = u128;

/// One event that was sent, however often.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) id: Id,
    /// Of its own fields, as [`fingerprint`] has it.
    pub(crate) fingerprint: u64,
    pub(crate) client: u32,
    /// Counts the client's events, in the order in which it sent them first.
    pub(crate) number: u32,
    pub(crate) worth: Worth,
    pub(crate) fate: Fate,
    pub(crate) tries: u32,
    /// What may have stored it, by incarnation of the server; that which can't have is not here.
    pub(crate) lives: Vec<Life>,
}

/// What the server should do with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Worth {
    /// Store it.
    Good,
    /// Store it among the dead letters: a field is not what the catalog says.
    Misfit,
    /// Refuse it for good.
    Bad,
}

/// What one incarnation of the server may have done with an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Life {
    pub(crate) incarnation: u64,
    /// How many tries ended in a broken connection: each may have stored it.
    pub(crate) unanswered: u32,
    /// How many tries were answered with "perhaps", as the README has it: the sink failed.
    pub(crate) perhaps: u32,
    pub(crate) acked: bool,
}

/// What its sender knows of an event in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Accepted, or kept as a dead letter.
    Acked,
    /// Refused for good, with this code.
    Refused(String),
    /// The sender gave up.
    Unknown,
}

/// What became of events and requests, in the words of the log's last line and of the metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) accepted: u64,
    pub(crate) quarantined: u64,
    pub(crate) rejected: u64,
    pub(crate) failed: u64,
    /// Requests, as the next.
    pub(crate) overloaded: u64,
    pub(crate) rate_limited: u64,
}

/// What one incarnation of the server told its clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answers {
    pub(crate) told: Counts,
    /// Events of requests without an answer.
    pub(crate) unanswered: u64,
}

impl Sent {
    pub(crate) fn life(&mut self, incarnation: u64) -> &mut Life {
        let index = self.lives.iter().position(|life| life.incarnation == incarnation);
        let index = index.unwrap_or_else(|| {
            self.lives.push(Life { incarnation, ..Life::default() });
            self.lives.len() - 1
        });
        &mut self.lives[index]
    }
}

impl Counts {
    /// Each count with its name.
    pub(crate) fn named(&self) -> [(&'static str, u64); 6] {
        [
            ("accepted", self.accepted),
            ("quarantined", self.quarantined),
            ("rejected", self.rejected),
            ("failed", self.failed),
            ("overloaded", self.overloaded),
            ("rate_limited", self.rate_limited),
        ]
    }

    fn add(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.quarantined += other.quarantined;
        self.rejected += other.rejected;
        self.failed += other.failed;
        self.overloaded += other.overloaded;
        self.rate_limited += other.rate_limited;
    }
}

/// The events and answers of all clients.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) sent: Vec<Sent>,
    /// By incarnation of the server.
    pub(crate) answers: BTreeMap<u64, Answers>,
    /// How many answers had each status and code.
    pub(crate) codes: BTreeMap<String, u64>,
}

impl Ledger {
    pub(crate) fn add(&mut self, other: Self) {
        self.sent.extend(other.sent);
        for (incarnation, answers) in other.answers {
            let sum = self.answers.entry(incarnation).or_default();
            sum.told.add(answers.told);
            sum.unanswered += answers.unanswered;
        }
        for (code, count) in other.codes {
            *self.codes.entry(code).or_default() += count;
        }
    }

    /// Whether any answer had this status and code.
    pub(crate) fn has_code(&self, code: &str) -> bool {
        self.codes.contains_key(code)
    }

    pub(crate) fn note_code(&mut self, status: u16, code: &str) {
        *self.codes.entry(format!("{status} {code}").trim_end().to_owned()).or_default() += 1;
    }
}

/// How far the clients are, for those who watch while they run.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    offered: AtomicU64,
    acked: AtomicU64,
    deferred: AtomicU64,
    /// Which incarnation of the server is to be reached, if any.
    pub(crate) incarnation: AtomicU64,
}

impl Progress {
    /// Adds events that are sent, for the first time or again.
    pub(crate) fn add_offered(&self, events: usize) {
        self.offered.fetch_add(events as u64, Ordering::AcqRel);
    }

    pub(crate) fn offered(&self) -> u64 {
        self.offered.load(Ordering::Acquire)
    }

    /// Adds an event that was refused for now.
    pub(crate) fn add_deferred(&self) {
        self.deferred.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn deferred(&self) -> u64 {
        self.deferred.load(Ordering::Acquire)
    }

    pub(crate) fn add_acked(&self) {
        self.acked.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn acked(&self) -> u64 {
        self.acked.load(Ordering::Acquire)
    }

    /// Waits for so many further acks; false if they don't come in time.
    pub(crate) fn await_acks(&self, count: u64, within: Duration) -> bool {
        let goal = self.acked() + count;
        poll(within, || self.acked() >= goal)
    }
}

/// Asks until it is so; false if it is not so in time.
pub(crate) fn poll(within: Duration, so: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + within;
    while !so() {
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    true
}

/// Stands for the texts of an event's own fields, in their order, byte for byte.
pub(crate) fn fingerprint<'a>(fields: impl IntoIterator<Item = &'a str>) -> u64 {
    let mut hasher = DefaultHasher::new();
    fields.into_iter().for_each(|field| field.hash(&mut hasher));
    hasher.finish()
}

/// Writes an id as the server stores it.
pub(crate) fn uuid(id: Id) -> String {
    let hex = format!("{id:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// Reads an id that is written in that way, and in no other.
pub(crate) fn parse_uuid(text: &str) -> Option<Id> {
    let id = Id::from_str_radix(&text.replace('-', ""), 16).ok()?;
    (uuid(id) == text).then_some(id)
}
