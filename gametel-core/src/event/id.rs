use std::fmt;

use uuid::Uuid;

use super::{Timestamp, random};

/// The identity of one event, by which consumers drop duplicates.
///
/// New ids are UUID version 7 (RFC 9562): they sort by the millisecond in which they were made.
/// An id that a client sent may be a UUID of any version. It is always written hyphenated and in
/// lower case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(Uuid);

impl EventId {
    /// Makes a new id that carries the millisecond of `at` and 74 random bits.
    ///
    /// The bits are the operating system's, fetched for many ids at a time and kept by the thread. A
    /// process that forks, and goes on as the same program on both sides, must record on threads
    /// that it starts after the fork.
    pub fn new(at: Timestamp) -> Self {
        Self::from_parts(at, random::next())
    }

    /// Makes an id of UUID version 7 from its parts: the millisecond of `at`, and 74 of the 80 bits of
    /// `random`. For id sources; whoever calls it answers for the ids being different.
    pub fn from_parts(at: Timestamp, random: [u8; 10]) -> Self {
        let millis = at.as_millis().max(0).unsigned_abs();
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }

    /// Reads a hyphenated UUID of any version, in either case.
    ///
    /// # Errors
    ///
    /// Anything else, the braced, URN and undashed spellings included: one event must not have two.
    pub fn parse(text: &str) -> Result<Self, InvalidEventId> {
        if text.len() != uuid::fmt::Hyphenated::LENGTH {
            return Err(InvalidEventId);
        }
        Uuid::try_parse(text).map(Self).map_err(|_| InvalidEventId)
    }

    /// The 16 bytes, for a file of ours.
    #[cfg(feature = "log")]
    pub(crate) fn to_bytes(self) -> [u8; 16] {
        self.0.into_bytes()
    }

    /// Takes what [`to_bytes`](Self::to_bytes) gave.
    #[cfg(feature = "log")]
    pub(crate) fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// Appends the text.
    pub(crate) fn write_text(self, text: &mut Vec<u8>) {
        let mut buffer = [0; uuid::fmt::Hyphenated::LENGTH];
        text.extend_from_slice(self.0.hyphenated().encode_lower(&mut buffer).as_bytes());
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is no hyphenated UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event_id is not a hyphenated UUID")]
pub struct InvalidEventId;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_ids_sort_by_time_and_are_version_seven() {
        let early = EventId::new(Timestamp::from_millis(1_795_486_294_303));
        let late = EventId::new(Timestamp::from_millis(1_795_486_294_304));
        // The first 48 bits are the millisecond (RFC 9562 §5.7); the rest would sort by chance.
        assert!(early.to_string().starts_with("01a20b52-a11f-7"), "{early}");
        assert!(early < late);
        assert_eq!(early.0.get_version_num(), 7);
        assert_ne!(early, EventId::new(Timestamp::from_millis(1_795_486_294_303)));
    }

    #[test]
    fn an_id_has_one_spelling() {
        let id = EventId::parse("0192A3B4-C5D6-7E8F-9A0B-1C2D3E4F5A6B").unwrap();
        assert_eq!(id.to_string(), "0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b");
        for odd in [
            "",
            "sword",
            "0192a3b4c5d67e8f9a0b1c2d3e4f5a6b",
            "{0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b}",
        ] {
            assert_eq!(EventId::parse(odd), Err(InvalidEventId), "{odd}");
        }
    }
}
