//! JSON as text: every grammatical spelling of it, and not what a library makes of its values.

use proptest::prelude::*;

/// A JSON value, however deep, however it is spaced.
pub(crate) fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|flag| flag.to_string()),
        number(),
        string(),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        let members = prop::collection::vec((string(), space(), inner.clone(), space()), 0..6);
        let elements = prop::collection::vec((space(), inner, space()), 0..6);
        prop_oneof![
            members.prop_map(|members| {
                let members = members.into_iter().map(|(name, before, value, after)| {
                    format!("{before}{name}{after}:{before}{value}{after}")
                });
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }),
            elements.prop_map(|elements| {
                let elements = elements
                    .into_iter()
                    .map(|(before, value, after)| format!("{before}{value}{after}"));
                format!("[{}]", elements.collect::<Vec<_>>().join(","))
            }),
        ]
    })
}

/// A number, also one that no double and no integer holds.
pub(crate) fn number() -> impl Strategy<Value = String> {
    "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,40})?([eE][+-]?[0-9]{1,4})?"
}

/// A string, some of its letters as escapes, lone surrogates among them.
fn string() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<String>().prop_map(|text| {
            let quoted = serde_json::to_string(&text).unwrap();
            quoted[1..quoted.len() - 1].to_owned()
        }),
        "\\\\u[0-9a-fA-F]{4}",
        "\\\\[\"\\\\/bfnrt]",
    ];
    prop::collection::vec(piece, 0..4).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

/// What may stand between two tokens.
fn space() -> impl Strategy<Value = String> {
    "[ \t\r\n]{0,3}"
}
