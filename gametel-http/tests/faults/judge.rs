//! Holds what is stored against what was sent. It shares no code with the product: it reads the
//! topic with kcat, the log with SQLite, and the records as plain JSON.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::ledger::{Fate, Id, Ledger, Life, Sent, Worth, fingerprint, parse_uuid, uuid};

/// Why an event may be stored more than once.
///
/// One incarnation of the server writes an event once, however often it is sent, as long as no write
/// fails: it remembers the ids. What failed, and what an incarnation before had, may be there twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forwarding {
    /// Only because its sender sent it again, for one of those reasons.
    Direct,
    /// Also because Kafka's producer, having given up one event, sent those beside it again: it needs
    /// another epoch for that, in which the broker does not know them.
    /// (<https://github.com/confluentinc/librdkafka/issues/4953#issuecomment-2887059722>)
    Produced,
    /// Also because a spool forwarded it again: it may do so after each of so many interruptions.
    Spooled { interruptions: usize },
}

/// Looks at one record after the other, and then judges.
#[derive(Debug)]
pub(crate) struct Judge<'a> {
    sent: HashMap<Id, &'a Sent>,
    ledger: &'a Ledger,
    /// What should be here, of all that was sent.
    wanted: Worth,
    forwarding: Forwarding,
    /// Of each event, how many copies there are of each of its writes, which differ in their stamps.
    copies: HashMap<Id, Vec<(u64, usize)>>,
    /// The number of the latest event of each client that was seen for the first time.
    latest: HashMap<u32, u32>,
    verdict: Verdict,
}

/// What was found. Of what must not be there, at most a few examples are kept, and the count.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) records: usize,
    pub(crate) sent: usize,
    pub(crate) acked: usize,
    pub(crate) refused: usize,
    pub(crate) unknown: usize,
    /// Of the unknown ones, those that are stored.
    pub(crate) unknown_stored: usize,
    /// Copies beyond the first, by the reason that is documented for them.
    pub(crate) duplicates: BTreeMap<&'static str, usize>,
    complaints: BTreeMap<&'static str, (usize, Vec<String>)>,
}

/// A record as the clients' events must be stored; any other member is an alteration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record<'a> {
    event_id: &'a str,
    #[serde(borrow)]
    event_type: &'a RawValue,
    #[serde(borrow)]
    event_ts: &'a RawValue,
    #[serde(borrow)]
    client: &'a RawValue,
    #[serde(borrow)]
    number: &'a RawValue,
    #[serde(borrow)]
    price: &'a RawValue,
    #[serde(borrow)]
    text: &'a RawValue,
    #[serde(borrow)]
    tags: &'a RawValue,
    /// The potion's, from the catalog.
    #[serde(rename = "description", default)]
    _description: Option<IgnoredAny>,
    #[serde(rename = "Host")]
    _host: IgnoredAny,
}

impl<'a> Judge<'a> {
    /// Judges what is stored as events.
    pub(crate) fn new(ledger: &'a Ledger, forwarding: Forwarding) -> Self {
        Self::of(ledger, Worth::Good, forwarding)
    }

    /// Judges what is stored as dead letters.
    pub(crate) fn of_dead_letters(ledger: &'a Ledger, forwarding: Forwarding) -> Self {
        Self::of(ledger, Worth::Misfit, forwarding)
    }

    fn of(ledger: &'a Ledger, wanted: Worth, forwarding: Forwarding) -> Self {
        let sent: HashMap<_, _> = ledger.sent.iter().map(|sent| (sent.id, sent)).collect();
        assert_eq!(sent.len(), ledger.sent.len(), "the clients must not use an id twice");
        let elsewhere = if wanted == Worth::Good { Worth::Misfit } else { Worth::Good };
        let count = |fate: fn(&Fate) -> bool| {
            let sent = ledger.sent.iter().filter(|sent| sent.worth != elsewhere);
            sent.filter(|sent| fate(&sent.fate)).count()
        };
        let verdict = Verdict {
            sent: count(|_| true),
            acked: count(|fate| *fate == Fate::Acked),
            refused: count(|fate| matches!(fate, Fate::Refused(_))),
            unknown: count(|fate| *fate == Fate::Unknown),
            ..Verdict::default()
        };
        let (copies, latest) = Default::default();
        Self { sent, ledger, wanted, forwarding, copies, latest, verdict }
    }

    /// Takes the next record, in the order of the one partition, with its headers.
    pub(crate) fn see(&mut self, headers: &str, value: &[u8]) {
        self.verdict.records += 1;
        let has_reason = headers.starts_with("gametel_reason=invalid_field,gametel_detail=");
        if has_reason != (self.wanted == Worth::Misfit) || (!has_reason && !headers.is_empty()) {
            let value = String::from_utf8_lossy(value);
            self.complain("with wrong headers", format!("{headers:?}: {value}"));
        }
        let record: Record<'_> = match serde_json::from_slice(value) {
            Ok(record) => record,
            Err(error) => {
                let text = String::from_utf8_lossy(value);
                return self.complain("altered", format!("{error}: {text}"));
            }
        };
        let found = parse_uuid(record.event_id).and_then(|id| self.sent.get(&id));
        let Some(sent) = found.copied() else {
            return self.complain("invented", record.event_id.to_owned());
        };
        if sent.worth != self.wanted && sent.worth != Worth::Bad {
            self.complain("misplaced", format!("{sent:?}"));
        }
        let Record { event_type, client, number, price, text, tags, event_ts, .. } = record;
        let fields = [event_type, client, number, price, text, tags];
        let is_stamped = event_ts.get().parse::<f64>().is_ok();
        if fingerprint(fields.map(RawValue::get)) != sent.fingerprint || !is_stamped {
            let text = String::from_utf8_lossy(value).into_owned();
            self.complain("altered", text);
        }
        let writes = self.copies.entry(sent.id).or_default();
        let is_new = writes.is_empty();
        let stamp = fingerprint([event_ts.get()]);
        match writes.iter_mut().find(|(other, _)| *other == stamp) {
            Some((_, copies)) => *copies += 1,
            None => writes.push((stamp, 1)),
        }
        if is_new && sent.fate == Fate::Acked {
            let latest = self.latest.entry(sent.client).or_default();
            // Of a batch that was taken in parts, the later parts come later.
            if sent.number < *latest && sent.tries == 1 {
                let (client, number, latest) = (sent.client, sent.number, *latest);
                let what = format!("client {client}: {number} comes after {latest}");
                self.verdict.complain("out of order", what);
            }
            *latest = sent.number.max(*latest);
        }
    }

    pub(crate) fn verdict(mut self) -> Verdict {
        for sent in &self.ledger.sent {
            let writes = self.copies.get(&sent.id).map_or(&[][..], Vec::as_slice);
            let copies: usize = writes.iter().map(|(_, copies)| copies).sum();
            let what = || format!("{} {sent:?}, stored {copies} times", uuid(sent.id));
            if sent.worth == Worth::Bad && (copies > 0 || sent.fate == Fate::Acked) {
                self.verdict.complain("taken though bad", what());
            }
            // The first copy is one too many of it, and there is a word for that.
            if sent.worth != self.wanted {
                continue;
            }
            match &sent.fate {
                Fate::Acked if copies == 0 => self.verdict.complain("lost", what()),
                Fate::Refused(_) => self.verdict.complain("refused though good", what()),
                Fate::Unknown => self.verdict.unknown_stored += usize::from(copies > 0),
                Fate::Acked => {}
            }
            let allowed: usize = sent.lives.iter().map(|life| self.writes_of(life)).sum();
            let each = self.copies_of_a_write(sent);
            let excessive = writes.iter().any(|(_, copies)| *copies > each);
            if writes.len() > 1 {
                let duplicates = self.verdict.duplicates.entry(reason(sent, writes.len()));
                *duplicates.or_default() += writes.len() - 1;
            }
            if copies > writes.len() {
                let duplicates = self.verdict.duplicates.entry(self.forwarding.reason());
                *duplicates.or_default() += copies - writes.len();
            }
            if writes.len() > allowed || excessive {
                self.verdict.complain("duplicated for no reason", what());
            }
        }
        self.verdict
    }

    /// How often an incarnation may have written an event.
    fn writes_of(&self, life: &Life) -> usize {
        let unanswered = life.unanswered as usize;
        // Where writes failed, one that failed may be among those that nobody was told of.
        let written = match self.has_failed(life) {
            false => usize::from(life.acked || unanswered > 0),
            true => usize::from(life.acked) + unanswered,
        };
        written + life.perhaps as usize
    }

    /// How often a single write of an event may be stored.
    fn copies_of_a_write(&self, sent: &Sent) -> usize {
        match self.forwarding {
            Forwarding::Direct => 1,
            Forwarding::Produced => 1 + usize::from(sent.lives.iter().any(|l| self.has_failed(l))),
            Forwarding::Spooled { interruptions } => 1 + interruptions,
        }
    }

    /// Whether anything failed in that life, as far as anybody was told.
    fn has_failed(&self, life: &Life) -> bool {
        let answers = self.ledger.answers.get(&life.incarnation);
        answers.is_some_and(|answers| answers.told.failed > 0)
    }

    fn complain(&mut self, kind: &'static str, what: String) {
        self.verdict.complain(kind, what);
    }
}

/// Why an event was written so often, as far as its sender can know.
fn reason(sent: &Sent, writes: usize) -> &'static str {
    if sent.lives.iter().any(|life| life.perhaps > 0) {
        "sent again after a 503 that says perhaps"
    } else if sent.lives.len() >= writes {
        "sent again to the server's next life"
    } else {
        "sent again after a write that failed"
    }
}

impl Forwarding {
    /// Why a single write is stored twice.
    fn reason(self) -> &'static str {
        match self {
            Self::Direct => "there is no reason",
            Self::Produced => "the producer had given up another event",
            Self::Spooled { .. } => "forwarded again by the spool",
        }
    }
}

impl Verdict {
    const EXAMPLES: usize = 3;

    pub(crate) fn complain(&mut self, kind: &'static str, what: String) {
        let (count, examples) = self.complaints.entry(kind).or_default();
        *count += 1;
        if examples.len() < Self::EXAMPLES {
            examples.push(what);
        }
    }

    /// How many complaints there are of a kind.
    pub(crate) fn count(&self, kind: &str) -> usize {
        self.complaints.get(kind).map_or(0, |(count, _)| *count)
    }

    /// All complaints, by kind; empty if all is well.
    pub(crate) fn complaints(&self) -> Vec<(&'static str, usize)> {
        self.complaints.iter().map(|(kind, (count, _))| (*kind, *count)).collect()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { records, sent, acked, refused, unknown, unknown_stored, .. } = self;
        writeln!(f, "  events sent          {sent:>8}")?;
        writeln!(f, "  acked                {acked:>8}")?;
        writeln!(f, "  lost                 {:>8}", self.count("lost"))?;
        writeln!(f, "  refused for good     {refused:>8}")?;
        writeln!(f, "  unknown              {unknown:>8}   of which stored: {unknown_stored}")?;
        writeln!(f, "  records stored       {records:>8}")?;
        writeln!(f, "  duplicates           {:>8}", self.duplicates.values().sum::<usize>())?;
        for (reason, count) in &self.duplicates {
            writeln!(f, "  {count:>29}   {reason}")?;
        }
        for (kind, (count, examples)) in &self.complaints {
            writeln!(f, "  {kind:<20} {count:>8}   WRONG")?;
            for example in examples {
                writeln!(f, "      {example}")?;
            }
        }
        Ok(())
    }
}
