//! What does not fit the configuration's types.

use std::fmt;

use serde_path_to_error::Segment;

use super::configuration::Configuration;
use super::layer::Key;

/// A value that does not fit, or a key that there is none of.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) path: Vec<Step>,
    pub(super) message: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

impl Fault {
    /// The path as far as it leads through tables.
    pub(super) fn key(&self) -> Key {
        let name = |step: &Step| match step {
            Step::Key(name) => Some(name.clone()),
            Step::Index(_) => None,
        };
        self.path.iter().map_while(name).collect()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.path.iter().enumerate() {
            match step {
                Step::Key(name) if place == 0 => f.write_str(name)?,
                Step::Key(name) => write!(f, ".{name}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        let colon = if self.path.is_empty() { "" } else { ": " };
        write!(f, "{colon}{}", self.message)
    }
}

/// Reads what is in the tables, and gives the rest its defaults.
pub(super) fn read(table: toml::Table) -> Result<Configuration, Fault> {
    serde_path_to_error::deserialize(toml::Value::Table(table)).map_err(|error| {
        let step = |segment: &Segment| match segment {
            Segment::Map { key } => Some(Step::Key(key.clone())),
            Segment::Seq { index } => Some(Step::Index(*index)),
            Segment::Enum { .. } | Segment::Unknown => None,
        };
        let path = error.path().iter().filter_map(step).collect();
        Fault { path, message: error.inner().message().to_owned() }
    })
}

/// All that does not fit. serde stops at the first fault, so each is taken out for the next to be
/// found. That a table lacks what was taken out of it is no fault.
pub(super) fn faults_of(mut table: toml::Table) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut removed: Vec<Key> = Vec::new();
    while let Err(fault) = read(table.clone()) {
        let key = fault.key();
        let found = remove(&mut table, &key);
        let of_ours =
            removed.iter().any(|other| other.len() > key.len() && other.starts_with(&key));
        if !of_ours {
            faults.push(fault);
        }
        if !found {
            break;
        }
        removed.push(key);
    }
    faults
}

fn remove(table: &mut toml::Table, key: &[String]) -> bool {
    match key {
        [] => false,
        [name] => table.remove(name).is_some(),
        [name, rest @ ..] => match table.get_mut(name) {
            Some(toml::Value::Table(inner)) => remove(inner, rest),
            _ => false,
        },
    }
}
