use crate::dataset::Dataset;
use crate::error::BatchError;
use crate::manifest::{Manifest, WrittenDataset};

use super::{Truncate, table, tree};

/// Draws name, schema and first `rows` rows of each dataset that a run wrote, the quarantine's only
/// if there is something in it. Reads them back from the files.
///
/// # Errors
///
/// A file can't be read.
pub fn datasets(
    manifest: &Manifest,
    rows: usize,
    truncate: Truncate,
) -> Result<String, BatchError> {
    let mut text = String::new();
    let quarantine = Some(&manifest.quarantine).filter(|quarantine| quarantine.rows > 0);
    for WrittenDataset { name, .. } in manifest.datasets.iter().chain(quarantine) {
        let dataset = Dataset::open_in(&manifest.output, name)?;
        let head = dataset.head(rows)?;
        text.extend([name, "\n", &tree(&dataset.columns()), &table(&head, truncate)]);
        if head.more {
            text.push('\n');
        }
    }
    Ok(text)
}
