use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// The name of a kind of event, such as `purchase_sword`; cheap to clone.
///
/// An `EventType` that was read back from a source may be any string at all: what is on the topic
/// is on the topic. [`EventType::checked`] holds the rule for names that we let in.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventType(Arc<str>);

impl EventType {
    /// The longest name that is let in, in bytes.
    pub const MAX_BYTES: usize = 200;

    /// Takes a name as it is, unchecked.
    pub fn new(name: &str) -> Self {
        Self(Arc::from(name))
    }

    /// Takes a name that a catalog or a client gives.
    ///
    /// # Errors
    ///
    /// A name that is empty, longer than [`MAX_BYTES`](Self::MAX_BYTES), or has a control
    /// character in it.
    pub fn checked(name: &str) -> Result<Self, InvalidEventType> {
        if name.is_empty() || name.len() > Self::MAX_BYTES || name.contains(char::is_control) {
            return Err(InvalidEventType);
        }
        Ok(Self::new(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for EventType {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// The name can't be an event type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event_type must have 1 to {} bytes and no control characters", EventType::MAX_BYTES)]
pub struct InvalidEventType;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_are_not_let_in() {
        assert!(EventType::checked("purchase_sword").is_ok());
        assert!(EventType::checked("compra de espada ⚔").is_ok());
        assert!(EventType::checked(&"é".repeat(100)).is_ok());
        for odd in ["", "a\nb", "\u{7f}", &"x".repeat(201), &"é".repeat(101)] {
            assert_eq!(EventType::checked(odd), Err(InvalidEventType), "{odd:?}");
        }
    }
}
