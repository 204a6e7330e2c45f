use std::collections::BTreeMap;

use crate::manifest::Mode;

use super::held::HeldRange;
use super::{Finding, Held, Safeguard};

/// What a source has of one partition when a run begins, and where the run would start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Available {
    /// The topic's name.
    pub(crate) topic: String,
    /// The partition's number.
    pub(crate) partition: i32,
    /// The first offset that is there.
    pub(crate) low: i64,
    /// One past the last.
    pub(crate) high: i64,
    /// Where the run was told to start; `None` is wherever the source begins.
    pub(crate) wanted: Option<i64>,
}

/// Compares what a source has with what was read of it already.
///
/// Only topics that the datasets have rows of are looked at. A source whose end is not known before
/// it is read has no place in `available`, and nothing is found for it.
pub(crate) fn check_offsets(held: &Held, available: &[Available], mode: Mode) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (topic, ranges) in by_topic(held) {
        let there: Vec<_> = available.iter().filter(|there| there.topic == topic).collect();
        if there.is_empty() {
            continue;
        }
        let had: i64 = ranges.iter().map(|(_, range)| range.end - range.start).sum();
        if held.read > 0 && had > 0 && there.iter().all(|there| there.low >= there.high) {
            let message = format!("{topic} is empty, and {had} offsets of it were read before");
            findings.push(Finding::new(Safeguard::EmptyTopic, message));
            continue;
        }
        for (partition, range) in ranges {
            let there = there.iter().find(|there| there.partition == partition);
            let Some(there) = there else {
                let message = format!(
                    "{topic} has no partition {partition}, which was read up to offset {}",
                    range.end
                );
                findings.push(Finding::new(Safeguard::TopicRecreated, message));
                continue;
            };
            findings.extend(check_partition(there, range, mode));
        }
    }
    findings.extend(available.iter().filter_map(|there| check_wanted(there, held)));
    findings
}

fn check_partition(there: &Available, range: HeldRange, mode: Mode) -> Option<Finding> {
    let Available { topic, partition, low, high, wanted } = there;
    let HeldRange { start, end } = range;
    if *high < end {
        let message = format!(
            "partition {partition} of {topic} ends at offset {high}, and was read up to {end}"
        );
        return Some(Finding::new(Safeguard::TopicRecreated, message));
    }
    match mode {
        Mode::Append if *low > end => {
            let message = format!(
                "offsets {end} to {} of partition {partition} of {topic} were removed before they \
                 were read",
                low - 1
            );
            Some(Finding::new(Safeguard::RemovedByRetention, message))
        }
        // Who names a start means it, and is asked about the rows if there are far fewer.
        Mode::Overwrite if wanted.is_none() && *low > start && end > start => {
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

/// A start that was asked for, and is not there any more. Where the datasets have the partition and
/// are added to, it was found above.
fn check_wanted(there: &Available, held: &Held) -> Option<Finding> {
    let Available { topic, partition, low, wanted, .. } = there;
    let wanted = (*wanted)?;
    let known = held.ranges.get(&(topic.clone(), *partition));
    if wanted >= *low || known.is_some_and(|range| range.end == wanted) {
        return None;
    }
    let message = format!(
        "partition {partition} of {topic} starts at offset {low}, and {wanted} was asked for"
    );
    Some(Finding::new(Safeguard::RemovedByRetention, message))
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
        Held { ranges, read: 1, ..Held::default() }
    }

    fn available(partition: i32, low: i64, high: i64, wanted: Option<i64>) -> Available {
        Available { topic: "events".to_owned(), partition, low, high, wanted }
    }

    fn found(held: &Held, there: &[Available], mode: Mode) -> Vec<Safeguard> {
        check_offsets(held, there, mode).iter().map(|finding| finding.safeguard).collect()
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
            assert_eq!(found(&held, &there, Mode::Append), [Safeguard::EmptyTopic]);
        }
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
        let said = &check_offsets(&held, &there, Mode::Overwrite)[0].message;
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
