/// A configuration file that explains every key: as comments, with their defaults.
pub(crate) const SAMPLE: &str = include_str!("../../../../sample-config.toml");

#[cfg(test)]
#[cfg(all(feature = "log", feature = "tls"))]
mod tests {
    use serde_json::Value;

    use super::SAMPLE;
    use crate::settings::configuration::Configuration;
    use crate::settings::fault;

    /// The sample with every key in it set.
    fn uncommented() -> String {
        let setting = |line: &str| match line.strip_prefix('#') {
            Some(rest) if rest.starts_with(|first: char| first == '[' || first.is_alphabetic()) => {
                rest.to_owned()
            }
            _ => line.to_owned(),
        };
        SAMPLE.lines().map(|line| setting(line) + "\n").collect()
    }

    fn read(text: &str) -> Configuration {
        fault::read(text.parse().unwrap()).unwrap_or_else(|fault| panic!("{fault}\n{text}"))
    }

    /// Every key of the configuration, with its value; null if it is not set.
    fn leaves(value: &Value, key: &str, found: &mut Vec<(String, Value)>) {
        match value {
            Value::Object(table) => {
                for (name, value) in table {
                    leaves(value, &format!("{key}/{name}"), found);
                }
            }
            Value::Array(tables) if tables.iter().any(Value::is_object) => {
                for (index, table) in tables.iter().enumerate() {
                    leaves(table, &format!("{key}/{index}"), found);
                }
            }
            value => found.push((key.to_owned(), value.clone())),
        }
    }

    fn keys(configuration: &Configuration) -> Vec<(String, Value)> {
        let mut found = Vec::new();
        leaves(&serde_json::to_value(configuration).unwrap(), "", &mut found);
        found
    }

    #[test]
    fn the_sample_sets_nothing() {
        assert_eq!(read(SAMPLE), Configuration::default());
    }

    #[test]
    fn the_sample_has_every_key() {
        let table: toml::Table = uncommented().parse().unwrap();
        let written = serde_json::to_value(table).unwrap();
        for (key, _) in keys(&read(&uncommented())) {
            assert!(written.pointer(&key).is_some(), "the sample lacks {key}");
        }
    }

    #[test]
    fn the_sample_shows_the_defaults() {
        let sample = serde_json::to_value(read(&uncommented())).unwrap();
        for (key, default) in keys(&Configuration::default()) {
            // Of what is not set there is an example, as of lists.
            if !default.is_null() && default != Value::Array(Vec::new()) {
                assert_eq!(sample.pointer(&key), Some(&default), "{key}");
            }
        }
    }
}
