//! The enrichment rule.

use crate::event::Fields;
use crate::header::EventHeader;

/// Adds the kept request headers to an event's fields, as strings, at the end.
///
/// An event's own field always wins over a header of the same name (names are case-sensitive).
/// Enriching twice changes nothing.
///
/// ```
/// use gametel_core::enrich::enrich;
/// use gametel_core::event::Fields;
/// use gametel_core::header::HeaderRule;
///
/// let mut fields = Fields::from_json(br#"{"Host": "own"}"#)?;
/// let kept = HeaderRule::default().apply([("host", &b"a.example"[..]), ("accept", b"*/*")]);
/// enrich(&mut fields, &kept.headers);
/// assert_eq!(fields.get("Host"), Some(r#""own""#));
/// assert_eq!(fields.get("Accept"), Some(r#""*/*""#));
/// # Ok::<(), gametel_core::event::Malformed>(())
/// ```
pub fn enrich(fields: &mut Fields, headers: &[EventHeader]) {
    for header in headers {
        fields.insert_str_if_absent(header.name(), header.value());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::header::HeaderRule;

    proptest! {
        #[test]
        fn enriching_twice_is_enriching_once(
            own in proptest::collection::vec(("(Host|Accept|host|guild)", any::<String>()), 0..4),
            sent in proptest::collection::vec(("(host|HOST|accept|user-agent|cookie)", any::<Vec<u8>>()), 0..6),
        ) {
            let mut fields = Fields::new();
            for (name, value) in &own {
                fields.insert_str(name, value);
            }
            let before = fields.clone();
            let kept = HeaderRule::default().apply(sent.iter().map(|(n, v)| (n.as_str(), v.as_slice())));
            enrich(&mut fields, &kept.headers);
            let once = fields.clone();
            enrich(&mut fields, &kept.headers);
            prop_assert_eq!(&fields, &once);
            for (name, value) in before.iter() {
                prop_assert_eq!(once.get(name), Some(value));
            }
            prop_assert!(once.get("Cookie").is_none());
        }
    }
}
