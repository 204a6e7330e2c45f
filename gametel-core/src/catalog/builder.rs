use std::collections::HashMap;

use crate::codec::ENVELOPE;
use crate::event::EventType;
use crate::header::HeaderRule;

use super::error::{CatalogError, Culprit};
use super::partition::check_partition;
use super::resolve::{check_member, resolve};
use super::{
    Catalog, Column, ColumnSource, DatasetDefinition, DatasetIndex, EventDefinition,
    FieldDefinition, QUARANTINE,
};

/// The paths at and below which no event can have its route: what the server answers for itself is
/// there.
const SERVERS_OWN: [&str; 3] = ["/v1", "/healthz", "/openapi.json"];

/// How many filters may stand within each other. A reader of TOML takes some 80 tables; what can be
/// built must be readable from a file.
const MAX_FILTER_DEPTH: usize = 32;

/// Puts a catalog together, and checks it as a whole.
///
/// ```
/// use gametel_core::catalog::{Catalog, DatasetDefinition, EventDefinition, FieldDefinition, FieldType};
///
/// let duel_won = EventDefinition::new("duel_won")
///     .with_field("winner")
///     .with_field(FieldDefinition::new("rounds", FieldType::Int64))
///     .with_dataset("duels");
/// let catalog = Catalog::builder("arena")
///     .event(duel_won)
///     .dataset(DatasetDefinition::new("duels", ["timestamp", "winner", "rounds", "Host"]))
///     .build()?;
/// assert!(catalog.event("duel_won").is_some());
///
/// let duel = EventDefinition::new("duel_won");
/// let twice = Catalog::builder("arena").event(duel.clone()).event(duel).build();
/// assert_eq!(twice.unwrap_err().to_string(), "event \"duel_won\" is defined twice");
/// # Ok::<(), gametel_core::catalog::CatalogError>(())
/// ```
#[derive(Clone, Debug)]
pub struct CatalogBuilder {
    name: Box<str>,
    headers: Option<Vec<Box<str>>>,
    events: Vec<EventDefinition>,
    datasets: Vec<DatasetDefinition>,
}

impl CatalogBuilder {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.into(), headers: None, events: Vec::new(), datasets: Vec::new() }
    }

    /// Says which request headers events may carry, in the order in which they are written. Without
    /// it they are those of [`HeaderRule::default`].
    #[must_use]
    pub fn headers<N: AsRef<str>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.headers = Some(names.into_iter().map(|name| name.as_ref().into()).collect());
        self
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
    /// Each names the definition that it is about:
    ///
    /// - two events share a type or a route, two fields of an event a name, two datasets a name, or
    ///   two columns of a dataset (in any case: Spark can't tell them apart);
    /// - an event names a dataset that is not there, or a dataset a column that no event of it has:
    ///   none of the envelope's names, the headers, and the fields that are declared;
    /// - events of one dataset give a field different types and the column says none, or the
    ///   column's type can't hold the field's;
    /// - a dataset is partitioned by something that is no column of it, or can't be a folder's name;
    /// - a column says what becomes of misfits, and any value fits it;
    /// - a default does not fit its field's type or limits, or the field is required;
    /// - a field's limit is none of its type's, or contradicts another;
    /// - a header is secret or no header name, or another name can't be one.
    pub fn build(self) -> Result<Catalog, CatalogError> {
        let header_rule = match &self.headers {
            None => HeaderRule::default(),
            Some(names) => HeaderRule::new(names, [""; 0])
                .map_err(|error| CatalogError::new(Culprit::Headers, error.to_string()))?,
        };
        let datasets = index_datasets(&self.datasets)?;
        let mut catalog = Catalog {
            name: self.name,
            header_rule,
            by_type: HashMap::new(),
            by_route: HashMap::new(),
            landing: Vec::with_capacity(self.events.len()),
            columns: Vec::with_capacity(self.datasets.len()),
            checked: Vec::with_capacity(self.datasets.len()),
            events: self.events,
            datasets: self.datasets,
        };
        for index in 0..catalog.events.len() {
            index_event(&mut catalog, index)?;
            check_fields(&catalog.events[index], index)?;
            let landing = landing(&catalog, &datasets, index)?;
            catalog.landing.push(landing);
        }
        resolve_columns(&mut catalog)?;
        Ok(catalog)
    }
}

fn index_event(catalog: &mut Catalog, index: usize) -> Result<(), CatalogError> {
    let event = &catalog.events[index];
    let name = event.event_type().as_str();
    let fail = |message: String| Err(CatalogError::new(Culprit::Event(index), message));
    if let Err(error) = EventType::checked(name) {
        return fail(format!("event {name:?}: {error}"));
    }
    if catalog.by_type.insert(event.event_type().clone(), index).is_some() {
        return fail(format!("event {name:?} is defined twice"));
    }
    let Some(route) = event.route() else {
        return Ok(());
    };
    if let Some(why) = bad_route(route) {
        return fail(format!("event {name:?}: the route {route:?} {why}"));
    }
    if let Some(other) = catalog.by_route.insert(route.into(), index) {
        let other = catalog.events[other].event_type();
        return fail(format!("event {name:?}: the route {route:?} is event {other:?}'s"));
    }
    Ok(())
}

fn check_fields(event: &EventDefinition, index: usize) -> Result<(), CatalogError> {
    for (place, field) in event.fields().iter().enumerate() {
        let earlier = &event.fields()[..place];
        if let Some(why) = bad_field(field, earlier) {
            let message = format!("event {:?}: {why}", event.event_type());
            return Err(CatalogError::new(Culprit::Field(index, place), message));
        }
    }
    Ok(())
}

fn landing(
    catalog: &Catalog,
    datasets: &HashMap<Box<str>, DatasetIndex>,
    index: usize,
) -> Result<Option<DatasetIndex>, CatalogError> {
    let event = &catalog.events[index];
    let Some(dataset) = event.dataset() else {
        return Ok(None);
    };
    if let Some(index) = datasets.get(dataset) {
        return Ok(Some(*index));
    }
    let name = event.event_type();
    let known: Vec<_> = catalog.datasets.iter().map(DatasetDefinition::name).collect();
    let known = known.join(", ");
    let message = format!("event {name:?}: there is no dataset {dataset:?} (there is: {known})");
    Err(CatalogError::new(Culprit::Event(index), message))
}

fn index_datasets(
    datasets: &[DatasetDefinition],
) -> Result<HashMap<Box<str>, DatasetIndex>, CatalogError> {
    let mut indices: HashMap<Box<str>, DatasetIndex> = HashMap::new();
    for (index, dataset) in datasets.iter().enumerate() {
        let name = dataset.name();
        let fail = |message: String| Err(CatalogError::new(Culprit::Dataset(index), message));
        if let Some(why) = bad_dataset_name(name) {
            return fail(format!("dataset {name:?}: the name {why}"));
        }
        // Folders that differ in case only are one folder on some file systems.
        if indices.keys().any(|other| other.eq_ignore_ascii_case(name)) {
            return fail(format!("dataset {name:?} is defined twice"));
        }
        if dataset.filter().is_some_and(|filter| filter.depth() > MAX_FILTER_DEPTH) {
            return fail(format!(
                "dataset {name:?}: the filter has more than {MAX_FILTER_DEPTH} filters within each other"
            ));
        }
        if dataset.columns().is_empty() {
            return fail(format!("dataset {name:?} has no columns"));
        }
        for (place, column) in dataset.columns().iter().enumerate() {
            let fail =
                |message: String| Err(CatalogError::new(Culprit::Column(index, place), message));
            let column = column.name();
            if column.is_empty() {
                return fail(format!("dataset {name:?} has a column with no name"));
            }
            let same = |other: &&Column| other.name().to_lowercase() == column.to_lowercase();
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

fn resolve_columns(catalog: &mut Catalog) -> Result<(), CatalogError> {
    let headers: Vec<_> = catalog.header_rule.kept().collect();
    for (index, dataset) in catalog.datasets.iter().enumerate() {
        let lands = Some(DatasetIndex::new(index));
        let events = catalog.events.iter().zip(&catalog.landing);
        let events = events.filter(|(_, landing)| **landing == lands).map(|(event, _)| event);
        let mut columns = Vec::with_capacity(dataset.columns().len());
        for (place, column) in dataset.columns().iter().enumerate() {
            if let Some(event) = events.clone().find(|event| is_hidden(column, event)) {
                let (event, dataset, name) = (event.event_type(), dataset.name(), column.name());
                let message = format!(
                    "dataset {dataset:?}: the column {name:?} is the record's own, and hides the \
                     field of event {event:?}; rename the field, or leave the column out"
                );
                return Err(CatalogError::new(Culprit::Column(index, place), message));
            }
            columns.push(resolve(column, events.clone(), &headers).map_err(|why| {
                let (dataset, column) = (dataset.name(), column.name());
                let message = format!("dataset {dataset:?}: the column {column:?} {why}");
                CatalogError::new(Culprit::Column(index, place), message)
            })?);
        }
        for name in dataset.filter().iter().flat_map(|filter| filter.field_names()) {
            check_member(name, &[], events.clone(), &headers).map_err(|why| {
                let message = format!("dataset {:?}: the filter's {name:?} {why}", dataset.name());
                CatalogError::new(Culprit::Dataset(index), message)
            })?;
        }
        check_partition(dataset, &columns).map_err(|why| {
            let message = format!("dataset {:?}: {why}", dataset.name());
            CatalogError::new(Culprit::Dataset(index), message)
        })?;
        catalog.checked.push(columns.iter().any(|column| column.checked_member().is_some()));
        catalog.columns.push(columns);
    }
    Ok(())
}

/// Whether an event has a field of the name that stands for what the record has.
fn is_hidden(column: &Column, event: &EventDefinition) -> bool {
    !matches!(column.source(), ColumnSource::Member(_)) && event.field(column.name()).is_some()
}

fn bad_route(route: &str) -> Option<&'static str> {
    if !route.starts_with('/') {
        return Some("does not start with /");
    }
    let is_below = |own: &&str| {
        let rest = route.strip_prefix(*own);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if SERVERS_OWN.iter().any(is_below) {
        return Some("is the server's own, as /openapi.json and all of /v1 and /healthz is");
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

fn bad_field(field: &FieldDefinition, earlier: &[FieldDefinition]) -> Option<String> {
    let name = field.name();
    if ENVELOPE.contains(&name) {
        return Some(format!("the field name {name:?} belongs to the envelope"));
    }
    if name.is_empty() {
        return Some("there is a field with no name".to_owned());
    }
    if earlier.iter().any(|other| other.name() == name) {
        return Some(format!("the field {name:?} is defined twice"));
    }
    if let Some(default) = field.default() {
        if field.is_required() {
            return Some(format!(
                "the field {name:?} is required, and has a default that would never be used"
            ));
        }
        if field.default_json().is_none() {
            let field_type = field.column_type();
            return Some(format!(
                "the field {name:?} has the default {default:?}, which is no {field_type}"
            ));
        }
    }
    field.bad_limits()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_can_not_take_the_servers_own_paths() {
        for (path, taken) in [
            ("/v1", true),
            ("/v1/events", true),
            ("/healthz/x", true),
            ("/openapi.json", true),
            ("/v10", false),
            ("/health", false),
            ("/openapi", false),
        ] {
            let event = EventDefinition::new("duel_won").with_route(path, "OK");
            let error = Catalog::builder("arena").event(event).build().err();
            let message = error.map(|error| error.to_string());
            assert_eq!(message.is_some(), taken, "{path}: {message:?}");
            assert!(message.is_none_or(|text| text.contains("duel_won") && text.contains(path)));
        }
    }
    use crate::filter::Filter;

    #[test]
    fn the_deepest_filter_survives_a_file_and_a_deeper_one_is_refused() {
        let build = |depth: usize| {
            let innermost = Filter::event_type("a");
            let filter = (1..depth).fold(innermost, |filter, level| match level % 2 {
                0 => !filter,
                _ => filter | Filter::event_type("b"),
            });
            let dataset = DatasetDefinition::new("d", ["raw_event"]).with_filter(filter);
            Catalog::builder("c").dataset(dataset).build()
        };
        let deepest = build(MAX_FILTER_DEPTH).unwrap();
        assert_eq!(Catalog::from_toml(&deepest.to_toml()).unwrap(), deepest);
        let error = build(MAX_FILTER_DEPTH + 1).unwrap_err().to_string();
        assert!(error.starts_with("dataset \"d\": the filter has more than 32"), "{error}");
    }
}
