use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::watch;

use crate::batch::EventBatch;
use crate::event::{EncodedEvent, Timestamp};
use crate::sink::{Outcome, Rejection, SinkError, SinkErrorKind, sqlite};

use super::admitted::Admitted;
use super::lock::beside;
use super::record::{self, COLUMNS};
use super::repeats::Repeats;
use super::reserve::Reserve;
use super::retrying::{Retried, Slice};
use super::settlement::Settlement;
use super::{
    SpoolAck, SpoolDeadLetters, SpoolError, SpoolFailure, SpoolOptions, SpoolStatus, file, totals,
};

/// The only writer of a spool's file: what of it changes together is one transaction, and so one
/// fsync.
pub(super) struct Store {
    connection: Connection,
    path: PathBuf,
    /// The WAL of the file.
    wal: PathBuf,
    reserve: Reserve,
    /// The number of the next record.
    next: i64,
    /// Events and bytes of the writes that are admitted and not committed yet.
    claimed: (u64, u64),
    /// What is not to be spooled twice; none where writes do not wait for the target.
    repeats: Option<Repeats>,
    dead_letters: SpoolDeadLetters,
    max_events: u64,
    max_event_bytes: usize,
    /// Whether the last transaction failed because the disk is full.
    disk_full: bool,
    status: watch::Sender<SpoolStatus>,
}

impl Store {
    /// How many records are taken up again in one transaction.
    const RETRIED_AT_ONCE: u32 = 1_000;

    /// The WAL may have this many bytes, and a quarter of `max_bytes`, until writes are refused.
    const WAL_BYTES: u64 = 64 * 1024 * 1024;

    /// Free pages up to here are kept for what comes: 4 MiB.
    const SPARE_PAGES: i64 = 1_024;

    pub(super) fn open(
        path: &Path,
        options: &SpoolOptions,
    ) -> Result<(Self, watch::Receiver<SpoolStatus>), SpoolError> {
        let connection = file::open_to_write(path)?;
        options.dead_letters.check_table(&connection, path, "pending")?;
        let failed = |error| SpoolError::failed(path, "read", error);
        let status = SpoolStatus {
            max_bytes: options.max_bytes,
            ack: options.ack,
            forwarding: true,
            ..totals::read(&connection).map_err(failed)?
        };
        let last = "SELECT max(coalesce((SELECT max(number) FROM pending), 0), \
                    coalesce((SELECT max(number) FROM refused), 0))";
        let last: i64 = connection.query_row(last, [], |row| row.get(0)).map_err(failed)?;
        let repeats = match options.ack {
            SpoolAck::Spool => None,
            SpoolAck::Target => {
                let failed = |error| SpoolError::failed(path, "opened to write", error);
                Some(Repeats::open(&connection).map_err(failed)?)
            }
        };
        let (status, receiver) = watch::channel(status);
        let store = Self {
            connection,
            path: path.to_owned(),
            wal: beside(path, "-wal"),
            reserve: Reserve::new(path, options.max_bytes),
            next: last + 1,
            claimed: (0, 0),
            repeats,
            dead_letters: options.dead_letters,
            max_events: options.max_events,
            max_event_bytes: options.max_event_bytes,
            disk_full: false,
            status,
        };
        Ok((store, receiver))
    }

    pub(super) fn status(&self) -> &watch::Sender<SpoolStatus> {
        &self.status
    }

    /// Gives the events of a batch their numbers, if all that are new have room.
    pub(super) fn admit(&mut self, batch: EventBatch) -> Result<Admitted, SinkError> {
        let first = self.next + i64::try_from(self.claimed.0).expect("fewer than 2^63 events");
        let admitted = self.admit_from(first, batch);
        if let Err(error) = &admitted {
            if let Some(repeats) = &mut self.repeats {
                repeats.take_back(first);
            }
            self.refuse(error);
        }
        admitted
    }

    fn admit_from(&mut self, first: i64, batch: EventBatch) -> Result<Admitted, SinkError> {
        let mut outcomes = Vec::with_capacity(batch.len());
        let (mut places, mut repeated, mut bytes) = (vec![], vec![], 0);
        let mut numbers = first..;
        for (place, event) in (0..).zip(batch.iter()) {
            let unfit = self.unfit(event).map(Outcome::Rejected);
            let is_unfit = unfit.is_some();
            outcomes.push(unfit);
            if is_unfit {
                continue;
            }
            if let Some(number) = self.find(event)? {
                repeated.push((place, number));
                continue;
            }
            if let (Some(repeats), Some(number)) = (&mut self.repeats, numbers.next()) {
                repeats.admit(event, number);
            }
            places.push(place);
            bytes += event.size() as u64;
        }
        let events = places.len() as u64;
        if events > 0 {
            self.check_room(events, bytes)?;
        }
        self.claimed.0 += events;
        self.claimed.1 += bytes;
        Ok(Admitted { batch, outcomes, places, first, repeats: repeated })
    }

    /// Why the spool never takes this event, if it does not.
    fn unfit(&self, event: &EncodedEvent) -> Option<Rejection> {
        let (size, limit) = (event.size(), self.max_event_bytes);
        if size > limit {
            let reason = format!("the event has {size} bytes, the spool takes {limit}");
            return Some(Rejection::new(SinkErrorKind::TooLarge, reason));
        }
        self.dead_letters.rejection(event)
    }

    /// The number of the record that has this event already, where that is asked for.
    fn find(&self, event: &EncodedEvent) -> Result<Option<i64>, SinkError> {
        let Some(repeats) = &self.repeats else {
            return Ok(None);
        };
        let found = repeats.find(&self.connection, event);
        found.map_err(|error| SpoolError::failed(&self.path, "read", error).into())
    }

    /// Takes note of why writes are refused, unless it is for the size of one.
    fn refuse(&self, error: &SinkError) {
        if error.is_retryable() {
            self.status.send_modify(|status| SpoolFailure::note(&mut status.refusing, error));
        }
    }

    /// Where writes are refused, looks whether they still have to be: the disk has to take a commit.
    pub(super) fn reconsider(&mut self) {
        if self.status.borrow().refusing.is_none() {
            return;
        }
        let works = self.check_room(1, 1).and_then(|()| {
            self.transact(|transaction| {
                // Written as it is, it is a change all the same.
                let version: i64 =
                    transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
                transaction.pragma_update(None, "user_version", version)
            })
        });
        match works {
            Ok(()) => self.status.send_modify(|status| status.refusing = None),
            Err(error) => self.refuse(&error),
        }
    }

    /// A WAL that is too long is emptied, if no reader keeps it.
    fn check_wal(&self) -> Result<(), SinkError> {
        let length = || std::fs::metadata(&self.wal).map_or(0, |file| file.len());
        let limit = self.status.borrow().max_bytes / 4 + Self::WAL_BYTES;
        if length() <= limit {
            return Ok(());
        }
        sqlite::empty_wal_at_once(&self.connection, "spool");
        let bytes = length();
        if bytes <= limit {
            return Ok(());
        }
        let message = format!(
            "the spool's WAL has {bytes} bytes: a reader that stays in the middle of a read keeps it \
             from being emptied"
        );
        Err(SinkError::new(SinkErrorKind::Backpressure, "spool", message))
    }

    fn check_room(&mut self, events: u64, bytes: u64) -> Result<(), SinkError> {
        if !self.reserve.is_held() {
            self.shrink();
        }
        self.reserve.check()?;
        self.check_wal()?;
        let status = self.status.borrow();
        let held = status.pending_events + status.refused_events + self.claimed.0;
        let held_bytes = status.pending_bytes + status.refused_bytes + self.claimed.1;
        if events > self.max_events || bytes > status.max_bytes {
            let message =
                format!("{events} events of {bytes} bytes are more than the spool may hold at all");
            return Err(SinkError::new(SinkErrorKind::TooLarge, "spool", message));
        }
        if held + events > self.max_events || held_bytes + bytes > status.max_bytes {
            let message = format!(
                "the spool is full: it holds {held} events of {held_bytes} bytes, and may hold {} of {}",
                self.max_events, status.max_bytes
            );
            return Err(SinkError::new(SinkErrorKind::Backpressure, "spool", message));
        }
        Ok(())
    }

    /// Writes what was admitted since the last commit, and settles what is settled, or does nothing
    /// of it.
    pub(super) fn commit(
        &mut self,
        admitted: &[Admitted],
        settlements: &[Settlement],
    ) -> Result<(), SinkError> {
        let now = Timestamp::now();
        let (events, bytes) = std::mem::take(&mut self.claimed);
        if let Some(repeats) = &mut self.repeats {
            repeats.clear();
        }
        let committed = self.transact(|transaction| {
            append(transaction, admitted, now)?;
            settlements.iter().try_for_each(|settlement| settlement.apply(transaction, now))
        });
        if let Err(error) = committed {
            self.refuse(&error);
            return Err(error);
        }
        self.next += i64::try_from(events).expect("fewer than 2^63 events");
        self.status.send_modify(|status| {
            if status.pending_events == 0 && events > 0 {
                status.oldest = Some(now);
            }
            status.pending_events += events;
            status.pending_bytes += bytes;
            let mut removed = false;
            for settlement in settlements {
                let refused = settlement.refused.len() as u64;
                status.pending_events -= settlement.removed.len() as u64 + refused;
                status.pending_bytes -= settlement.removed_bytes + settlement.refused_bytes;
                status.refused_events += refused;
                status.refused_bytes += settlement.refused_bytes;
                removed |= !settlement.removed.is_empty();
            }
            let was_full = || {
                let refusing = status.refusing.as_ref();
                refusing.is_some_and(|why| why.kind == SinkErrorKind::Backpressure)
            };
            if events > 0 || removed && was_full() {
                status.refusing = None;
            }
            if status.pending_events == 0 {
                status.oldest = None;
            }
        });
        Ok(())
    }

    /// Puts the first of the refused events behind the pending ones, to be tried once more: of those up
    /// to the number `last`, or of all that there are now.
    pub(super) fn retry_refused(&mut self, last: Option<i64>) -> Result<Retried, SinkError> {
        self.dead_letters.check_table(&self.connection, &self.path, "refused")?;
        let (last, next) = (last.unwrap_or(self.next - 1), self.next);
        let moved = self.transact(|transaction| {
            let slice = Slice::first(transaction, last, Self::RETRIED_AT_ONCE)?;
            if let Some(slice) = &slice {
                slice.take_up(transaction, next)?;
            }
            Ok(slice)
        })?;
        let Some(Slice { low, high, events, bytes, oldest }) = moved else {
            return Ok(Retried { events: 0, last });
        };
        self.next += high - low + 1;
        self.status.send_modify(|status| {
            if status.pending_events == 0 {
                status.oldest = Some(oldest);
            }
            status.pending_events += events;
            status.pending_bytes += bytes;
            status.refused_events = status.refused_events.saturating_sub(events);
            status.refused_bytes = status.refused_bytes.saturating_sub(bytes);
        });
        Ok(Retried { events, last })
    }

    /// Gives back what the file has too much of, some pages at a time.
    pub(super) fn shrink(&mut self) {
        /// 8 MiB: what other writes may have to wait for.
        const PAGES: i64 = 2_048;

        // On a full disk, to move what is in use would take room first.
        if !self.reserve.is_held() && self.status.borrow().pending_events > 0 {
            return;
        }
        let count = |pragma| self.connection.pragma_query_value(None, pragma, |row| row.get(0));
        let shrunk = count("freelist_count").and_then(|free: i64| {
            // As long as half of the file is in use, what is at its end would be moved for little.
            if free <= Self::SPARE_PAGES || free * 2 < count("page_count")? {
                return Ok(());
            }
            let pages = PAGES.min(free - Self::SPARE_PAGES);
            let mut statement =
                self.connection.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
            // A step a page.
            let mut rows = statement.query([])?;
            while rows.next()?.is_some() {}
            drop(rows);
            // The file gets shorter when what is in the WAL is moved to it.
            self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
        });
        if let Err(error) = shrunk {
            tracing::debug!(sink = "spool", %error, "the file could not be shrunk");
        }
    }

    /// Makes what room it can, where the last commit failed because the disk is full: for what takes
    /// out events. Another failure is none that room would mend.
    pub(super) fn make_room(&mut self) {
        if !self.disk_full {
            return;
        }
        self.reserve.release();
        // A WAL that is empty again is room that it has already. Where it can't be emptied, what is
        // to be written fails and says so.
        self.checkpoint();
    }

    /// Leaves one file and, if nothing is in it, no room taken.
    pub(super) fn close(mut self) {
        if self.status.borrow().pending_events == 0 {
            self.reserve.remove();
        }
        self.checkpoint();
    }

    /// Moves the WAL into the file and empties it, if that can be done: it holds what is accepted as
    /// safely.
    fn checkpoint(&self) {
        sqlite::empty_wal(&self.connection, "spool");
    }

    fn transact<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, SinkError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let done = transaction.and_then(|transaction| {
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        });
        self.disk_full = done.as_ref().is_err_and(sqlite::is_disk_full);
        done.map_err(|error| SpoolError::failed(&self.path, "written", error).into())
    }
}

fn append(
    transaction: &Transaction<'_>,
    admitted: &[Admitted],
    now: Timestamp,
) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare_cached(&format!(
        "INSERT INTO pending ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    ))?;
    for write in admitted {
        for (number, place) in (write.first..).zip(&write.places) {
            let event = write.batch.get(*place as usize).expect("a place is one of the batch's");
            record::insert(&mut statement, number, now, event)?;
        }
    }
    Ok(())
}
