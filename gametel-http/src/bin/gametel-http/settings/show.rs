//! The configuration that holds, for people and for machines.

use std::fmt::Write;

use anyhow::Context;
use serde_json::{Value, json};

use super::layer::{Key, key};
use super::resolve::Settings;

impl Settings {
    /// The configuration as a file that could be loaded, with a note at each value that is not the
    /// default, and at each table of the keys that are not set.
    pub(crate) fn to_toml(&self) -> anyhow::Result<String> {
        let text = toml::to_string(&self.configuration)
            .context("the configuration can't be written as TOML")?;
        let noted = self.with_notes(&text, &self.to_value()?);
        // Not every value is on one line of its own; then the notes would be in the values.
        let same = noted.parse::<toml::Table>().ok() == text.parse::<toml::Table>().ok();
        Ok(if same { noted } else { text })
    }

    /// The configuration and, of each value that is not the default, where it came from.
    pub(crate) fn to_json(&self) -> anyhow::Result<Value> {
        let configuration = self.to_value()?;
        let origins: serde_json::Map<_, _> = self
            .layer
            .origins()
            .map(|(key, origin)| (key.join("."), origin.to_string().into()))
            .collect();
        Ok(json!({ "configuration": configuration, "origins": origins }))
    }

    fn to_value(&self) -> anyhow::Result<Value> {
        serde_json::to_value(&self.configuration)
            .context("the configuration can't be written as JSON")
    }

    fn with_notes(&self, text: &str, configuration: &Value) -> String {
        let mut noted = String::new();
        let mut table = Key::new();
        for line in text.lines() {
            noted.push_str(line);
            if let Some(name) = line.strip_prefix("[[").and_then(|line| line.strip_suffix("]]")) {
                // An array of tables is one value, with one origin.
                table = key(name);
                if let Some(origin) = self.layer.origin(&table) {
                    let _ = write!(noted, "  # {origin}");
                }
            } else if let Some(name) =
                line.strip_prefix('[').and_then(|line| line.strip_suffix(']'))
            {
                table = key(name);
                for name in unset(configuration, &table) {
                    noted.push_str("\n# not set: ");
                    noted.push_str(name);
                }
            } else if let Some((name, _)) = line.split_once(" = ") {
                let key = [table.as_slice(), &[name.to_owned()]].concat();
                if key == ["key", "hash"] {
                    noted.push_str("  # shortened: to load this file, put the whole hash in");
                }
                if let Some(origin) = self.layer.origin(&key) {
                    // Writing to a string does not fail.
                    let _ = write!(noted, "  # {origin}");
                }
            }
            noted.push('\n');
        }
        noted
    }
}

/// The keys of the table that have no value and no default.
fn unset<'a>(configuration: &'a Value, table: &[String]) -> impl Iterator<Item = &'a str> {
    let table = configuration.pointer(&format!("/{}", table.join("/")));
    let keys = table.and_then(Value::as_object).into_iter().flatten();
    keys.filter(|(_, value)| value.is_null()).map(|(name, _)| name.as_str())
}
