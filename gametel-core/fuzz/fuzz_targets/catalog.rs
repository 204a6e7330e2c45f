//! No text is a panic to a catalog, and one that can be is written as text that reads back as the same.

#![no_main]

use gametel_core::catalog::Catalog;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|text: &str| {
    let Ok(catalog) = Catalog::from_toml(text) else { return };
    let written = catalog.to_toml();
    match Catalog::from_toml(&written) {
        Ok(again) => assert_eq!(again, catalog, "{written}"),
        Err(error) => panic!("{error}\n{written}"),
    }
    for event in catalog.events() {
        let schema = catalog.json_schema(event.event_type().as_str()).expect("it is its own event");
        serde_json::from_str::<Value>(&schema).expect("a schema is JSON");
    }
    catalog.to_markdown();
});
