use crate::error::BatchError;

use super::{PartitionRange, PartitionRead, Source, SourceRecord};

/// Reads several sources one after the other.
pub(super) struct Chain {
    sources: Vec<Box<dyn Source>>,
    ranges: Vec<PartitionRange>,
    current: usize,
}

impl Chain {
    pub(super) fn new(sources: Vec<Box<dyn Source>>) -> Self {
        let ranges = sources.iter().flat_map(|source| source.ranges().iter().cloned()).collect();
        Self { sources, ranges, current: 0 }
    }
}

impl Source for Chain {
    fn ranges(&self) -> &[PartitionRange] {
        &self.ranges
    }

    fn next(&mut self) -> Result<Option<Vec<SourceRecord>>, BatchError> {
        while let Some(source) = self.sources.get_mut(self.current) {
            match source.next()? {
                Some(records) => return Ok(Some(records)),
                None => self.current += 1,
            }
        }
        Ok(None)
    }

    fn read(&self) -> Vec<PartitionRead> {
        self.sources.iter().flat_map(|source| source.read()).collect()
    }
}
