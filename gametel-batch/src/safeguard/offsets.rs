use std::collections::BTreeMap;

use crate::manifest::Mode;
use crate::source::PartitionRange;

use super::held::HeldRange;
use super::{Finding, Held, Safeguard};

/// Compares what a source has with what was read of it already.
///
/// Only topics that the datasets have rows of are looked at. What only reading will tell of, such as
/// a file, is passed over. `from_start` says that the run was to start wherever the source does.
pub(crate) fn check_offsets(
    held: &Held,
    ranges: &[PartitionRange],
    mode: Mode,
    from_start: bool,
) -> Vec<Finding> {
    let available: Vec<_> = ranges.iter().filter_map(Available::new).collect();
    let mut findings = Vec::new();
    for (topic, ranges) in by_topic(held) {
        let there: Vec<_> = available.iter().filter(|there| *there.topic == *topic).collect();
        if there.is_empty() {
            continue;
        }
        let had = ranges.iter().any(|(_, range)| range.end > 0);
        let is_empty = there.iter().all(|there| there.low >= there.high);
        // Appending to what was read from a topic is right also after retention took all of it.
        let is_another = ranges.iter().any(|(partition, range)| {
            there.iter().any(|there| there.partition == *partition && there.high < range.end)
        });
        if is_empty && had && (mode == Mode::Overwrite || is_another) {
            let message = format!("{topic} is empty, and was read before");
            findings.push(Finding::new(Safeguard::EmptyTopic, message));
            continue;
        }
        for (partition, range) in ranges {
            let there = there.iter().find(|there| there.partition == partition);
            let Some(there) = there else {
                // Who names the offsets of partitions may leave some out.
                if mode == Mode::Overwrite && !from_start {
                    continue;
                }
                let message = format!(
                    "{topic} has no partition {partition}, which was read up to offset {}",
                    range.end
                );
                findings.push(Finding::new(Safeguard::TopicRecreated, message));
                continue;
            };
            findings.extend(check_partition(there, range, mode, from_start));
        }
    }
    findings.extend(available.iter().filter_map(|there| check_wanted(there, held)));
    findings
}

/// What there is of a partition.
struct Available<'a> {
    topic: &'a str,
    partition: i32,
    low: i64,
    high: i64,
    wanted: Option<i64>,
}

impl<'a> Available<'a> {
    fn new(range: &'a PartitionRange) -> Option<Self> {
        let PartitionRange { topic, partition, there, wanted, .. } = range;
        let there = there.as_ref()?;
        let (low, high) = (there.start, there.end);
        Some(Self { topic, partition: *partition, low, high, wanted: *wanted })
    }
}

fn check_partition(
    there: &Available<'_>,
    range: HeldRange,
    mode: Mode,
    from_start: bool,
) -> Option<Finding> {
    let Available { topic, partition, low, high, .. } = *there;
    let HeldRange { start, end } = range;
    if high < end {
        let message = format!(
            "partition {partition} of {topic} ends at offset {high}, and was read up to {end}"
        );
        return Some(Finding::new(Safeguard::TopicRecreated, message));
    }
    match mode {
        Mode::Append if low > end => {
            let message = format!(
                "offsets {end} to {} of partition {partition} of {topic} were removed before they \
                 were read",
                low - 1
            );
            Some(Finding::new(Safeguard::RemovedByRetention, message))
        }
        // Who names a start means it, and is asked about the rows if there are far fewer.
        Mode::Overwrite if from_start && low > start && end > start => {
            let last = (low - 1).min(end - 1);
            let message = format!(
                "offsets {start} to {last} of partition {partition} of {topic} were removed since \
                 they were read, and their rows would be gone; --mode append keeps them"
            );
            Some(Finding::new(Safeguard::RemovedByRetention, message))
        }
        _ => None,
    }
}

/// A start that was asked for and is not there, unless it was found above.
fn check_wanted(there: &Available<'_>, held: &Held) -> Option<Finding> {
    let Available { topic, partition, low, high, .. } = *there;
    let wanted = there.wanted?;
    let known = held.ranges.get(&(topic.to_owned(), partition)).map(|range| range.end);
    if known == Some(wanted) {
        return None;
    }
    let name = format!("partition {partition} of {topic}");
    Some(if wanted < low {
        let message = format!("{name} starts at offset {low}, and {wanted} was asked for");
        Finding::new(Safeguard::RemovedByRetention, message)
    } else {
        let message = format!("{name} ends at offset {high}, and {wanted} was asked for");
        Finding::new(Safeguard::TopicRecreated, message)
    })
}

fn by_topic(held: &Held) -> BTreeMap<&str, Vec<(i32, HeldRange)>> {
    let mut topics: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for ((topic, partition), range) in &held.ranges {
        topics.entry(topic).or_default().push((*partition, *range));
    }
    topics
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(ranges: &[(i32, i64, i64)]) -> Held {
        let ranges: BTreeMap<_, _> = ranges
            .iter()
            .map(|(partition, start, end)| {
                let range = HeldRange { start: *start, end: *end };
                (("events".to_owned(), *partition), range)
            })
            .collect();
        Held { ranges, ..Held::default() }
    }

    fn available(partition: i32, low: i64, high: i64, wanted: Option<i64>) -> PartitionRange {
        PartitionRange {
            topic: "events".into(),
            partition,
            start: wanted.unwrap_or(low).clamp(low, high),
            end: Some(high),
            wanted: wanted.filter(|wanted| *wanted != (*wanted).clamp(low, high)),
            there: Some(low..high),
        }
    }

    fn found(held: &Held, there: &[PartitionRange], mode: Mode) -> Vec<Safeguard> {
        check_offsets(held, there, mode, true).iter().map(|finding| finding.safeguard).collect()
    }

    #[test]
    fn a_topic_that_only_grew_is_no_finding() {
        let held = held(&[(0, 0, 10), (1, 0, 0)]);
        let there = [available(0, 0, 25, None), available(1, 0, 3, None), available(2, 5, 9, None)];
        assert_eq!(found(&held, &there, Mode::Overwrite), []);
        assert_eq!(found(&held, &there, Mode::Append), []);
        assert_eq!(found(&Held::default(), &there, Mode::Overwrite), []);
    }

    #[test]
    fn an_empty_topic_is_one_finding_whatever_its_offsets() {
        let held = held(&[(0, 0, 10), (1, 0, 4)]);
        for there in [
            [available(0, 0, 0, None), available(1, 0, 0, None)],
            [available(0, 10, 10, None), available(1, 4, 4, None)],
        ] {
            assert_eq!(found(&held, &there, Mode::Overwrite), [Safeguard::EmptyTopic]);
        }
        let anew = [available(0, 0, 0, None), available(1, 0, 0, None)];
        assert_eq!(found(&held, &anew, Mode::Append), [Safeguard::EmptyTopic]);
        // Everything was read before retention took it.
        let read = [available(0, 10, 10, None), available(1, 4, 4, None)];
        assert_eq!(found(&held, &read, Mode::Append), []);
        // One partition of two is no empty topic.
        let there = [available(0, 0, 10, None), available(1, 4, 4, None)];
        assert_eq!(found(&held, &there, Mode::Append), []);
    }

    #[test]
    fn a_topic_that_ends_before_what_was_read_is_another_one() {
        let held = held(&[(0, 0, 10), (1, 0, 4)]);
        let there = [available(0, 0, 9, None), available(1, 0, 4, None)];
        assert_eq!(found(&held, &there, Mode::Append), [Safeguard::TopicRecreated]);
        let there = [available(0, 0, 10, None)];
        assert_eq!(found(&held, &there, Mode::Overwrite), [Safeguard::TopicRecreated]);
    }

    #[test]
    fn overwriting_rows_whose_records_are_gone_is_a_finding_and_appending_to_them_is_none() {
        let held = held(&[(0, 0, 10)]);
        let there = [available(0, 6, 30, None)];
        assert_eq!(found(&held, &there, Mode::Overwrite), [Safeguard::RemovedByRetention]);
        assert_eq!(found(&held, &there, Mode::Append), []);
        let said = &check_offsets(&held, &there, Mode::Overwrite, true)[0].message;
        assert!(said.contains("offsets 0 to 5 of partition 0"), "{said}");
    }

    #[test]
    fn appending_over_a_hole_is_a_finding() {
        let held = held(&[(0, 0, 10)]);
        assert_eq!(
            found(&held, &[available(0, 11, 30, Some(10))], Mode::Append),
            [Safeguard::RemovedByRetention]
        );
        assert_eq!(found(&held, &[available(0, 10, 30, Some(10))], Mode::Append), []);
    }

    #[test]
    fn a_start_that_is_gone_is_a_finding_also_for_the_first_run() {
        let there = [available(0, 6, 30, Some(5))];
        assert_eq!(
            found(&Held::default(), &there, Mode::Overwrite),
            [Safeguard::RemovedByRetention]
        );
        assert_eq!(found(&Held::default(), &[available(0, 6, 30, Some(6))], Mode::Overwrite), []);
    }
}
