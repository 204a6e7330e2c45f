use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use crate::error::BatchError;

/// Settings of Kafka's client, by the names that librdkafka has for them: `security.protocol`,
/// `sasl.username`, `ssl.ca.location` and so on.
///
/// No value is ever shown: `Debug` prints the names alone, and so do errors. What a source depends on
/// can't be set: see [`with`](Self::with).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct KafkaSettings(BTreeMap<String, String>);

/// What can't be set, and why.
const FIXED: [(&str, &str); 19] = [
    ("bootstrap.servers", IN_THE_URL),
    ("metadata.broker.list", IN_THE_URL),
    ("group.id", NO_GROUP),
    ("group.instance.id", NO_GROUP),
    ("group.protocol", NO_GROUP),
    ("enable.auto.commit", NO_COMMIT),
    ("auto.commit.enable", NO_COMMIT),
    ("enable.auto.offset.store", NO_COMMIT),
    ("enable.partition.eof", "without it, a partition that ends in a marker would never end"),
    ("auto.offset.reset", "records that are removed while they are read must not be skipped"),
    ("isolation.level", "records of aborted transactions are never read"),
    ("allow.auto.create.topics", "reading makes no topic"),
    ("queued.min.messages", MEMORY),
    ("queued.max.messages.kbytes", MEMORY),
    ("fetch.message.max.bytes", MEMORY),
    ("max.partition.fetch.bytes", MEMORY),
    ("fetch.max.bytes", MEMORY),
    ("plugin.library.paths", "it would load other code into the process"),
    ("sasl.jaas.config", "it is Java's: set sasl.mechanism, sasl.username and sasl.password"),
];

const IN_THE_URL: &str = "the source's URL names the brokers";
const NO_GROUP: &str = "partitions are read by their offsets, and no group is joined";
const NO_COMMIT: &str = "nothing is ever committed: a run's manifest says what was read";
const MEMORY: &str = "the memory of a run is bounded by it";

/// Mechanisms and protocols that need OpenSSL.
const NEEDS_TLS: [&str; 7] = [
    "ssl",
    "sasl_ssl",
    "oauthbearer",
    "scram-sha-1",
    "scram-sha-224",
    "scram-sha-256",
    "scram-sha-512",
];

impl KafkaSettings {
    /// Nothing but what the source sets itself.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets one. A later value replaces an earlier one of the same name.
    ///
    /// # Errors
    ///
    /// The source depends on the setting, and has it fixed; or it asks for what this build does not
    /// have: TLS, SCRAM and OAUTHBEARER need the feature `kafka-tls`. Whether Kafka's client knows
    /// the setting turns out when the source is opened.
    pub fn with(
        mut self,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> Result<Self, BatchError> {
        let (name, value) = (name.into(), value.into());
        if let Some((_, why)) = FIXED.iter().find(|(fixed, _)| *fixed == name) {
            let message = format!("the Kafka setting {name} can't be changed: {why}");
            return Err(BatchError::config(message));
        }
        let plain = value.to_ascii_lowercase();
        match name.as_str() {
            "security.protocol" | "sasl.mechanism" | "sasl.mechanisms" if plain == "gssapi" => {
                let message = "Kerberos (GSSAPI) is in no build of gametel-batch";
                return Err(BatchError::config(message));
            }
            "security.protocol" | "sasl.mechanism" | "sasl.mechanisms"
                if !cfg!(feature = "kafka-tls") && NEEDS_TLS.contains(&plain.as_str()) =>
            {
                let message = format!(
                    "{value} is not in this build; build gametel-batch with the feature kafka-tls"
                );
                return Err(BatchError::config(message));
            }
            _ => {}
        }
        self.0.insert(name, value);
        Ok(self)
    }

    /// Adds one that is written as `NAME=VALUE`.
    ///
    /// # Errors
    ///
    /// There is no `=` in it, or those of [`with`](Self::with).
    pub fn with_text(self, setting: &str) -> Result<Self, BatchError> {
        match setting.split_once('=') {
            Some((name, value)) if !name.trim().is_empty() => self.with(name.trim(), value.trim()),
            // Without its name nobody knows whether it is a password.
            _ => Err(BatchError::config("a Kafka setting is not of the form NAME=VALUE")),
        }
    }

    /// Adds those of a file, one a line as `NAME=VALUE`. Lines that are empty or start with `#` or
    /// `!` say nothing. A value is all that follows the `=`, less the spaces around it: there are no
    /// escapes, and no value of several lines.
    ///
    /// # Errors
    ///
    /// The file can't be read, or a line of it is wrong, by its number.
    pub fn with_file(mut self, path: &Path) -> Result<Self, BatchError> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            let message = format!("the Kafka settings {} can't be read", path.display());
            BatchError::config(message).with_source(error)
        })?;
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', '!']) {
                continue;
            }
            self = self.with_text(line).map_err(|error| {
                let message = format!("{}:{}: {error}", path.display(), index + 1);
                BatchError::config(message)
            })?;
        }
        Ok(self)
    }

    /// The names of what is set.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    #[cfg(feature = "kafka")]
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl fmt::Debug for KafkaSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_file_has_one_setting_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("client.properties");
        let text =
            "# who we are\r\nsecurity.protocol = SASL_PLAINTEXT\r\n\n!x\nsasl.password=a=b # c\n";
        std::fs::write(&path, text).unwrap();
        let settings = KafkaSettings::new().with_file(&path).unwrap();
        let expected = KafkaSettings::new()
            .with("security.protocol", "SASL_PLAINTEXT")
            .and_then(|settings| settings.with("sasl.password", "a=b # c"));
        // No assert_eq, which would show less than it compares.
        assert!(settings == expected.unwrap());

        std::fs::write(&path, "a=b\nhunter2\n").unwrap();
        let error = KafkaSettings::new().with_file(&path).unwrap_err();
        let words = "client.properties:2: a Kafka setting is not of the form NAME=VALUE";
        assert!(error.to_string().ends_with(words), "{error}");
        let error = KafkaSettings::new().with_file(&folder.path().join("none")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    }

    #[test]
    fn no_value_is_shown() {
        let settings = KafkaSettings::new().with_text("sasl.password=hunter2").unwrap();
        assert_eq!(format!("{settings:?}"), r#"{"sasl.password"}"#);
        let config = crate::source::SourceConfig::new(gametel_core::endpoint::Endpoint::Stdin);
        assert!(!format!("{:?}", config.with_kafka(settings)).contains("hunter2"));
        for odd in ["hunter2", "=hunter2"] {
            let error = KafkaSettings::new().with_text(odd).unwrap_err();
            assert!(!error.one_line().contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn what_a_source_depends_on_is_refused_with_the_reason() {
        for (setting, why) in [
            ("enable.auto.commit=true", "nothing is ever committed"),
            ("isolation.level=read_uncommitted", "aborted transactions"),
            ("group.id=x", "no group is joined"),
            ("enable.partition.eof=false", "would never end"),
            ("bootstrap.servers=a:1", "the source's URL"),
            ("sasl.mechanism=GSSAPI", "Kerberos"),
        ] {
            let error = KafkaSettings::new().with_text(setting).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().contains(why), "{error}");
        }
    }

    #[cfg(not(feature = "kafka-tls"))]
    #[test]
    fn what_needs_tls_names_the_feature() {
        for setting in
            ["security.protocol=SASL_SSL", "security.protocol=ssl", "sasl.mechanisms=SCRAM-SHA-512"]
        {
            let error = KafkaSettings::new().with_text(setting).unwrap_err();
            assert!(error.to_string().contains("feature kafka-tls"), "{error}");
        }
    }
}
