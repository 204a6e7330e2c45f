//! How a request says who sends it.

use serde_json::{Value, json};

/// The ways in which a key can be sent, each under the name by which operations refer to it.
pub(super) fn security_schemes() -> Value {
    json!({
        "bearer": { "type": "http", "scheme": "bearer" },
        "api_key": { "type": "apiKey", "in": "header", "name": "X-Api-Key" },
    })
}

/// What a request needs to be let in: one of the ways where there are keys, else nothing.
pub(super) fn security(keys: bool) -> Value {
    if keys { json!([{ "bearer": [] }, { "api_key": [] }]) } else { json!([]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_that_is_asked_for_is_described() {
        let asked = security(true);
        for way in asked.as_array().unwrap() {
            for name in way.as_object().unwrap().keys() {
                assert!(security_schemes().get(name).is_some(), "{name}");
            }
        }
        assert_eq!((asked.as_array().unwrap().len(), security(false)), (2, json!([])));
    }
}
