//! What a header rule keeps is on its list and no credential, and keeping it twice changes nothing.
//!
//! The input is text: a line with the kept names, a line with the secret ones, commas between, and
//! then the headers of a request, `name:value` on a line each.

#![no_main]

use gametel_core::enrich::enrich;
use gametel_core::event::Fields;
use gametel_core::header::HeaderRule;
use libfuzzer_sys::fuzz_target;

const CREDENTIALS: [&str; 6] =
    ["authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "x-auth-token"];

fuzz_target!(|bytes: &[u8]| {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let (kept, secret) = (names(lines.next()), names(lines.next()));
    let Ok(rule) = HeaderRule::new(&kept, &secret) else { return };
    let headers: Vec<_> = lines.filter_map(header).collect();
    let applied = rule.apply(headers.iter().copied());

    let listed: Vec<_> = rule.kept().collect();
    assert!(applied.headers.len() <= listed.len());
    for header in &applied.headers {
        let spelled = spelling(header.name());
        assert!(listed.contains(&header.name()));
        assert!(kept.iter().any(|name| name.eq_ignore_ascii_case(header.name())));
        assert!(!CREDENTIALS.contains(&spelled.as_str()), "{}", header.name());
        assert!(!secret.iter().any(|name| spelling(name) == spelled), "{}", header.name());
    }
    let pairs = applied.headers.iter().map(|header| (header.name(), header.value().as_bytes()));
    assert_eq!(rule.apply(pairs).headers, applied.headers);

    let mut fields = Fields::new();
    if let Some(first) = applied.headers.first() {
        fields.insert_str(first.name(), "own");
    }
    enrich(&mut fields, &applied.headers);
    assert_eq!(fields.iter().len(), applied.headers.len());
    assert!(fields.iter().next().is_none_or(|(_, value)| value == "\"own\""));
});

fn names(line: Option<&[u8]>) -> Vec<String> {
    let line = String::from_utf8_lossy(line.unwrap_or_default());
    line.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn header(line: &[u8]) -> Option<(&str, &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    Some((std::str::from_utf8(&line[..colon]).ok()?, &line[colon + 1..]))
}

fn spelling(name: &str) -> String {
    name.replace('_', "-").to_ascii_lowercase()
}
