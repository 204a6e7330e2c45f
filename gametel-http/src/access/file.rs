use std::path::Path;

use serde::Deserialize;

use super::KeyError;
use crate::config::KeyEntry;

/// Reads the keys of a TOML file.
///
/// # Errors
///
/// It can't be read, is no list of keys, or has none: a file that is being written anew may be empty
/// for a moment, and nobody means to shut everyone out by it.
pub(super) fn read_key_file(path: &Path) -> Result<Vec<KeyEntry>, KeyError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| KeyError::Read { path: path.to_owned(), source })?;
    let entries = parse(&text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start).min(text.len());
        let line = text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        // Not the error's own text, which shows the line: it may have a key in it by mistake.
        KeyError::Syntax { path: path.to_owned(), line, message: error.message().to_owned() }
    })?;
    if entries.is_empty() {
        Err(KeyError::Empty { file: Some(path.to_owned()) })
    } else {
        Ok(entries)
    }
}

fn parse(text: &str) -> Result<Vec<KeyEntry>, toml::de::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct KeyFile {
        #[serde(default)]
        key: Vec<KeyEntry>,
    }

    Ok(toml::from_str::<KeyFile>(text)?.key)
}

#[cfg(test)]
mod tests {
    use gametel_core::event::Timestamp;

    use super::*;
    use crate::access::KeyHash;

    #[test]
    fn an_entry_says_all_there_is_to_a_key() {
        let hash = KeyHash::of("k");
        let text = format!(
            "[[key]]\nname = \"arena\"\nhash = \"{hash}\"\n[[key]]\nname = \"web\"\n\
             hash = \"{hash}\"\nevent_types = [\"join_guild\"]\nrequests_per_second = 5\n\
             burst = 9\nexpires = 2027-01-01T00:00:00+01:00\n"
        );
        let at = Timestamp::from_rfc3339("2026-12-31T23:00:00Z").unwrap();
        let web = KeyEntry::new("web", hash)
            .with_event_types(["join_guild"])
            .with_requests_per_second(5.try_into().unwrap())
            .with_burst(9.try_into().unwrap())
            .with_expires(at);
        assert_eq!(parse(&text).unwrap(), [KeyEntry::new("arena", hash), web.clone()]);
        let quoted = text.replace("2027-01-01T00:00:00+01:00", "\"2026-12-31T23:00:00Z\"");
        assert_eq!(parse(&quoted).unwrap()[1], web);
    }

    #[test]
    fn a_broken_file_is_named_with_its_line_and_shows_no_key() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys.toml");
        for (text, says) in [
            ("[[key]]\nname = \"a\"\nhash = \"hunter2\"\n", ":3: the hash of a key is sha256:"),
            ("[[key]]\nname = \"a\"\nkey = \"hunter2\"\n", ":3: unknown field `key`"),
            ("[[key]]\nname = \"a\"\n", ":1: missing field `hash`"),
            ("hunter2 =\n", ":1: "),
            ("", "there is no key in "),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = read_key_file(&path).unwrap_err().to_string();
            assert!(error.contains(says) && error.contains("keys.toml"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        let text = format!(
            "[[key]]\nname = \"a\"\nhash = \"{}\"\nexpires = 2027-01-01\n",
            KeyHash::of("k")
        );
        std::fs::write(&path, text).unwrap();
        let error = read_key_file(&path).unwrap_err().to_string();
        assert!(error.contains(":4: ") && error.contains("is no time with a zone"), "{error}");
        let error = read_key_file(&directory.path().join("none")).unwrap_err();
        assert!(matches!(error, KeyError::Read { .. }), "{error}");
    }
}
