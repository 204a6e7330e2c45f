//! A body of gametel-http's `/v1/events`, taken apart, loses nothing. The first byte says whether the
//! sender means lines.

#![no_main]

use libfuzzer_sys::fuzz_target;

// Private to gametel-http, whose public way to it is a server.
#[path = "../../../gametel-http/src/intake/events.rs"]
mod events;

use events::{SplitError, split};

fuzz_target!(|input: &[u8]| {
    let Some((first, body)) = input.split_first() else { return };
    let lines = first & 1 == 1;
    let whole = split(body, lines, usize::MAX - 1);
    let parts = match &whole {
        Ok(parts) => parts,
        Err(error) => {
            assert!(!lines, "lines are always taken apart");
            return assert!(matches!(error, SplitError::Malformed(_)));
        }
    };
    if !body.trim_ascii().starts_with(b"[") {
        assert_eq!(visible(parts), visible(&[body]));
    }
    // Under a limit it is the same, or refused: also where more objects than that stand in front of
    // what makes the body no sequence of them, and fewer lines.
    match split(body, lines, parts.len()) {
        Ok(same) => assert_eq!(&same, parts),
        Err(error) => assert_eq!(error, SplitError::TooMany),
    }
    if let Some(fewer) = parts.len().checked_sub(1) {
        assert_eq!(split(body, lines, fewer), Err(SplitError::TooMany));
    }
});

fn visible(parts: &[&[u8]]) -> Vec<u8> {
    let bytes = parts.iter().flat_map(|part| part.iter().copied());
    bytes.filter(|byte| !byte.is_ascii_whitespace()).collect()
}
