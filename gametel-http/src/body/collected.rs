use bytes::Bytes;

use super::coding::Coding;
use super::decompress::Decompressor;
use crate::error::ApiError;
use crate::limits::Reservation;

/// A body on its way in: its codings undone, as much as has come, within a limit and the budget.
///
/// The limit holds at every point of the way: for what was sent, between two codings, and at the
/// end. A small body that would become a large one costs no more than any other.
pub(crate) struct Collected<'a> {
    stages: Vec<Stage>,
    codings: &'a [Coding],
    received: usize,
    end: End<'a>,
}

/// One coding, and what has come to it.
struct Stage {
    coding: Coding,
    decompressor: Decompressor,
    input: Vec<u8>,
    taken: usize,
    decoded: usize,
}

/// Where the bytes are kept in the end.
struct End<'a> {
    limit: usize,
    expected: usize,
    reservation: &'a mut Reservation,
    bytes: Vec<u8>,
}

impl<'a> Collected<'a> {
    /// At most `limit` bytes, of which `expected` are believed to come; that many are never
    /// allocated ahead.
    pub(crate) fn new(
        codings: &'a [Coding],
        limit: usize,
        expected: usize,
        reservation: &'a mut Reservation,
    ) -> Self {
        let end = End { limit, expected, reservation, bytes: Vec::new() };
        Self { stages: Vec::new(), codings, received: 0, end }
    }

    /// Adds what has come.
    ///
    /// # Errors
    ///
    /// It is too much, for the limit (413) or the budget (503); or not in its coding (400).
    pub(crate) async fn push(&mut self, chunk: &[u8]) -> Result<(), ApiError> {
        self.received += chunk.len();
        if self.received > self.end.limit {
            return Err(ApiError::body_too_large(self.end.limit));
        }
        if self.codings.is_empty() {
            return self.end.keep(chunk);
        }
        if self.stages.is_empty() && !chunk.is_empty() {
            // Not before: who has sent nothing holds nothing.
            for coding in self.codings {
                self.end.reservation.take_bytes(Decompressor::base_bytes(*coding))?;
                self.stages.push(Stage::new(*coding)?);
            }
        }
        if let Some(stage) = self.stages.first_mut() {
            stage.input.extend_from_slice(chunk);
        }
        self.work().await
    }

    /// Ends the body, and gives all of it.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push); and the data of a coding is not complete.
    pub(crate) async fn finish(mut self) -> Result<Bytes, ApiError> {
        for index in 0..self.stages.len() {
            let stage = &mut self.stages[index];
            stage.decompressor.finish().map_err(|error| stage.refuse(&error))?;
            self.pass_on(index)?;
            self.work().await?;
        }
        Ok(self.end.bytes.into())
    }

    /// Decodes what there is to decode. Others get the thread in between, if they need it.
    async fn work(&mut self) -> Result<(), ApiError> {
        // The last first, so that no more than one step's output lies between two of them.
        while let Some(index) = self.stages.iter().rposition(Stage::has_input) {
            self.stages[index].step()?;
            self.pass_on(index)?;
            tokio::task::consume_budget().await;
        }
        Ok(())
    }

    /// Hands what a stage has decoded to the next one.
    fn pass_on(&mut self, index: usize) -> Result<(), ApiError> {
        let (before, behind) = self.stages.split_at_mut(index + 1);
        let stage = &mut before[index];
        let output = stage.decompressor.output();
        let window = |decoded| Decompressor::window_bytes(stage.coding, decoded);
        let decoded = stage.decoded + output.len();
        self.end.reservation.take_bytes(window(decoded) - window(stage.decoded))?;
        stage.decoded = decoded;
        if decoded > self.end.limit {
            return Err(ApiError::body_too_large(self.end.limit));
        }
        match behind.first_mut() {
            Some(next) => next.input.extend_from_slice(output),
            None => self.end.keep(output)?,
        }
        output.clear();
        Ok(())
    }
}

impl Stage {
    fn new(coding: Coding) -> Result<Self, ApiError> {
        let decompressor = Decompressor::new(coding).map_err(|error| {
            tracing::error!(%error, ?coding, "a decoder can't be made");
            ApiError::overloaded()
        })?;
        Ok(Self { coding, decompressor, input: Vec::new(), taken: 0, decoded: 0 })
    }

    fn has_input(&self) -> bool {
        self.taken < self.input.len()
    }

    fn step(&mut self) -> Result<(), ApiError> {
        let step = self.decompressor.step(&self.input[self.taken..]);
        self.taken += step.map_err(|error| self.refuse(&error))?;
        if !self.has_input() {
            self.input.clear();
            self.taken = 0;
        }
        Ok(())
    }

    fn refuse(&self, error: &std::io::Error) -> ApiError {
        ApiError::invalid_encoding(self.coding.name(), error)
    }
}

impl End<'_> {
    fn keep(&mut self, bytes: &[u8]) -> Result<(), ApiError> {
        let (length, capacity) = (self.bytes.len() + bytes.len(), self.bytes.capacity());
        if length > self.limit {
            return Err(ApiError::body_too_large(self.limit));
        }
        if length > capacity {
            // Twice as much each time, as a Vec grows, but counted, and not past the end.
            let grown = length.max(self.expected.min(2 * capacity));
            self.reservation.take_bytes(grown - capacity)?;
            self.bytes.reserve_exact(grown - self.bytes.len());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }
}
