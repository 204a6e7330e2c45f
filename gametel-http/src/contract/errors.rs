//! The refusals of an operation, out of the list of error codes.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::error::{Concern, ERROR_CODES, ErrorCode};

/// The statuses with which a request can be refused, each with the codes that come with it, for an
/// operation that can meet errors of these concerns.
pub(super) fn refusals(concerns: &[Concern]) -> Map<String, Value> {
    let met = ERROR_CODES.iter().filter(|known| concerns.contains(&known.concern));
    responses(met.map(|known| (known.status.as_u16(), known)))
}

/// As [`refusals`], for `/v1/events`: where none of its events was accepted the answer can have the
/// code of the only one, whatever the status that this code has alone.
pub(super) fn batch_refusals(concerns: &[Concern], of_events: &[Concern]) -> Map<String, Value> {
    let met = |known: &&ErrorCode| concerns.contains(&known.concern);
    let whole = ERROR_CODES.iter().filter(met).map(|known| (known.status.as_u16(), known));
    let lasting =
        |known: &&ErrorCode| of_events.contains(&known.concern) && known.status.is_client_error();
    let single = ERROR_CODES.iter().filter(lasting).map(|known| (422, known));
    responses(whole.chain(single))
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

fn refusal(status: u16, codes: &[&ErrorCode]) -> Value {
    let lines: Vec<_> =
        codes.iter().map(|known| format!("- `{}`: {}", known.code, known.advice)).collect();
    let examples: Map<_, _> = codes
        .iter()
        .map(|known| {
            let error = json!({ "code": known.code, "message": known.advice });
            let example = json!({ "summary": known.advice, "value": { "error": error } });
            (known.code.to_owned(), example)
        })
        .collect();
    let mut response = json!({
        "description": lines.join("\n"),
        "content": {
            "application/json": {
                "schema": { "$ref": "#/components/schemas/Error" },
                "examples": examples,
            },
        },
    });
    if matches!(status, 429 | 503) {
        let header = json!({ "Retry-After": { "$ref": "#/components/headers/RetryAfter" } });
        response["headers"] = header;
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(responses: &Map<String, Value>, status: &str) -> Vec<String> {
        let examples = &responses[status]["content"]["application/json"]["examples"];
        examples.as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn each_status_has_the_codes_that_come_with_it() {
        let refusals = refusals(&[Concern::Field, Concern::Sink]);
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
        let refusals = batch_refusals(&[Concern::Json], &[Concern::Json, Concern::Sink]);
        assert!(codes(&refusals, "400").contains(&"invalid_json".to_owned()));
        let unprocessable = codes(&refusals, "422");
        for code in ["invalid_json", "too_large", "rejected"] {
            assert!(unprocessable.contains(&code.to_owned()), "{code}");
        }
        assert!(!unprocessable.contains(&"unavailable".to_owned()));
    }
}
