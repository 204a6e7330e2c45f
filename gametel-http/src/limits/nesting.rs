//! How deep a JSON text nests. Nothing is parsed, and nothing here needs the stack.

/// Whether `json` has more than `depth` objects and arrays within each other.
///
/// Of a text that is no JSON it says what it may: that it is none is for the parser to find out.
pub(crate) fn is_deeper(json: &[u8], depth: usize) -> bool {
    let (mut open, mut quoted, mut escaped) = (0_usize, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => {
                open += 1;
                if open > depth {
                    return true;
                }
            }
            b'}' | b']' if !quoted => open = open.saturating_sub(1),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_what_is_open_at_once() {
        for (json, depth) in [
            ("7", 0),
            ("{}", 1),
            (r#"{"a":[],"b":{}}"#, 2),
            (r#"[[],[[]],{"a":[[]]}]"#, 4),
            (r#"{"[[[":"{{{\"[[["}"#, 1),
            (r#"{"a\\":[]}"#, 2),
            ("]]]]{[", 2),
        ] {
            assert!(!is_deeper(json.as_bytes(), depth), "{json}");
            assert!(depth == 0 || is_deeper(json.as_bytes(), depth - 1), "{json}");
        }
    }
}
