/// What an answer says of events, as an extension of the response: for the metrics and the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Events that were accepted.
    pub(crate) accepted: usize,
    /// Events, or whole requests, that were refused, by the code of their error.
    pub(crate) codes: Vec<(&'static str, usize)>,
    /// The code of the answer itself, where it is an error.
    pub(crate) code: Option<&'static str>,
}

impl Tally {
    /// What is said by an answer that accepts one event.
    pub(crate) fn accepted_one() -> Self {
        Self { accepted: 1, ..Self::default() }
    }

    /// What is said by an answer that is an error.
    pub(crate) fn error(code: &'static str) -> Self {
        Self { accepted: 0, codes: vec![(code, 1)], code: Some(code) }
    }

    /// Takes note of an event that was refused.
    pub(crate) fn refuse(&mut self, code: &'static str) {
        // An answer has a handful of codes, however many events it speaks of.
        match self.codes.iter_mut().find(|(known, _)| *known == code) {
            Some((_, count)) => *count += 1,
            None => self.codes.push((code, 1)),
        }
    }

    pub(crate) fn refused(&self) -> usize {
        self.codes.iter().map(|(_, count)| count).sum()
    }
}
