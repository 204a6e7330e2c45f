//! From the layers to one configuration.

use std::path::{Path, PathBuf};

use gametel_http::KeyEntry;

use super::configuration::Configuration;
#[cfg(feature = "log")]
use super::layer::value_at;
use super::layer::{Layer, Origin, key};
use super::options::Overrides;
use super::problems::Problems;
use super::section::{LogFormat, entries};
use super::{fault, file};

/// The configuration that holds: every key with its value, and every path absolute.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(super) configuration: Configuration,
    /// What was set, and by whom. What is not in it has its default.
    pub(super) layer: Layer,
}

impl Settings {
    /// Reads the file, and lays the environment and the command line over it.
    ///
    /// # Errors
    ///
    /// All that can't be read, in the file and elsewhere.
    pub(crate) fn load(overrides: Overrides) -> Result<Self, Problems> {
        let here = std::env::current_dir().map_err(|error| {
            Problems::one("the current folder", format_args!("it is not known: {error}"))
        })?;
        let checked = overrides.check();
        let Overrides { file, environment, command_line } = overrides;
        let in_file = file.as_deref().map_or_else(|| Ok(Layer::default()), file::read);
        let in_file = match (in_file, checked) {
            (Ok(layer), Ok(())) => layer,
            (in_file, checked) => {
                return Err(in_file.err().into_iter().chain(checked.err()).collect());
            }
        };
        let layer = in_file.under(environment).under(command_line);
        let mut configuration = fault::read(layer.to_table())
            .map_err(|fault| Problems::one("the configuration", fault))?;
        let beside_file = match file.as_deref().and_then(Path::parent) {
            Some(folder) => here.join(folder),
            None => here.clone(),
        };
        configuration.anchor(&Folders { layer: &layer, here, beside_file });
        Ok(Self { configuration, layer })
    }

    /// The keys that stand in the configuration itself.
    pub(crate) fn keys(&self) -> Vec<KeyEntry> {
        entries(&self.configuration.key)
    }

    pub(crate) fn log_format(&self) -> LogFormat {
        self.configuration.log.format()
    }

    /// The keys in the table that an option or a variable set, and those that the file gave another
    /// value than the default.
    #[cfg(feature = "log")]
    pub(super) fn changed_in(&self, table: &str) -> Vec<String> {
        let [ours, default] = [&self.configuration, &Configuration::default()]
            .map(|configuration| toml::Table::try_from(configuration).unwrap_or_default());
        let set = self.layer.origins().filter(|(key, origin)| {
            key.first().is_some_and(|first| first == table)
                && (!matches!(origin, Origin::File { .. })
                    || value_at(&ours, key) != value_at(&default, key))
        });
        set.map(|(key, _)| key.join(".")).collect()
    }

    /// Where the key's value came from, as the beginning of a message about it.
    pub(super) fn place(&self, dotted: &str) -> String {
        match self.layer.origin(&key(dotted)) {
            None => dotted.to_owned(),
            Some(origin @ Origin::File { .. }) => format!("{origin}: {dotted}"),
            Some(origin) => origin.to_string(),
        }
    }
}

/// Where relative paths start.
pub(super) struct Folders<'a> {
    layer: &'a Layer,
    here: PathBuf,
    beside_file: PathBuf,
}

impl Folders<'_> {
    /// For a path of the file, and for a default, which could be written into it: the file's own
    /// folder. For one of the command line or the environment: the current folder.
    pub(super) fn of(&self, dotted: &str) -> &Path {
        match self.layer.origin(&key(dotted)) {
            Some(Origin::CommandLine(_) | Origin::Environment(_)) => &self.here,
            Some(Origin::File { .. }) | None => &self.beside_file,
        }
    }
}
