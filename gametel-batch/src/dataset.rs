//! A dataset that was written: its schema, its size, and its first rows as text.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::{DataType, SchemaRef};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use crate::error::BatchError;

/// The Parquet files of one dataset.
#[derive(Clone, Debug)]
pub struct Dataset {
    files: Vec<DatasetFile>,
    schema: SchemaRef,
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
    /// Opens a folder of Parquet files, or one file, and reads the footers. Files whose names start
    /// with `_` or `.` are passed over, as Spark does.
    ///
    /// # Errors
    ///
    /// There is nothing at the path, no Parquet file in it, or one that can't be read.
    pub fn open(path: &Path) -> Result<Self, BatchError> {
        let mut files = Vec::new();
        let mut schema: Option<SchemaRef> = None;
        for path in parquet_files(path)? {
            let unreadable = |error: parquet::errors::ParquetError| {
                BatchError::failed(format!("{} is no Parquet file", path.display()), error)
            };
            let file = open(&path)?;
            let bytes = file.metadata().map_err(|error| cannot_open(&path, error))?.len();
            let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(unreadable)?;
            let rows = reader.metadata().file_metadata().num_rows();
            schema.get_or_insert_with(|| SchemaRef::clone(reader.schema()));
            files.push(DatasetFile { path, bytes, rows: u64::try_from(rows).unwrap_or(0) });
        }
        match schema {
            Some(schema) => Ok(Self { files, schema }),
            None => {
                let path = path.display();
                Err(BatchError::config(format!("there is no Parquet file in {path}")))
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

    /// Name and type of each column, with the types' names as Spark has them.
    pub fn columns(&self) -> Vec<(String, &'static str)> {
        let column = |field: &std::sync::Arc<arrow_schema::Field>| {
            (field.name().clone(), spark_type(field.data_type()))
        };
        self.schema.fields().iter().map(column).collect()
    }

    /// Reads the first `limit` rows as text. Binary values are shown as Spark shows them,
    /// `[6E 6F]`.
    ///
    /// # Errors
    ///
    /// A file can't be read.
    pub fn head(&self, limit: usize) -> Result<Head, BatchError> {
        let mut rows = Vec::new();
        for file in &self.files {
            if rows.len() == limit {
                break;
            }
            let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
                BatchError::failed(format!("{} can't be read", file.path.display()), error)
            };
            for batch in batches(&file.path, limit - rows.len()).map_err(failed)? {
                let batch = batch.map_err(|error| failed(error.into()))?;
                append_text(&batch, &mut rows).map_err(|error| failed(error.into()))?;
            }
        }
        let columns = self.schema.fields().iter().map(|field| field.name().clone()).collect();
        let more = self.rows() > rows.len() as u64;
        Ok(Head { columns, rows, more })
    }
}

fn parquet_files(path: &Path) -> Result<Vec<PathBuf>, BatchError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path).map_err(|error| cannot_open(path, error))?;
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| cannot_open(path, error))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.ends_with(".parquet") && !name.starts_with(['_', '.']) {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

fn open(path: &Path) -> Result<File, BatchError> {
    File::open(path).map_err(|error| cannot_open(path, error))
}

fn cannot_open(path: &Path, error: std::io::Error) -> BatchError {
    let message = format!("{} can't be opened", path.display());
    match error.kind() {
        std::io::ErrorKind::NotFound => BatchError::config(message).with_source(error),
        _ => BatchError::failed(message, error),
    }
}

fn batches(
    path: &Path,
    limit: usize,
) -> Result<ParquetRecordBatchReader, Box<dyn std::error::Error + Send + Sync>> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?;
    Ok(builder.with_limit(limit).build()?)
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
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(column, &options)?;
    let text = |row| column.is_valid(row).then(|| formatter.value(row).to_string());
    Ok((0..column.len()).map(text).collect())
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
