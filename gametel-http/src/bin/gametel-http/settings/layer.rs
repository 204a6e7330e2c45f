use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// The names that lead to a value, from the outermost table on.
pub(super) type Key = Vec<String>;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// An option, such as `--listen`.
    CommandLine(String),
    /// A variable, such as `GAMETEL_LISTEN`.
    Environment(String),
    File {
        path: Arc<Path>,
        line: usize,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommandLine(name) | Self::Environment(name) => f.write_str(name),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
        }
    }
}

/// The values that one source gives, or several together. An array is one value.
#[derive(Clone, Debug, Default)]
pub(super) struct Layer(BTreeMap<Key, (toml::Value, Origin)>);

impl Layer {
    pub(super) fn insert(&mut self, key: Key, value: toml::Value, origin: Origin) {
        self.0.insert(key, (value, origin));
    }

    /// This layer, with `upper` laid on it: its values win.
    pub(super) fn under(mut self, upper: Self) -> Self {
        self.0.extend(upper.0);
        self
    }

    pub(super) fn origin(&self, key: &[String]) -> Option<&Origin> {
        self.0.get(key).map(|(_, origin)| origin)
    }

    pub(super) fn origins(&self) -> impl Iterator<Item = (&Key, &Origin)> {
        self.0.iter().map(|(key, (_, origin))| (key, origin))
    }

    /// The values as the tables that they are of.
    pub(super) fn to_table(&self) -> toml::Table {
        let mut root = toml::Table::new();
        for (key, (value, _)) in &self.0 {
            let Some((name, tables)) = key.split_last() else { continue };
            let mut table = &mut root;
            for name in tables {
                let entry = table.entry(name).or_insert_with(|| toml::Table::new().into());
                if !entry.is_table() {
                    *entry = toml::Table::new().into();
                }
                match entry {
                    toml::Value::Table(inner) => table = inner,
                    _ => unreachable!("it was made a table"),
                }
            }
            table.insert(name.clone(), value.clone());
        }
        root
    }
}

/// The key that is written `a.b.c`.
pub(super) fn key(dotted: &str) -> Key {
    dotted.split('.').map(str::to_owned).collect()
}

/// What the tables have at the key.
pub(super) fn value_at<'a>(table: &'a toml::Table, key: &[String]) -> Option<&'a toml::Value> {
    let (first, rest) = key.split_first()?;
    let value = table.get(first)?;
    if rest.is_empty() { Some(value) } else { value_at(value.as_table()?, rest) }
}
