use std::fmt;
use std::sync::Arc;

use gametel_core::catalog::Catalog;

use crate::manifest::RunId;
use crate::source::{KafkaSettings, SourceConfig};
use crate::store::Location;

/// What is to be verified, and how thoroughly.
#[derive(Clone)]
#[non_exhaustive]
pub struct VerifyConfig {
    /// Where the datasets are.
    pub output: Location,
    /// The run as of which they are verified; none is the current one.
    pub run: Option<RunId>,
    /// Has every row read again, and its event decoded with this catalog.
    pub deep: Option<Arc<Catalog>>,
    /// Where the records are read again, in place of the sources that the manifests name.
    pub source: Option<SourceConfig>,
    /// Settings of Kafka's client, where the manifests' sources are read again.
    pub kafka: KafkaSettings,
}

impl VerifyConfig {
    /// Verifies the current datasets by checksums and footers.
    pub fn new(output: impl Into<Location>) -> Self {
        Self {
            output: output.into(),
            run: None,
            deep: None,
            source: None,
            kafka: KafkaSettings::new(),
        }
    }

    /// Verifies the datasets as they were after this run.
    #[must_use]
    pub fn with_run(self, run: RunId) -> Self {
        Self { run: Some(run), ..self }
    }

    /// Reads every row again, and while the source still has the records, these too.
    #[must_use]
    pub fn with_deep(self, catalog: impl Into<Arc<Catalog>>) -> Self {
        Self { deep: Some(catalog.into()), ..self }
    }

    /// Reads the records from here, in place of where the manifests say that they came from. Where
    /// to start and to end is theirs to say.
    #[must_use]
    pub fn with_source(self, source: impl Into<SourceConfig>) -> Self {
        Self { source: Some(source.into()), ..self }
    }

    /// Reads the sources that the manifests name with these settings. Those of
    /// [`with_source`](Self::with_source) are its own.
    #[must_use]
    pub fn with_kafka(self, kafka: KafkaSettings) -> Self {
        Self { kafka, ..self }
    }
}

impl fmt::Debug for VerifyConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyConfig")
            .field("output", &self.output)
            .field("run", &self.run)
            .field("deep", &self.deep.as_ref().map(|catalog| catalog.name()))
            .field("source", &self.source)
            .field("kafka", &self.kafka)
            .finish()
    }
}
