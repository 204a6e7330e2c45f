//! Where records are read from: Kafka topics, an embedded log, files and standard input.
//!
//! A source fixes its ranges of offsets when it is opened, and reads each partition from its start
//! to its end, one after the other: the same range gives the same records in the same order,
//! whatever was written meanwhile. Its calls block their thread.
//!
//! | end | topic | partition | offset | timestamp |
//! |---|---|---|---|---|
//! | `kafka://HOST:PORT/TOPIC` | its name | as in Kafka | as in Kafka | the record's |
//! | `sqlite:PATH` | `events` | 0 | the record's number | when it was received |
//! | `file:PATH` | the path as it was given | 0 | the number of the line, from 0 | none |
//! | `stdin:` | `stdin` | 0 | the number of the line, from 0 | none |

mod chain;
mod config;
mod gather;
#[cfg(feature = "kafka")]
pub mod kafka;
mod lines;
#[cfg(feature = "log")]
mod log;
#[cfg(any(feature = "log", feature = "kafka"))]
mod partition;
mod place;
mod range;
mod settings;
mod unpack;

use bytes::Bytes;
use gametel_core::endpoint::Endpoint;
use gametel_core::event::{Position, Timestamp};

use crate::error::BatchError;

pub use config::{Removed, SourceConfig, endpoints};
pub use place::{End, PartitionPlaces, Place, Start};
pub use range::{PartitionRange, PartitionRead};
pub use settings::KafkaSettings;

/// Reads records in order.
pub trait Source: Send {
    /// What there is to read: a range of offsets for each partition, in the order of reading.
    fn ranges(&self) -> &[PartitionRange];

    /// The next records, in order. `None` once the ranges are read to their ends. A source that
    /// follows gives no records when there is nothing new, and ends with standard input alone.
    ///
    /// # Errors
    ///
    /// The source can't be read on, or stays silent for too long. Which records come next is then
    /// undefined.
    fn next(&mut self) -> Result<Option<Vec<SourceRecord>>, BatchError>;

    /// What was read so far, for each of the [ranges](Self::ranges): all of it once
    /// [`next`](Self::next) has given `None`, and the only one to know the end of a file.
    fn read(&self) -> Vec<PartitionRead>;
}

/// One record as it is in its source.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SourceRecord {
    /// Where it is.
    pub position: Position,
    /// The source's timestamp, if it has one.
    pub timestamp: Option<Timestamp>,
    /// The value; `None` is a tombstone.
    pub value: Option<Bytes>,
}

/// Opens what a configuration names, and fixes the ranges. Blocks, for at most about 10 s where a
/// cluster does not answer.
///
/// ```
/// use gametel_batch::source::{self, SourceConfig};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("events.ndjson");
/// std::fs::write(&path, "{\"event_type\":\"login\"}\n\n{\"event_type\":\"logout\"}\n")?;
///
/// let config: SourceConfig = format!("file:{}", path.display()).parse()?;
/// let mut source = source::open(&config)?;
/// let records = source.next()?.unwrap_or_default();
/// assert_eq!(records.iter().map(|record| record.position.offset).collect::<Vec<_>>(), [0, 2]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// A URL names no source, there is nothing at its place, or the source does not answer. A start that
/// is no longer there is refused, unless the configuration lets it be skipped; an end that is not
/// there yet, or that is in front of the start, is an error of the configuration.
pub fn open(config: &SourceConfig) -> Result<Box<dyn Source>, BatchError> {
    config.check()?;
    // Each end has a client of its own, and all are open at once.
    let read_ahead = config.read_ahead.among(config.endpoints.len());
    let each = SourceConfig { read_ahead, ..config.clone() };
    let mut sources = config
        .endpoints
        .iter()
        .map(|endpoint| open_one(endpoint, &each))
        .collect::<Result<Vec<_>, _>>()?;
    match sources.len() {
        1 => Ok(sources.remove(0)),
        _ => Ok(Box::new(chain::Chain::new(sources))),
    }
}

fn open_one(endpoint: &Endpoint, config: &SourceConfig) -> Result<Box<dyn Source>, BatchError> {
    let Some(topic) = config::topic_of(endpoint) else {
        return Err(no_source(endpoint));
    };
    Ok(match endpoint {
        #[cfg(feature = "log")]
        Endpoint::Sqlite(path) => Box::new(log::LogSource::open(path, topic, config)?),
        #[cfg(feature = "kafka")]
        Endpoint::Kafka { brokers, .. } => {
            Box::new(kafka::KafkaSource::open(brokers, topic, config)?)
        }
        Endpoint::File(path) => Box::new(lines::Lines::file(path, topic, config)?),
        Endpoint::Stdin => Box::new(lines::Lines::stdin(topic, config)?),
        other => return Err(no_source(other)),
    })
}

fn no_source(endpoint: &Endpoint) -> BatchError {
    BatchError::config(format!(
        "{endpoint} is no source: read from sqlite:PATH (feature log), kafka://HOST:PORT/TOPIC \
         (feature kafka), file:PATH or stdin:"
    ))
}
