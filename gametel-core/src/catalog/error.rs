use std::fmt;
use std::path::{Path, PathBuf};

/// What is wrong with a catalog, and where: the file and the line, as far as they are known.
#[derive(Debug)]
pub struct CatalogError {
    file: Option<PathBuf>,
    line: Option<usize>,
    message: String,
    culprit: Option<Culprit>,
    source: Option<std::io::Error>,
}

/// The definition that a check failed on, by its place, so that the reader of a file can find its
/// line.
#[derive(Clone, Copy, Debug)]
pub(super) enum Culprit {
    Headers,
    Event(usize),
    /// The event's place, and the field's among its fields.
    Field(usize, usize),
    Dataset(usize),
    /// The dataset's place, and the column's among its columns.
    Column(usize, usize),
}

impl CatalogError {
    pub(super) fn new(culprit: Culprit, message: String) -> Self {
        Self { file: None, line: None, message, culprit: Some(culprit), source: None }
    }

    pub(super) fn syntax(line: Option<usize>, message: &str) -> Self {
        Self { file: None, line, message: message.to_owned(), culprit: None, source: None }
    }

    pub(super) fn unreadable(source: std::io::Error) -> Self {
        let message = "the catalog can't be read".to_owned();
        Self { file: None, line: None, message, culprit: None, source: Some(source) }
    }

    pub(super) fn culprit(&self) -> Option<Culprit> {
        self.culprit
    }

    pub(super) fn at_line(mut self, line: usize) -> Self {
        self.line = Some(line);
        self
    }

    pub(super) fn in_file(mut self, path: &Path) -> Self {
        self.file = Some(path.to_owned());
        self
    }

    /// The line of the fault in the TOML text, counted from 1.
    pub fn line(&self) -> Option<usize> {
        self.line
    }
}

impl fmt::Display for CatalogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, "{}:{line}: ", file.display())?,
            (Some(file), None) => write!(f, "{}: ", file.display())?,
            (None, Some(line)) => write!(f, "line {line}: ")?,
            (None, None) => {}
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for CatalogError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}
