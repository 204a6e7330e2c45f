//! The command `catalog`.

use gametel_core::catalog::Catalog;

use crate::support::{batch, text};

#[test]
fn a_catalog_is_printed_in_each_form() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("arena.toml");
    let toml = batch(&["catalog", "--format", "toml"]).done();
    assert_eq!(Catalog::from_toml(&toml).unwrap(), Catalog::game());

    let toml = toml.replace("name = \"game\"", "name = \"arena\"");
    std::fs::write(&file, toml).unwrap();
    let plan = batch(&["catalog", "--catalog", text(&file)]).done();
    assert!(plan.starts_with("# Tracking plan: arena\n"), "{plan}");

    let schema = batch(&["catalog", "--format", "json-schema", "--event", "join_guild"]).done();
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    assert_eq!(schema["properties"]["event_type"]["const"], "join_guild", "{schema}");
}

#[test]
fn what_is_no_catalog_or_no_event_of_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("arena.toml");
    std::fs::write(&file, "name = \"arena\"\n[[event]]\ntype = \"a\"\ncolour = 1\n").unwrap();
    let said = batch(&["catalog", "--catalog", text(&file)]);
    assert_eq!((said.code, said.stdout.as_str()), (Some(2), ""));
    assert!(
        said.stderr.contains("arena.toml:4: event[0].colour: unknown field `colour`"),
        "{}",
        said.stderr
    );

    let said = batch(&["catalog", "--format", "json-schema", "--event", "duel"]);
    assert_eq!(said.code, Some(2));
    assert!(said.stderr.contains("no event \"duel\" (there is: default, purc"), "{}", said.stderr);
    let said = batch(&["catalog", "--format", "json-schema"]);
    assert_eq!(said.code, Some(2), "the event must be named");
}
