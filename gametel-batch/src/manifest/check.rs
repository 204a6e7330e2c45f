//! The counts of a manifest add up, or something was lost or counted twice.

use std::fmt;

use super::{Manifest, Mode, WrittenDataset};

/// Says that what is claimed must be what is found.
type Equal<'a> = dyn Fn(&dyn Fn() -> String, u128, u128) -> Result<(), Imbalance> + 'a;

/// Two numbers of a manifest that must be equal, and are not.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imbalance {
    /// What should be the same as what.
    pub claim: String,
    /// The number that is claimed.
    pub claimed: u128,
    /// What the parts add up to.
    pub found: u128,
}

impl fmt::Display for Imbalance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} is claimed, and {} found", self.claim, self.claimed, self.found)
    }
}

impl std::error::Error for Imbalance {}

impl Manifest {
    /// The records that are somewhere: in a dataset, counted as unselected, in quarantine, or
    /// counted as tombstones. Must be [`read`](Self::read).
    pub fn accounted(&self) -> u64 {
        u64::try_from(self.places()).unwrap_or(u64::MAX)
    }

    /// Checks that every record is in exactly one place, by the counts:
    ///
    /// - `read` = the rows of all datasets + unselected + the rows of quarantine + tombstones
    /// - `read` = the records read of all partitions, and for each of them, `read + gaps` = `end −
    ///   start`
    /// - the rows of quarantine = the quarantined of all reasons
    /// - the rows of each dataset = the rows of its files
    ///
    /// A replay reads no partition. Of it, `read` = the rows of all datasets + those that were sent =
    /// the records of all reasons = the rows of the quarantine that it marked.
    ///
    /// # Errors
    ///
    /// The first of them that does not hold.
    pub fn check_conservation(&self) -> Result<(), Imbalance> {
        let equal = |claim: &dyn Fn() -> String, claimed: u128, found: u128| {
            if claimed == found {
                Ok(())
            } else {
                Err(Imbalance { claim: claim(), claimed, found })
            }
        };
        let read = u128::from(self.read);
        equal(&|| "records read, and records in a place".to_owned(), read, self.places())?;
        if self.mode == Mode::Replay {
            let marked = self.replay.iter().flat_map(|replay| &replay.rows);
            let marked = sum(marked.map(|marked| marked.rows.count()));
            equal(&|| "records read, and rows that are marked".to_owned(), read, marked)?;
            let of_reasons = self.replay.iter().flat_map(|replay| replay.replayed.values());
            let of_reasons = sum(of_reasons.copied());
            equal(&|| "records read, and those of all reasons".to_owned(), read, of_reasons)?;
        } else {
            self.check_partitions(&equal)?;
        }
        let by_reason = sum(self.quarantined.values().copied());
        let rows = u128::from(self.quarantine.rows);
        equal(&|| "rows of quarantine, and those of all reasons".to_owned(), rows, by_reason)?;
        for dataset in self.all_datasets() {
            let claim = || format!("rows of {}, and those of its files", dataset.name);
            let of_files = sum(dataset.files.iter().map(|file| file.rows));
            equal(&claim, u128::from(dataset.rows), of_files)?;
        }
        Ok(())
    }

    fn check_partitions(&self, equal: &Equal<'_>) -> Result<(), Imbalance> {
        let read = u128::from(self.read);
        let of_partitions = sum(self.partitions.iter().map(|partition| partition.read));
        equal(&|| "records read, and those of all partitions".to_owned(), read, of_partitions)?;
        for partition in &self.partitions {
            let offsets = i128::from(partition.end) - i128::from(partition.start);
            let claim = || {
                let (topic, number) = (&partition.topic, partition.partition);
                format!("offsets of partition {number} of {topic}, and its records and gaps")
            };
            // A range that ends before it starts has no offsets, and the claim fails if it has records.
            let offsets = u128::try_from(offsets).unwrap_or(0);
            equal(&claim, offsets, sum([partition.read, partition.gaps]))?;
        }
        Ok(())
    }

    fn places(&self) -> u128 {
        let rows = sum(self.all_datasets().map(|dataset: &WrittenDataset| dataset.rows));
        let sent = sum(self.replay.iter().map(|replay| replay.sent));
        rows + sum(self.unselected.values().copied()) + u128::from(self.tombstones) + sent
    }
}

/// The sum in a type that holds it: a manifest that was read may have any numbers.
pub(super) fn sum(counts: impl IntoIterator<Item = u64>) -> u128 {
    counts.into_iter().map(u128::from).sum()
}

#[cfg(test)]
pub(super) mod tests {
    use gametel_core::event::Timestamp;
    use proptest::prelude::*;

    use crate::manifest::{
        CatalogVersion, Checksum, ReadPartition, Replay, ReplayedRows, SchemaColumn, WrittenFile,
    };

    use super::*;

    /// The claim that is found not to hold, once this was done.
    type Wrong<T> = (&'static str, fn(&mut T));

    fn dataset(name: &str, rows: &[u64]) -> WrittenDataset {
        let file = |(number, rows): (usize, &u64)| WrittenFile {
            path: format!("{name}/part-{number:05}.parquet"),
            bytes: 10,
            rows: *rows,
            sha256: Checksum::of(b""),
        };
        WrittenDataset {
            name: name.to_owned(),
            rows: rows.iter().sum(),
            schema: vec![SchemaColumn { name: "raw_event".into(), r#type: "string".into() }],
            files: rows.iter().enumerate().map(file).collect(),
            ..WrittenDataset::default()
        }
    }

    fn partition(partition: i32, read: u64, gaps: u64) -> ReadPartition {
        let (start, topic) = (7, "events".to_owned());
        let end = start + i64::try_from(read + gaps).unwrap();
        ReadPartition { topic, partition, start, end, read, gaps }
    }

    /// A manifest that adds up, with another number in each place.
    pub(in crate::manifest) fn balanced() -> Manifest {
        let at = Timestamp::from_micros(1_795_486_294_303_275);
        Manifest {
            format: Manifest::FORMAT,
            run: "01a20b52-a11f-7606-a456-cd423abff3f7".parse().unwrap(),
            previous: Some("01a20b52-9d3c-72c4-99be-a9380e8f10a8".parse().unwrap()),
            mode: Mode::Append,
            restored: None,
            gametel: "0.1.0".to_owned(),
            started: at,
            finished: at,
            catalog: CatalogVersion { name: "game".to_owned(), sha256: Checksum::of(b"game") },
            sources: vec!["sqlite:x".to_owned()],
            output: "tables".parse().unwrap(),
            partitions: vec![partition(0, 11_000, 3), partition(1, 111, 0)],
            read: 11_111,
            datasets: vec![dataset("a", &[1]), dataset("b", &[3, 7])],
            unselected: [("c".to_owned(), 60), ("d".to_owned(), 40)].into(),
            quarantine: dataset("quarantine", &[1_000]),
            quarantined: [("invalid_json".to_owned(), 999), ("invalid_utf8".to_owned(), 1)].into(),
            tombstones: 10_000,
            replay: None,
        }
    }

    #[test]
    fn counts_that_do_not_add_up_are_found() {
        assert_eq!(balanced().check_conservation(), Ok(()));
        let wrong: [Wrong<Manifest>; 9] = [
            ("records read, and records in a place", |m| m.read += 1),
            ("records read, and records in a place", |m| m.tombstones += 1),
            ("records read, and records in a place", |m| m.tombstones = u64::MAX),
            ("records read, and those of all partitions", |m| m.partitions[1].read += 1),
            ("offsets of partition 0 of events, and its records and gaps", |m| {
                m.partitions[0].gaps += 1;
            }),
            ("offsets of partition 1 of events, and its records and gaps", |m| {
                m.partitions[1].end = i64::MIN;
            }),
            ("rows of quarantine, and those of all reasons", |m| m.quarantined.clear()),
            ("rows of b, and those of its files", |m| m.datasets[1].files[0].rows += 1),
            ("rows of quarantine, and those of its files", |m| m.quarantine.files.clear()),
        ];
        for (claim, spoil) in wrong {
            let mut manifest = balanced();
            spoil(&mut manifest);
            assert_eq!(manifest.check_conservation().unwrap_err().claim, claim);
        }
    }

    #[test]
    fn a_replay_that_does_not_add_up_is_found() {
        let mut manifest = balanced();
        manifest.mode = Mode::Replay;
        (manifest.read, manifest.tombstones) = (11, 0);
        manifest.partitions.clear();
        manifest.unselected.clear();
        manifest.quarantined.clear();
        manifest.quarantine = dataset("quarantine", &[]);
        let rows = ReplayedRows::new(manifest.run, "part-0", "0..6,8..13".parse().unwrap());
        let replayed = [("invalid_json".to_owned(), 4), ("too_long".to_owned(), 7)].into();
        manifest.replay = Some(Replay { replayed, rows: vec![rows], ..Replay::default() });
        assert_eq!(manifest.check_conservation(), Ok(()));
        let replay = |m: &mut Manifest| m.replay.take().unwrap();
        type Spoil = fn(&mut Replay);
        let wrong: [(&str, Spoil); 3] = [
            ("records read, and records in a place", |r| r.sent += 1),
            ("records read, and rows that are marked", |r| r.rows[0].rows.push(77)),
            ("records read, and those of all reasons", |r| r.replayed.clear()),
        ];
        for (claim, spoil) in wrong {
            let mut manifest = manifest.clone();
            let mut spoiled = replay(&mut manifest);
            spoil(&mut spoiled);
            manifest.replay = Some(spoiled);
            assert_eq!(manifest.check_conservation().unwrap_err().claim, claim);
        }
        replay(&mut manifest);
        assert!(manifest.check_conservation().is_err(), "no record of what was replayed");
    }

    fn counts() -> impl Strategy<Value = Vec<u64>> {
        prop::collection::vec(0..1_000_000_u64, 0..6)
    }

    proptest! {
        /// Whatever the mix: it adds up as it was made, and no more once one count is another.
        #[test]
        fn any_mix_adds_up_and_any_change_is_found(
            files in prop::collection::vec(counts(), 0..4),
            unselected in counts(),
            reasons in counts(),
            tombstones in 0..1_000_000_u64,
            gaps in counts(),
            change in any::<prop::sample::Index>(),
            by in prop_oneof![-3_i64..0, 1_i64..4],
        ) {
            let named = |counts: &[u64]| {
                counts.iter().enumerate().map(|(n, count)| (n.to_string(), *count)).collect()
            };
            let mut manifest = balanced();
            manifest.datasets =
                files.iter().enumerate().map(|(n, rows)| dataset(&n.to_string(), rows)).collect();
            manifest.unselected = named(&unselected);
            manifest.quarantined = named(&reasons);
            manifest.quarantine = dataset("quarantine", &reasons);
            manifest.tombstones = tombstones;
            manifest.read = manifest.accounted();
            // Spread over the partitions, the rest on the last.
            let share = manifest.read / (gaps.len() as u64 + 1);
            manifest.partitions =
                gaps.iter().zip(0..).map(|(gaps, n)| partition(n, share, *gaps)).collect();
            let rest = manifest.read - share * gaps.len() as u64;
            manifest.partitions.push(partition(-1, rest, 0));
            prop_assert_eq!(manifest.check_conservation(), Ok(()));

            let mut counts = vec![&mut manifest.read, &mut manifest.tombstones];
            counts.extend(manifest.unselected.values_mut());
            counts.extend(manifest.quarantined.values_mut());
            counts.push(&mut manifest.quarantine.rows);
            counts.extend(manifest.quarantine.files.iter_mut().map(|file| &mut file.rows));
            for dataset in &mut manifest.datasets {
                counts.push(&mut dataset.rows);
                counts.extend(dataset.files.iter_mut().map(|file| &mut file.rows));
            }
            for partition in &mut manifest.partitions {
                counts.extend([&mut partition.read, &mut partition.gaps]);
            }
            let at = change.index(counts.len());
            let count = counts.swap_remove(at);
            *count = count.checked_add_signed(by).unwrap_or(*count + by.unsigned_abs());
            prop_assert!(manifest.check_conservation().is_err());
        }
    }
}
