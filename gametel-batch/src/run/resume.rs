//! Where an append goes on: at the ends of the ranges that are in the datasets already.

use crate::commit::{Offsets, Snapshot};
use crate::error::{BatchError, ErrorKind};
use crate::source::{PartitionPlaces, PartitionRange, PartitionRead, Place, SourceConfig, Start};

/// What an append reads: each partition from behind what is there of it, a new one from its first
/// record. Standard input is another one every time, and is read whole.
///
/// That a partition still has the offset to go on at is checked where the source is opened.
///
/// # Errors
///
/// There are datasets, and no record of what they were read from; or the configuration has a start
/// of its own.
pub(super) fn behind(
    base: Option<&Snapshot>,
    there: bool,
    output: &str,
    source: &SourceConfig,
) -> Result<SourceConfig, BatchError> {
    if base.is_none() && !there {
        return Ok(source.clone());
    }
    if source.start != Start::Earliest {
        return Err(BatchError::config(
            "an append goes on where the last run has ended, and takes no start of its own",
        ));
    }
    let Some(offsets) = base.and_then(|base| base.offsets.as_ref()) else {
        let message = format!(
            "the datasets in {output} have no record of the offsets that they were read from, so \
             nothing can be added to them; write them once with the mode overwrite"
        );
        return Err(BatchError::new(ErrorKind::Refused, message));
    };
    let mut places = PartitionPlaces::new();
    for topic in source.topics() {
        for (partition, next) in offsets.get(&*topic).into_iter().flatten() {
            places = places.with(&*topic, *partition, Place::Offset(*next));
        }
    }
    Ok(source.clone().with_start(Start::Partitions(places.with_others(Place::Earliest))))
}

/// What an append reads of a topic that was made anew, where that was allowed: of each partition that
/// ends before the offset to go on at, everything. `None` if there is none.
pub(super) fn anew(source: &SourceConfig, ranges: &[PartitionRange]) -> Option<SourceConfig> {
    let is_anew = |range: &PartitionRange| {
        range.there.as_ref().zip(range.wanted).is_some_and(|(there, wanted)| wanted > there.end)
    };
    if !ranges.iter().any(is_anew) {
        return None;
    }
    let place = |range: &PartitionRange| match is_anew(range) {
        true => Place::Earliest,
        false => Place::Offset(range.start),
    };
    let places = ranges.iter().fold(PartitionPlaces::new(), |places, range| {
        places.with(&*range.topic, range.partition, place(range))
    });
    let start = Start::Partitions(places.with_others(Place::Earliest));
    Some(source.clone().with_start(start))
}

/// One past the last offset of each partition that was read.
pub(super) fn ends(partitions: &[PartitionRead]) -> Offsets {
    let mut ends = Offsets::new();
    for read in partitions {
        ends.entry(read.topic.to_string()).or_default().insert(read.partition, read.end);
    }
    ends
}

/// Whether there was not one new offset.
pub(super) fn is_empty(partitions: &[PartitionRead]) -> bool {
    partitions.iter().all(|read| read.start == read.end)
}
