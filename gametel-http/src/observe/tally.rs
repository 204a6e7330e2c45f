use http::StatusCode;
use warp::reply::Response;

use crate::intake::Place;

/// What an answer says of events, as an extension of the response: for the metrics and the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Events that were accepted.
    pub(crate) accepted: usize,
    /// Events that were accepted as dead letters, which are none of the others.
    pub(crate) quarantined: usize,
    /// Events, or whole requests, that were refused, by the code of their error.
    pub(crate) codes: Vec<(&'static str, usize)>,
    /// The code of the answer itself, where it is an error.
    pub(crate) code: Option<&'static str>,
}

impl Tally {
    /// Takes it from an answer. One that does not say is of one event that was accepted, at the
    /// route of an event, and else of none.
    pub(super) fn take_from(response: &mut Response, place: Option<&Place>) -> Self {
        let said = response.extensions_mut().remove();
        said.unwrap_or_else(|| {
            let one = matches!(place, Some(Place::Event(_))) && response.status() == StatusCode::OK;
            Self { accepted: usize::from(one), ..Self::default() }
        })
    }

    /// What is said by an answer that is an error.
    pub(crate) fn error(code: &'static str) -> Self {
        Self { codes: vec![(code, 1)], code: Some(code), ..Self::default() }
    }

    /// What is said by an answer that tells of one dead letter.
    pub(crate) fn dead_letter() -> Self {
        Self { quarantined: 1, ..Self::default() }
    }

    /// Takes note of an event that was refused.
    pub(crate) fn refuse(&mut self, code: &'static str) {
        // An answer has a handful of codes, however many events it speaks of.
        match self.codes.iter_mut().find(|(known, _)| *known == code) {
            Some((_, count)) => *count += 1,
            None => self.codes.push((code, 1)),
        }
    }

    pub(super) fn refused(&self) -> usize {
        self.codes.iter().map(|(_, count)| count).sum()
    }
}
