use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::error::BatchError;

use super::StoreOptions;

/// Where an output lies.
///
/// Written as a path or `file:///PATH`, as `hdfs://NAMENODE[:PORT]/PATH`, or as
/// `s3://BUCKET[/PREFIX]`. Where a build lacks the feature of a store, naming one is still no error
/// here, but opening it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Location {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A folder of HDFS.
    Hdfs {
        /// `hdfs://` and the NameNode's host and port, or a name service.
        authority: String,
        /// The folder, with a `/` in front and none behind.
        path: String,
        /// How it is reached.
        options: StoreOptions,
    },
    /// A prefix of a bucket.
    S3 {
        /// The bucket's name.
        bucket: String,
        /// What the names of the objects begin with, without a `/` in front or behind; may be empty.
        prefix: String,
        /// How it is reached, and with what keys.
        options: StoreOptions,
    },
}

impl Location {
    /// The same place, reached in this way. Of a folder of this machine there is nothing to say.
    #[must_use]
    pub fn with_options(self, reached: StoreOptions) -> Self {
        match self {
            Self::Folder(path) => Self::Folder(path),
            Self::Hdfs { authority, path, .. } => Self::Hdfs { authority, path, options: reached },
            Self::S3 { bucket, prefix, .. } => Self::S3 { bucket, prefix, options: reached },
        }
    }

    /// The place that this one lies in, and its name there. Where there is none, itself and no name.
    pub(crate) fn split(&self) -> (Self, String) {
        let above = |path: &str| {
            let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
            (above.to_owned(), name.to_owned())
        };
        match self.clone() {
            Self::Folder(path) => {
                let name = path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
                match (path.parent(), name) {
                    (Some(above), Some(name)) => (Self::Folder(above.to_owned()), name),
                    _ => (Self::Folder(path), String::new()),
                }
            }
            Self::Hdfs { authority, path, options } => {
                let (path, name) = above(&path);
                (Self::Hdfs { authority, path, options }, name)
            }
            Self::S3 { bucket, prefix, options } => {
                let (prefix, name) = above(&prefix);
                (Self::S3 { bucket, prefix, options }, name)
            }
        }
    }

    /// The path of what lies below it, or its URL where it is no folder of this machine.
    pub(crate) fn path_of(&self, relative: &str) -> PathBuf {
        match self {
            Self::Folder(path) => path.join(relative),
            _ => format!("{self}/{relative}").into(),
        }
    }
}

impl FromStr for Location {
    type Err = BatchError;

    fn from_str(text: &str) -> Result<Self, BatchError> {
        if let Some(rest) = text.strip_prefix("hdfs://") {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            let path = path.trim_matches('/');
            if host.is_empty() || path.is_empty() {
                return Err(BatchError::config(format!(
                    "{text} names no folder of HDFS: write hdfs://NAMENODE:PORT/PATH"
                )));
            }
            let authority = format!("hdfs://{host}");
            let (path, options) = (format!("/{path}"), StoreOptions::default());
            return Ok(Self::Hdfs { authority, path, options });
        }
        if let Some(rest) = text.strip_prefix("s3://") {
            let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            if bucket.is_empty() {
                return Err(BatchError::config(format!(
                    "{text} names no bucket: write s3://BUCKET/PREFIX"
                )));
            }
            let prefix = prefix.trim_matches('/').to_owned();
            let (bucket, options) = (bucket.to_owned(), StoreOptions::default());
            return Ok(Self::S3 { bucket, prefix, options });
        }
        let path = text.strip_prefix("file:").map_or(text, |path| {
            path.strip_prefix("//localhost").or_else(|| path.strip_prefix("//")).unwrap_or(path)
        });
        if path.is_empty() {
            return Err(BatchError::config("the output has no name"));
        }
        match path.split_once("://") {
            Some((scheme, _)) => Err(BatchError::config(format!(
                "{scheme}:// is no store: write a path, file:///PATH, hdfs://NAMENODE:PORT/PATH or \
                 s3://BUCKET/PREFIX"
            ))),
            None => Ok(Self::Folder(path.into())),
        }
    }
}

impl From<&Path> for Location {
    /// A folder of this machine, whatever its name looks like.
    fn from(path: &Path) -> Self {
        Self::Folder(path.to_owned())
    }
}

impl From<PathBuf> for Location {
    /// A folder of this machine, whatever its name looks like.
    fn from(path: PathBuf) -> Self {
        Self::Folder(path)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => path.display().fmt(f),
            Self::Hdfs { authority, path, .. } => write!(f, "{authority}{path}"),
            Self::S3 { bucket, prefix, .. } if prefix.is_empty() => write!(f, "s3://{bucket}"),
            Self::S3 { bucket, prefix, .. } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_read_and_shown() {
        for (text, shown) in [
            ("tables", "tables"),
            ("/var/tables", "/var/tables"),
            ("file:///var/tables", "/var/tables"),
            ("file://localhost/var/tables", "/var/tables"),
            ("file:tables", "tables"),
            ("hdfs://namenode:8020/tmp/tables/", "hdfs://namenode:8020/tmp/tables"),
            ("s3://bucket", "s3://bucket"),
            ("s3://bucket/a/b/", "s3://bucket/a/b"),
        ] {
            assert_eq!(text.parse::<Location>().unwrap().to_string(), shown, "{text}");
        }
        for (text, above, name) in [
            ("/var/tables/d", "/var/tables", "d"),
            ("d", "", "d"),
            ("hdfs://namenode:8020/tmp/d", "hdfs://namenode:8020/tmp", "d"),
            ("hdfs://namenode:8020/d", "hdfs://namenode:8020", "d"),
            ("s3://bucket/a/d", "s3://bucket/a", "d"),
            ("s3://bucket/d", "s3://bucket", "d"),
        ] {
            let (found, found_name) = text.parse::<Location>().unwrap().split();
            assert_eq!((found.to_string().as_str(), found_name.as_str()), (above, name), "{text}");
        }
        for text in ["hdfs://namenode:8020", "hdfs:///tmp", "s3://", "gs://bucket/x", ""] {
            assert!(text.parse::<Location>().is_err(), "{text}");
        }
    }
}
