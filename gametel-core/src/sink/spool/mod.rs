//! Store and forward: a durable queue in one SQLite file, in front of any other sink.
//!
//! One [`Spool`] owns the file, by a lock of the operating system on a file of the same name with
//! `-lock` behind it; a second one is refused with kind `Config`. A [`SpoolReader`] reads it at any
//! time, from any process on the same machine (SQLite's WAL mode does not work over network file
//! systems).
//!
//! **Durability.** What is accepted is on the disk (`journal_mode=WAL`, `synchronous=FULL`: an fsync
//! before the answer) until the target has accepted it. It survives the end of the process at any
//! moment, and the end of the machine as far as its disk keeps what it synced; the next spool to open
//! the file goes on where the last one ended.
//!
//! **Once or twice.** An event that the target accepted, but whose removal was not on the disk when
//! the process died, is forwarded again, under the same `event_id`. So is one whose acceptance the
//! target did not confirm. Nothing else is. Where writes wait for the target ([`SpoolAck::Target`]), an
//! event that is sent again while its record is pending waits with that record, also after a restart,
//! and makes none of its own.
//!
//! **Order.** Events are forwarded in the order in which they were accepted: those of one write in
//! the batch's order, those of writes that follow one another in theirs. A batch is handed to the
//! target only after the one before it has its outcome.
//!
//! **Format**, version 1, held by SQLite's `application_id` 0x676D7370 ("gmsp") and `user_version`:
//!
//! ```sql
//! CREATE TABLE pending (
//!     number           INTEGER PRIMARY KEY, -- the order of forwarding
//!     spooled_us       INTEGER NOT NULL,    -- when it came, in microseconds since the Unix epoch
//!     event_id         BLOB,                -- the UUID's 16 bytes
//!     event_type       TEXT,                -- null where the record is no event
//!     timestamp_us     INTEGER,             -- when it was received
//!     malformed_reason TEXT,                -- why it is no event or can be no row, by stable name
//!     malformed_detail TEXT,
//!     event_key        BLOB,
//!     payload          BLOB NOT NULL        -- the event, as on the wire
//! ) STRICT;
//! CREATE TABLE refused (
//!     -- all of the above, and:
//!     kind             TEXT NOT NULL,       -- too_large or rejected
//!     reason           TEXT NOT NULL,       -- what the target said
//!     refused_us       INTEGER NOT NULL
//! ) STRICT;
//! -- made when a spool is first opened with SpoolAck::Target; stays
//! CREATE INDEX pending_event_id ON pending (event_id);
//! ```
//!
//! The [position](crate::event::Position) of an event that was read from a source is not kept. The
//! file shrinks again after a backlog is gone (`auto_vacuum=INCREMENTAL`), to some 4 MiB.
//!
//! **A full disk.** A file with `-reserve` behind its name holds 16 MiB (or a 64th of `max_bytes`, where
//! that is less), which are given back when events can't be taken out for want of room, or the file
//! can't be opened. Until they can be reserved again, writes are refused with kind `Io`, and forwarding
//! goes on.

mod admitted;
mod dead_letters;
mod error;
mod file;
mod forwarder;
mod lock;
mod monitor;
mod options;
mod reader;
mod record;
mod repeats;
mod reserve;
mod retrying;
mod settlement;
mod sink;
mod stop;
mod store;
mod totals;
mod waiting;
mod window;
mod writer;

pub use dead_letters::SpoolDeadLetters;
pub use error::SpoolError;
pub use monitor::{SpoolFailure, SpoolMonitor, SpoolStatus};
pub use options::{SpoolAck, SpoolOptions};
pub use reader::{DeadLetterCount, RefusedCount, RefusedRecord, SpoolReader};
pub use record::SpoolRecord;
pub use sink::Spool;

use stop::Stop;
