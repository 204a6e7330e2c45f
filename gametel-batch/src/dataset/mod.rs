//! A dataset that was written: its schema, its size, and its first rows as text.

mod stored;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::{DataType, Schema, SchemaRef, TimeUnit};
use gametel_core::event::Timestamp;

use crate::commit;
use crate::error::BatchError;
use crate::manifest::SchemaColumn;
use crate::parquet::read_folder;
use crate::store::{self, Location, Store};
use crate::timestamp::write_timestamp;

pub(crate) use stored::{From, ParquetFile};

/// The Parquet files of one dataset.
#[derive(Clone, Debug)]
pub struct Dataset {
    store: Arc<dyn Store>,
    /// Where the files are in it, in the same order.
    paths: Vec<String>,
    files: Vec<DatasetFile>,
    schema: SchemaRef,
    /// The columns that the folders' names have, `NAME=VALUE`, by those of the first file.
    in_folders: Vec<String>,
}

/// One file of a dataset.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DatasetFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its rows, by its footer.
    pub rows: u64,
    /// The columns of the folders that it is in, with their values.
    in_folders: Vec<(String, Option<String>)>,
}

/// The first rows of a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows, a text for each column; `None` is null.
    pub rows: Vec<Vec<Option<String>>>,
    /// Whether the dataset has more rows than these.
    pub more: bool,
}

impl Dataset {
    /// Opens a folder of Parquet files of this machine, or one file, and reads the footers. Files
    /// whose names start with `_` or `.` are passed over, as Spark does. A folder `NAME=VALUE` in it
    /// is a partition: its files' rows have that value in a column more, behind the others.
    ///
    /// # Errors
    ///
    /// There is nothing at the path, no Parquet file in it, or one that can't be read.
    pub fn open(path: &Path) -> Result<Self, BatchError> {
        Self::open_at(&path.into())
    }

    /// Opens a dataset, or one file, wherever it is. Blocks its thread.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_at(location: &Location) -> Result<Self, BatchError> {
        let (output, name) = location.split();
        Self::open_in(&output, &name)
    }

    /// Opens a dataset of an output.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_in(output: &Location, name: &str) -> Result<Self, BatchError> {
        let store = store::open(output)?;
        let paths = commit::files_of(&*store, name)?;
        let mut files = Vec::new();
        let mut schema: Option<SchemaRef> = None;
        for path in &paths {
            let file = store.open(path)?;
            let bytes = file.size();
            let file = ParquetFile::open(Arc::from(file)).map_err(|error| {
                BatchError::failed(format!("{} is no Parquet file", store.name_of(path)), error)
            })?;
            schema.get_or_insert_with(|| SchemaRef::clone(file.schema()));
            let in_folders = in_folders(name, path);
            let (path, rows) = (output.path_of(path), file.rows());
            files.push(DatasetFile { path, bytes, rows, in_folders });
        }
        match schema {
            Some(schema) => {
                let first = files.first().into_iter().flat_map(|file| &file.in_folders);
                let in_folders = first.map(|(column, _)| column.clone()).collect();
                Ok(Self { store, paths, files, schema, in_folders })
            }
            None => {
                let name = store.name_of(name);
                Err(BatchError::config(format!("there is no Parquet file in {name}")))
            }
        }
    }

    /// The files, in the order of their names, which is that of their rows.
    pub fn files(&self) -> &[DatasetFile] {
        &self.files
    }

    /// The rows of all files, by their footers.
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }

    /// Name and type of each column, with the types' names as Spark has them. Those that folders
    /// have are strings here, while Spark guesses types for their values.
    pub fn columns(&self) -> Vec<(String, &'static str)> {
        let in_folders = self.in_folders.iter().map(String::as_str);
        columns(&self.schema, in_folders).map(|(name, r#type)| (name.to_owned(), r#type)).collect()
    }

    /// Reads the first `limit` rows as text. Binary values are shown as Spark shows them,
    /// `[6E 6F]`, and times as it does in UTC.
    ///
    /// # Errors
    ///
    /// A file can't be read.
    pub fn head(&self, limit: usize) -> Result<Head, BatchError> {
        let mut rows = Vec::new();
        for (path, found) in self.paths.iter().zip(&self.files) {
            if rows.len() == limit {
                break;
            }
            let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
                BatchError::failed(format!("{} can't be read", self.store.name_of(path)), error)
            };
            let file = ParquetFile::open(Arc::from(self.store.open(path)?));
            let head = file.and_then(|file| file.head(limit - rows.len()));
            for batch in head.map_err(|error| failed(error.into()))? {
                let batch = batch.map_err(|error| failed(error.into()))?;
                let first = rows.len();
                append_text(&batch, &mut rows).map_err(|error| failed(error.into()))?;
                for row in &mut rows[first..] {
                    row.extend(found.in_folders.iter().map(|(_, value)| value.clone()));
                }
            }
        }
        let columns = self.columns().into_iter().map(|(name, _)| name).collect();
        let more = self.rows() > rows.len() as u64;
        Ok(Head { columns, rows, more })
    }
}

/// The columns that the folders of a file have, between the dataset and itself.
fn in_folders(dataset: &str, path: &str) -> Vec<(String, Option<String>)> {
    let below = match dataset {
        "" => path,
        _ => path.split_once(&format!("{dataset}/")).map_or("", |(_, below)| below),
    };
    let folders = below.rsplit_once('/').map_or("", |(folders, _)| folders);
    folders.split('/').filter_map(read_folder).collect()
}

fn append_text(
    batch: &RecordBatch,
    rows: &mut Vec<Vec<Option<String>>>,
) -> Result<(), arrow_schema::ArrowError> {
    let columns =
        batch.columns().iter().map(texts).collect::<Result<Vec<_>, arrow_schema::ArrowError>>()?;
    for row in 0..batch.num_rows() {
        rows.push(columns.iter().map(|column| column[row].clone()).collect());
    }
    Ok(())
}

fn texts(column: &ArrayRef) -> Result<Vec<Option<String>>, arrow_schema::ArrowError> {
    if let DataType::Binary = column.data_type() {
        let hexadecimal = |bytes: &[u8]| {
            let bytes: Vec<_> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
            format!("[{}]", bytes.join(" "))
        };
        return Ok(column.as_binary::<i32>().iter().map(|value| value.map(hexadecimal)).collect());
    }
    if let DataType::Timestamp(unit, _) = column.data_type() {
        return times(column, *unit);
    }
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(column, &options)?;
    let text = |row| column.is_valid(row).then(|| formatter.value(row).to_string());
    Ok((0..column.len()).map(text).collect())
}

/// Times as Spark shows them where its session is in UTC. Arrow's own formatter knows no zone by
/// its name, and `UTC` is one.
fn times(
    column: &ArrayRef,
    unit: TimeUnit,
) -> Result<Vec<Option<String>>, arrow_schema::ArrowError> {
    let counts = arrow_cast::cast(column, &DataType::Int64)?;
    let text = |count: i64| {
        let micros = match unit {
            TimeUnit::Second => count.saturating_mul(1_000_000),
            TimeUnit::Millisecond => count.saturating_mul(1_000),
            TimeUnit::Microsecond => count,
            TimeUnit::Nanosecond => count.div_euclid(1_000),
        };
        let mut text = String::new();
        write_timestamp(&mut text, Timestamp::from_micros(micros));
        text
    };
    Ok(counts.as_primitive::<Int64Type>().iter().map(|count| count.map(text)).collect())
}

/// The columns of a dataset, as a manifest lists them: those of its files, and that of its folders.
pub(crate) fn schema_columns(schema: &Schema, partition: Option<&str>) -> Vec<SchemaColumn> {
    let column =
        |(name, r#type): (&str, &str)| SchemaColumn { name: name.into(), r#type: r#type.into() };
    columns(schema, partition.into_iter()).map(column).collect()
}

fn columns<'a>(
    schema: &'a Schema,
    in_folders: impl Iterator<Item = &'a str>,
) -> impl Iterator<Item = (&'a str, &'static str)> {
    let fields = schema.fields().iter();
    let in_files = fields.map(|field| (field.name().as_str(), spark_type(field.data_type())));
    in_files.chain(in_folders.map(|name| (name, "string")))
}

fn spark_type(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "string",
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "binary",
        DataType::Int8 => "byte",
        DataType::Int16 => "short",
        DataType::Int32 => "integer",
        DataType::Int64 => "long",
        DataType::Float32 => "float",
        DataType::Float64 => "double",
        DataType::Boolean => "boolean",
        DataType::Date32 => "date",
        DataType::Timestamp(_, Some(_)) => "timestamp",
        DataType::Timestamp(_, None) => "timestamp_ntz",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{
        TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
        TimestampSecondArray,
    };
    use gametel_core::event::{EncodedEvent, EventId, EventType, Timestamp};
    use gametel_core::sink::{EventSink, EventSinkExt};

    use super::*;
    use crate::commit::{PartNames, Parts};
    use crate::parquet::sink_to;
    use crate::store::LocalStore;

    #[tokio::test]
    async fn rows_come_in_the_order_of_the_files_names() {
        let folder = tempfile::tempdir().unwrap();
        let at = Timestamp::from_micros(0);
        // In no order that a file system may list them in.
        for part in ["3", "0", "4", "1", "2"] {
            let store = Arc::new(LocalStore::new(folder.path()));
            let sink = sink_to(Parts::new(store, part.to_owned(), PartNames::replacing()));
            for _ in 0..2 {
                let (id, payload) = (EventId::new(at), format!(r#"{{"part":{part}}}"#));
                sink.write(EncodedEvent::new(id, EventType::new("t"), payload.into(), at))
                    .await
                    .unwrap();
            }
            sink.close().await.unwrap();
            let written = folder.path().join(part).join("part-00000.zstd.parquet");
            std::fs::rename(written, folder.path().join(format!("part-{part}.parquet"))).unwrap();
        }
        let dataset = Dataset::open(folder.path()).unwrap();
        assert_eq!(dataset.rows(), 10);
        let head = dataset.head(5).unwrap();
        let parts: Vec<_> = head.rows.iter().map(|row| row[0].clone().unwrap()).collect();
        assert_eq!(parts, ["0", "0", "1", "1", "2"].map(|part| format!(r#"{{"part":{part}}}"#)));
        assert!(head.more);
        assert!(!dataset.head(10).unwrap().more);
    }

    #[test]
    fn times_of_every_unit_and_zone_are_shown_in_utc() {
        let seconds = TimestampSecondArray::from(vec![Some(17), None]);
        let columns: [ArrayRef; 4] = [
            Arc::new(seconds.with_timezone("UTC")),
            Arc::new(TimestampMillisecondArray::from(vec![Some(17_000), None])),
            Arc::new(TimestampMicrosecondArray::from(vec![Some(17_000_000), None])),
            Arc::new(
                TimestampNanosecondArray::from(vec![Some(17_000_000_999), None])
                    .with_timezone("Europe/Berlin"),
            ),
        ];
        for column in columns {
            let shown = texts(&column).unwrap();
            assert_eq!(shown, [Some("1970-01-01 00:00:17".to_owned()), None], "{column:?}");
        }
    }
}
