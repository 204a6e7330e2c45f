//! Files and standard input as sources: one event a line.

use std::fs::{self, File};
use std::io::{self, BufRead, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{BatchError, ErrorKind as Kind};

use super::gather::Gather;
use super::unpack::{Packing, Reader, unpack};
use super::{
    End, PartitionRange, PartitionRead, Place, Removed, Source, SourceConfig, SourceRecord,
};

/// The longest line, so that a file without line ends does not fill the memory.
const MAX_LINE: usize = 16 * 1024 * 1024;

/// Reads lines. A line of nothing but spaces is no record, but has its number.
pub(super) struct Lines {
    input: Input,
    reader: Option<Reader>,
    packing: Option<Packing>,
    ranges: [PartitionRange; 1],
    /// The number of the next line.
    next: i64,
    read: u64,
    ended: bool,
    follow: bool,
    removed: Removed,
    gather: Gather,
}

/// Where the bytes come from.
enum Input {
    /// A file, of which no more is read than there was when it was found.
    File(PathBuf, u64),
    /// A pipe or a device, that has no size.
    Pipe(PathBuf),
    Stdin,
}

/// What one reading gave.
enum Line {
    /// A line with this many bytes, less its end.
    Value(usize),
    Blank,
    TooLong,
    /// There is no further line.
    End,
}

impl Lines {
    pub(super) fn file(
        path: &Path,
        topic: Arc<str>,
        config: &SourceConfig,
    ) -> Result<Self, BatchError> {
        let failed = |error: io::Error| {
            let message = format!("the file {} can't be read", path.display());
            BatchError::config(message).with_source(error)
        };
        let found = fs::metadata(path).map_err(failed)?;
        if found.is_dir() {
            let message =
                format!("{} is a folder: name its files, each with a source", path.display());
            return Err(BatchError::config(message));
        }
        if !found.is_file() {
            // To open a pipe and close it again would end whoever writes to it.
            return Self::new(Input::Pipe(path.to_owned()), topic, config);
        }
        File::open(path).map_err(failed)?;
        Self::new(Input::File(path.to_owned(), found.len()), topic, config)
    }

    pub(super) fn stdin(topic: Arc<str>, config: &SourceConfig) -> Result<Self, BatchError> {
        Self::new(Input::Stdin, topic, config)
    }

    fn new(input: Input, topic: Arc<str>, config: &SourceConfig) -> Result<Self, BatchError> {
        config.check_partitions(&topic, &[0])?;
        let start = match config.start.place(&topic, 0) {
            Some(Place::Earliest) => 0,
            Some(Place::Offset(line)) => line,
            _ => {
                let message = format!(
                    "{topic} can start at its first line or at a line's number (from 0) alone: its \
                     records have no times, and where it ends is not known"
                );
                return Err(BatchError::config(message));
            }
        };
        let end = match config.end.place(&topic, 0) {
            Some(Place::Latest) => None,
            Some(Place::Offset(line)) => Some(line),
            _ => {
                let message = format!(
                    "{topic} can end at its last line or in front of a line's number (from 0) \
                     alone: its records have no times"
                );
                return Err(BatchError::config(message));
            }
        };
        if let Some(end) = end.filter(|end| *end < start) {
            let message = format!("{topic} would end at line {end}, in front of its start {start}");
            return Err(BatchError::config(message));
        }
        Ok(Self {
            input,
            reader: None,
            packing: None,
            ranges: [PartitionRange { topic, partition: 0, start, end, wanted: None, there: None }],
            next: 0,
            read: 0,
            ended: false,
            follow: config.end == End::Follow,
            removed: config.removed,
            gather: Gather::new(config.read_ahead),
        })
    }

    /// Opens the input. Only now: there may be more files than can be open at a time.
    fn open(&self) -> io::Result<(Reader, Option<Packing>)> {
        match &self.input {
            Input::File(path, size) => {
                unpack(File::open(path)?.take(*size), Packing::of_name(path))
            }
            Input::Pipe(path) => unpack(File::open(path)?, Packing::of_name(path)),
            Input::Stdin => unpack(io::stdin(), None),
        }
    }

    /// Reads one line. One in front of the start is passed over.
    fn advance(&mut self) -> Result<(), BatchError> {
        if self.reader.is_none() {
            let (reader, packing) = self.open().map_err(|error| self.failed(error))?;
            (self.reader, self.packing) = (Some(reader), packing);
        }
        let reader = self.reader.as_mut().expect("it was opened above");
        let wanted = self.next >= self.ranges[0].start;
        let mut found = Line::End;
        let read = self.gather.push_read((0, self.next), |values| {
            found = read_line(reader, values)?;
            Ok(match found {
                Line::Value(length) if wanted => Some(length),
                _ => None,
            })
        });
        read.map_err(|error: io::Error| self.failed(error))?;
        match found {
            Line::End => return self.end(),
            Line::TooLong => {
                let (topic, line) = (&self.ranges[0].topic, self.next + 1);
                let mib = MAX_LINE / (1024 * 1024);
                let message = format!("line {line} of {topic} is longer than {mib} MiB");
                return Err(BatchError::new(Kind::Failed, message));
            }
            Line::Value(_) => self.read += u64::from(wanted),
            Line::Blank => {}
        }
        self.next += 1;
        Ok(())
    }

    /// There are no more lines.
    fn end(&mut self) -> Result<(), BatchError> {
        self.ended = true;
        let [PartitionRange { topic, start, end, .. }] = &self.ranges;
        let lines = self.next;
        if *start > lines && self.removed != Removed::Skip {
            let message = format!("{topic} has no line {start} to start at: it has {lines} lines");
            return Err(BatchError::new(Kind::Refused, message));
        }
        if let Some(end) = end.filter(|end| *end > lines) {
            let message = format!("{topic} has no line {end} to end at: it has {lines} lines");
            return Err(BatchError::config(message));
        }
        Ok(())
    }

    /// Whether it is time to hand over what there is: there is much, or who follows would wait.
    fn is_batch(&self) -> bool {
        let waits = || self.reader.as_ref().is_some_and(|r| !r.buffer().contains(&b'\n'));
        self.gather.is_full() || (self.follow && !self.gather.is_empty() && waits())
    }

    fn failed(&self, error: io::Error) -> BatchError {
        let (topic, line) = (&self.ranges[0].topic, self.next + 1);
        match (error.kind(), self.packing) {
            (ErrorKind::UnexpectedEof, Some(packing)) => {
                let name = packing.name();
                let message =
                    format!("{topic} is cut short: its {name} stream breaks off in line {line}");
                BatchError::new(Kind::Failed, message)
            }
            _ => BatchError::failed(format!("{topic} can't be read at line {line}"), error),
        }
    }
}

impl Source for Lines {
    fn ranges(&self) -> &[PartitionRange] {
        &self.ranges
    }

    fn next(&mut self) -> Result<Option<Vec<SourceRecord>>, BatchError> {
        while !self.ended && !self.is_batch() {
            if self.ranges[0].end.is_some_and(|end| self.next >= end) {
                self.ended = true;
            } else {
                self.advance()?;
            }
        }
        let records = self.gather.take(&self.ranges[0].topic);
        Ok((!records.is_empty()).then_some(records))
    }

    fn read(&self) -> Vec<PartitionRead> {
        let [range] = &self.ranges;
        vec![PartitionRead {
            topic: Arc::clone(&range.topic),
            partition: range.partition,
            start: range.start,
            end: self.next.max(range.start),
            read: self.read,
        }]
    }
}

/// Appends the next line to `values`, with its end.
fn read_line(reader: &mut Reader, values: &mut Vec<u8>) -> io::Result<Line> {
    let start = values.len();
    if reader.take(MAX_LINE as u64 + 1).read_until(b'\n', values)? == 0 {
        return Ok(Line::End);
    }
    let line = &values[start..];
    let line = match line.strip_suffix(b"\n") {
        None if line.len() > MAX_LINE => return Ok(Line::TooLong),
        None => line,
        Some(line) => line.strip_suffix(b"\r").unwrap_or(line),
    };
    Ok(if line.trim_ascii().is_empty() { Line::Blank } else { Line::Value(line.len()) })
}
