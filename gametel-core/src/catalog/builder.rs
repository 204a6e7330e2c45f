use std::collections::HashMap;

use crate::event::EventType;

use super::error::{CatalogError, Culprit};
use super::{Catalog, DatasetDefinition, DatasetIndex, EventDefinition, QUARANTINE};

/// Puts a catalog together, and checks it as a whole.
///
/// ```
/// use gametel_core::catalog::{Catalog, DatasetDefinition, EventDefinition};
///
/// let catalog = Catalog::builder("arena")
///     .event(EventDefinition::new("duel_won").with_field("winner", None).with_dataset("duels"))
///     .dataset(DatasetDefinition::new("duels", ["timestamp", "winner", "Host"]))
///     .build()?;
/// assert!(catalog.event("duel_won").is_some());
///
/// let twice = Catalog::builder("arena")
///     .event(EventDefinition::new("duel_won"))
///     .event(EventDefinition::new("duel_won"))
///     .build();
/// assert_eq!(twice.unwrap_err().to_string(), "event \"duel_won\" is defined twice");
/// # Ok::<(), gametel_core::catalog::CatalogError>(())
/// ```
#[derive(Clone, Debug)]
pub struct CatalogBuilder {
    name: Box<str>,
    events: Vec<EventDefinition>,
    datasets: Vec<DatasetDefinition>,
}

impl CatalogBuilder {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.into(), events: Vec::new(), datasets: Vec::new() }
    }

    /// Adds a kind of event.
    #[must_use]
    pub fn event(mut self, event: EventDefinition) -> Self {
        self.events.push(event);
        self
    }

    /// Adds a dataset.
    #[must_use]
    pub fn dataset(mut self, dataset: DatasetDefinition) -> Self {
        self.datasets.push(dataset);
        self
    }

    /// Checks the whole and makes the catalog.
    ///
    /// # Errors
    ///
    /// Two events share a type or a route, two datasets a name, or two columns of a dataset (in any
    /// case: Spark can't tell them apart); an event names a dataset that is not there; or a name
    /// can't be one.
    pub fn build(self) -> Result<Catalog, CatalogError> {
        let datasets = self.index_datasets()?;
        let mut catalog = Catalog {
            name: self.name,
            by_type: HashMap::new(),
            by_route: HashMap::new(),
            landing: Vec::with_capacity(self.events.len()),
            events: self.events,
            datasets: self.datasets,
        };
        for (index, event) in catalog.events.iter().enumerate() {
            let name = event.event_type().as_str();
            let fail = |message: String| Err(CatalogError::new(Culprit::Event(index), message));
            if let Err(error) = EventType::checked(name) {
                return fail(format!("event {name:?}: {error}"));
            }
            if catalog.by_type.insert(event.event_type().clone(), index).is_some() {
                return fail(format!("event {name:?} is defined twice"));
            }
            if let Some(route) = event.route() {
                if let Some(why) = bad_route(route) {
                    return fail(format!("event {name:?}: the route {route:?} {why}"));
                }
                if let Some(other) = catalog.by_route.insert(route.into(), index) {
                    let other = catalog.events[other].event_type();
                    return fail(format!(
                        "event {name:?}: the route {route:?} is event {other:?}'s"
                    ));
                }
            }
            if let Some(why) = bad_fields(event) {
                return fail(format!("event {name:?}: {why}"));
            }
            catalog.landing.push(match event.dataset() {
                None => None,
                Some(dataset) => match datasets.get(dataset) {
                    Some(index) => Some(*index),
                    None => {
                        let known: Vec<_> =
                            catalog.datasets.iter().map(DatasetDefinition::name).collect();
                        let known = known.join(", ");
                        return fail(format!(
                            "event {name:?}: there is no dataset {dataset:?} (there is: {known})"
                        ));
                    }
                },
            });
        }
        Ok(catalog)
    }

    fn index_datasets(&self) -> Result<HashMap<Box<str>, DatasetIndex>, CatalogError> {
        let mut indices: HashMap<Box<str>, DatasetIndex> = HashMap::new();
        for (index, dataset) in self.datasets.iter().enumerate() {
            let name = dataset.name();
            let fail = |message: String| Err(CatalogError::new(Culprit::Dataset(index), message));
            if let Some(why) = bad_dataset_name(name) {
                return fail(format!("dataset {name:?}: the name {why}"));
            }
            // Folders that differ in case only are one folder on some file systems.
            if indices.keys().any(|other| other.eq_ignore_ascii_case(name)) {
                return fail(format!("dataset {name:?} is defined twice"));
            }
            if dataset.columns().is_empty() {
                return fail(format!("dataset {name:?} has no columns"));
            }
            for (place, column) in dataset.columns().iter().enumerate() {
                let column = column.name();
                if column.is_empty() {
                    return fail(format!("dataset {name:?} has a column with no name"));
                }
                let same =
                    |other: &&super::Column| other.name().to_lowercase() == column.to_lowercase();
                if dataset.columns()[..place].iter().find(same).is_some() {
                    return fail(format!(
                        "dataset {name:?} has the column {column:?} twice (case does not count)"
                    ));
                }
            }
            indices.insert(name.into(), DatasetIndex::new(index));
        }
        Ok(indices)
    }
}

fn bad_route(route: &str) -> Option<&'static str> {
    if !route.starts_with('/') {
        return Some("does not start with /");
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    (!route.bytes().all(plain)).then_some("has characters other than A-Z a-z 0-9 / - . _ ~")
}

/// A dataset's name is a folder's name, and folders that start with `_` or `.` are hidden from
/// Spark.
fn bad_dataset_name(name: &str) -> Option<&'static str> {
    if name == QUARANTINE {
        return Some("belongs to the records that are no events");
    }
    if name.is_empty() || name.len() > 100 {
        return Some("must have 1 to 100 bytes");
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if !name.bytes().all(plain) {
        return Some("has characters other than A-Z a-z 0-9 - _");
    }
    name.starts_with('_').then_some("starts with _, which hides it from Spark")
}

fn bad_fields(event: &EventDefinition) -> Option<String> {
    for (place, field) in event.fields().iter().enumerate() {
        let name = field.name();
        if ["event_id", "event_type", "event_ts"].contains(&name) {
            return Some(format!("the field name {name:?} belongs to the envelope"));
        }
        if name.is_empty() {
            return Some("there is a field with no name".to_owned());
        }
        if event.fields()[..place].iter().any(|other| other.name() == name) {
            return Some(format!("the field {name:?} is defined twice"));
        }
    }
    None
}
