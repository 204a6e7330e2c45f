use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::RecordBatch;
use parquet::errors::ParquetError;

use super::part_file::PartFile;
use super::shape::Shape;
use super::waiting::{Run, Waiting};

/// How many files of a dataset may be open at a time.
const OPEN_FILES: usize = 64;

/// Lets rows wait until there are many, puts them in order, and encodes them folder by folder while
/// no other dataset does.
///
/// Rows that are sorted are sorted within each file, so that a file ends when they are written.
/// Others go on in the file of their folder the next time, unless it was ended for another's sake:
/// of too many open files that which was not written to for the longest.
pub(super) struct InTurn {
    shape: Shape,
    waiting: Waiting,
    limits: Limits,
    sort_by: Vec<usize>,
    turn: Arc<Mutex<()>>,
    /// The open files by folder, that which was written to last behind the others.
    open: VecDeque<(Arc<str>, PartFile)>,
    /// Where a file without rows goes.
    folder_of_nothing: String,
}

/// How much there may be of what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// The bytes of rows that wait.
    pub(super) waiting: usize,
    /// The rows, and the bytes of payload, that are encoded together.
    pub(super) batch_rows: usize,
    pub(super) batch_bytes: usize,
}

impl InTurn {
    pub(super) fn new(
        shape: Shape,
        sort_by: Vec<usize>,
        limits: Limits,
        turn: Arc<Mutex<()>>,
        folder_of_nothing: String,
    ) -> Self {
        let (waiting, open) = (Waiting::default(), VecDeque::new());
        Self { shape, waiting, limits, sort_by, turn, open, folder_of_nothing }
    }

    /// Notes the folder and the size of a row of the batch that comes next.
    pub(super) fn add(&mut self, folder: &str, bytes: usize) {
        self.waiting.add(folder, bytes);
    }

    pub(super) fn write(&mut self, rows: RecordBatch) -> Result<(), ParquetError> {
        self.waiting.push(rows);
        if self.waiting.bytes() >= self.limits.waiting { self.encode() } else { Ok(()) }
    }

    fn encode(&mut self) -> Result<(), ParquetError> {
        let waiting = std::mem::take(&mut self.waiting);
        let turn = Arc::clone(&self.turn);
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        for run in waiting.runs(&self.sort_by)? {
            self.write_run(&waiting, &run)?;
        }
        Ok(())
    }

    fn write_run(&mut self, waiting: &Waiting, run: &Run) -> Result<(), ParquetError> {
        let place = self.open.iter().position(|(folder, _)| *folder == run.folder);
        let mut open = place.and_then(|place| self.open.remove(place)).map(|(_, file)| file);
        let Limits { batch_rows, batch_bytes, .. } = self.limits;
        for rows in waiting.batches(run, batch_rows, batch_bytes) {
            let mut file = match open.take() {
                Some(file) => file,
                None => self.begin(&run.folder)?,
            };
            self.shape.write(&mut file, &rows?)?;
            if self.shape.is_full(&file) {
                file.finish()?;
            } else {
                open = Some(file);
            }
        }
        let Some(mut file) = open else {
            return Ok(());
        };
        if !self.sort_by.is_empty() {
            return file.finish();
        }
        // Whoever comes next needs the memory of the encoders.
        file.end_row_group()?;
        self.open.push_back((Arc::clone(&run.folder), file));
        self.end_until(OPEN_FILES)
    }

    fn begin(&mut self, folder: &str) -> Result<PartFile, ParquetError> {
        self.end_until(OPEN_FILES - 1)?;
        self.shape.begin(folder)
    }

    /// Ends open files until there are at most so many, and their footers are within memory.
    fn end_until(&mut self, most: usize) -> Result<(), ParquetError> {
        let row_groups = |open: &VecDeque<(Arc<str>, PartFile)>| {
            open.iter().map(|(_, file)| file.row_groups()).sum::<usize>()
        };
        while self.open.len() > most || row_groups(&self.open) > self.shape.most_row_groups() {
            let Some((_, oldest)) = self.open.pop_front() else {
                break;
            };
            oldest.finish()?;
        }
        Ok(())
    }

    /// Writes what waits, and ends every file. A dataset without rows has a file, too, which says
    /// its columns.
    pub(super) fn finish(&mut self) -> Result<(), ParquetError> {
        if !self.waiting.is_empty() {
            self.encode()?;
        }
        if self.shape.is_empty() {
            return self.shape.begin(&self.folder_of_nothing)?.finish();
        }
        self.end_until(0)
    }
}
