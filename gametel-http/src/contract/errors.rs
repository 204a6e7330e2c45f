//! The refusals of an operation, out of the list of error codes.

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::error::{Concern, ERROR_CODES, ErrorCode};

use super::terms::Terms;

/// What every request can meet that stores events.
pub(super) const STORING: [Concern; 5] =
    [Concern::Any, Concern::Key, Concern::Permission, Concern::Load, Concern::Sink];

/// The statuses with which a request can be refused, each with the codes that come with it, for an
/// operation that can meet errors of these concerns under these terms.
pub(super) fn refusals(terms: Terms, concerns: &[Concern]) -> Map<String, Value> {
    responses(met(terms, concerns).map(|known| (known.status.as_u16(), known)))
}

/// As [`refusals`], for `/v1/events`: where none of its events was accepted the answer can have the
/// code of the only one, whatever the status that this code has elsewhere, but for one that is too
/// large.
pub(super) fn batch_refusals(
    terms: Terms,
    concerns: &[Concern],
    of_events: &[Concern],
) -> Map<String, Value> {
    let whole = met(terms, concerns).map(|known| (known.status.as_u16(), known));
    let lasting = |known: &&ErrorCode| {
        known.status.is_client_error() && known.status != StatusCode::PAYLOAD_TOO_LARGE
    };
    let single = met(terms, of_events).filter(lasting).map(|known| (422, known));
    responses(whole.chain(single))
}

fn met(terms: Terms, concerns: &[Concern]) -> impl Iterator<Item = &'static ErrorCode> {
    let met = move |concern: &Concern| concerns.contains(concern) && terms.can_meet(*concern);
    ERROR_CODES.iter().filter(move |known| met(&known.concern))
}

fn responses<'a>(met: impl Iterator<Item = (u16, &'a ErrorCode)>) -> Map<String, Value> {
    let mut by_status: BTreeMap<u16, Vec<&ErrorCode>> = BTreeMap::new();
    for (status, known) in met {
        let codes = by_status.entry(status).or_default();
        if codes.iter().all(|other| other.code != known.code) {
            codes.push(known);
        }
    }
    let response = |(status, codes): (u16, Vec<_>)| (status.to_string(), refusal(status, &codes));
    by_status.into_iter().map(response).collect()
}

/// The codes of one concern, a line each.
pub(super) fn lines(concern: Concern) -> String {
    let codes: Vec<_> = ERROR_CODES.iter().filter(|known| known.concern == concern).collect();
    listed(&codes)
}

fn listed(codes: &[&ErrorCode]) -> String {
    let line = |known: &&ErrorCode| format!("- `{}`: {}", known.code, known.advice);
    codes.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn refusal(status: u16, codes: &[&ErrorCode]) -> Value {
    let examples: Map<_, _> = codes
        .iter()
        .map(|known| {
            let error = json!({ "code": known.code, "message": known.advice });
            let example = json!({ "summary": known.advice, "value": { "error": error } });
            (known.code.to_owned(), example)
        })
        .collect();
    let mut response = json!({
        "description": listed(codes),
        "content": {
            "application/json": {
                "schema": { "$ref": "#/components/schemas/Error" },
                "examples": examples,
            },
        },
    });
    let header = match status {
        401 => Some(("WWW-Authenticate", "Challenge")),
        415 => Some(("Accept-Encoding", "AcceptEncoding")),
        429 | 503 => Some(("Retry-After", "RetryAfter")),
        _ => None,
    };
    if let Some((name, component)) = header {
        let reference = format!("#/components/headers/{component}");
        response["headers"] = json!({ name: { "$ref": reference } });
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: Terms = Terms { keys: false, quarantine: false };

    fn codes(responses: &Map<String, Value>, status: &str) -> Vec<String> {
        let examples = &responses[status]["content"]["application/json"]["examples"];
        examples.as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn each_status_has_the_codes_that_come_with_it() {
        let refusals = refusals(TERMS, &[Concern::Field, Concern::Sink]);
        let statuses: Vec<_> = refusals.keys().collect();
        assert_eq!(statuses, ["413", "422", "500", "503"]);
        let unprocessable = [
            "invalid_field",
            "missing_field",
            "not_allowed",
            "out_of_range",
            "rejected",
            "too_long",
        ];
        assert_eq!(codes(&refusals, "422"), unprocessable);
        assert!(refusals["503"]["headers"].get("Retry-After").is_some());
        assert_eq!(refusals["422"].get("headers"), None);
    }

    #[test]
    fn the_only_event_of_a_batch_lends_it_its_code() {
        let refusals = batch_refusals(TERMS, &[Concern::Json], &[Concern::Json, Concern::Sink]);
        assert!(codes(&refusals, "400").contains(&"invalid_json".to_owned()));
        let unprocessable = codes(&refusals, "422");
        for code in ["invalid_json", "rejected"] {
            assert!(unprocessable.contains(&code.to_owned()), "{code}");
        }
        for code in ["unavailable", "too_large"] {
            assert!(!unprocessable.contains(&code.to_owned()), "{code}");
        }
    }

    #[test]
    fn what_the_terms_rule_out_is_not_there() {
        let concerns = [Concern::Key, Concern::Permission, Concern::Field];
        let statuses = |keys, quarantine| {
            let terms = Terms { keys, quarantine };
            refusals(terms, &concerns).keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(statuses(true, false), ["400", "401", "403", "422"]);
        assert_eq!(statuses(true, true), ["400", "401", "403"]);
        assert_eq!(statuses(false, true), [""; 0]);
    }
}
