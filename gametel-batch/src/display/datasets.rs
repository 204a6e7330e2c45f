use crate::dataset::Dataset;
use crate::error::BatchError;
use crate::report::{DatasetReport, RunReport};

use super::{Truncate, table, tree};

/// Draws name, schema and first `rows` rows of each dataset that a run wrote, the quarantine's only
/// if there is something in it. Reads them back from the files.
///
/// # Errors
///
/// A file can't be read.
pub fn datasets(report: &RunReport, rows: usize, truncate: Truncate) -> Result<String, BatchError> {
    let mut text = String::new();
    let quarantine = Some(&report.quarantine).filter(|quarantine| quarantine.rows > 0);
    for DatasetReport { name, .. } in report.datasets.iter().chain(quarantine) {
        let dataset = Dataset::open(&report.output.join(name))?;
        let head = dataset.head(rows)?;
        text.extend([name, "\n", &tree(&dataset.columns()), &table(&head, truncate)]);
        if head.more {
            text.push('\n');
        }
    }
    Ok(text)
}
