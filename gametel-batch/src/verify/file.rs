//! One file against what the manifest says of it.

use std::io::{self, Read};
use std::sync::Arc;

use crate::dataset::{From, ParquetFile, schema_columns};
use crate::error::ErrorKind;
use crate::manifest::{Hashing, SchemaColumn};
use crate::store::{Store, StoredFile};

use super::Finding;
use super::version::Part;

/// How much of a file is read at once for its checksum.
const AT_ONCE: usize = 1024 * 1024;

/// A file that holds the bytes that were written.
pub(super) struct IntactFile(Arc<dyn StoredFile>);

impl IntactFile {
    pub(super) fn open(&self) -> Result<ParquetFile, String> {
        ParquetFile::open(Arc::clone(&self.0)).map_err(|error| error.to_string())
    }
}

/// Checks that a file is there with its size and checksum, and gives it if it is. What was found
/// otherwise is added to the findings.
///
/// A file of other bytes is not looked into: what it would say of its rows is no evidence, and it
/// may be made to lead a reader astray.
pub(super) fn intact(
    store: &dyn Store,
    part: &Part<'_>,
    findings: &mut Vec<Finding>,
) -> Option<IntactFile> {
    let file: Arc<dyn StoredFile> = match store.open(&part.path) {
        Ok(file) => file.into(),
        Err(error) if error.kind() == ErrorKind::Config => {
            findings.push(part.finding("file", "there", "no such file"));
            return None;
        }
        Err(error) => {
            findings.push(part.finding("file", "there", error.one_line()));
            return None;
        }
    };
    let count = findings.len();
    if file.size() != part.file.bytes {
        findings.push(part.finding("size", part.file.bytes, file.size()));
    }
    let mut hashing = Hashing::new(io::sink());
    let mut from = From::start(Arc::clone(&file));
    if let Err(error) = copy(&mut from, &mut hashing) {
        findings.push(part.finding("file", "readable", error));
        return None;
    }
    let (_, _, sha256) = hashing.into_parts();
    if sha256 != part.file.sha256 {
        findings.push(part.finding("sha256", part.file.sha256, sha256));
    }
    (findings.len() == count).then_some(IntactFile(file))
}

/// Checks the rows and the columns of a file's footer.
pub(super) fn footer(part: &Part<'_>, file: &IntactFile) -> Vec<Finding> {
    let file = match file.open() {
        Ok(file) => file,
        Err(error) => return vec![part.finding("file", "a Parquet file", error)],
    };
    let mut findings = Vec::new();
    if file.rows() != part.file.rows {
        findings.push(part.finding("rows", part.file.rows, file.rows()));
    }
    let found = schema_columns(file.schema(), part.partition_by);
    if found != part.schema {
        findings.push(part.finding("schema", columns(part.schema), columns(&found)));
    }
    findings
}

/// `timestamp string, winner string, rounds long`.
fn columns(schema: &[SchemaColumn]) -> String {
    let columns: Vec<_> =
        schema.iter().map(|column| format!("{} {}", column.name, column.r#type)).collect();
    columns.join(", ")
}

fn copy(from: &mut From, to: &mut impl io::Write) -> io::Result<()> {
    let mut buffer = vec![0; AT_ONCE];
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok(()),
            read => to.write_all(&buffer[..read])?,
        }
    }
}
