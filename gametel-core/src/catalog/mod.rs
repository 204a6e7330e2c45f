//! The catalog: which events exist, how they arrive, and which datasets they land in.
//!
//! One definition serves both ends. The server takes its routes, replies, field defaults and the
//! checks of incoming events from it, the batch job its datasets, columns and their types; and it
//! says what it is: as TOML ([`Catalog::to_toml`]), to producers as JSON Schema
//! ([`Catalog::json_schema`]), to people as a tracking plan ([`Catalog::to_markdown`]).
//!
//! It can be written as TOML ([`Catalog::from_toml`], [`Catalog::load`]) or in Rust
//! ([`Catalog::builder`]), where an event that is a Rust type says its fields itself
//! ([`EventDefinition::from_sample`]); they meet in one type and pass the same checks.

mod builder;
mod check;
mod classify;
mod column;
mod definition;
mod error;
mod field;
mod field_error;
mod json_schema;
mod limits;
mod markdown;
mod misfit;
mod partition;
mod resolve;
mod sample;
mod to_toml;
mod toml;
mod toml_dataset;
mod toml_form;
mod value;

use std::collections::HashMap;
use std::path::Path;

pub use builder::CatalogBuilder;
pub use classify::{Classification, DatasetIndex};
pub use column::{Column, ColumnSource, OnMisfit, TypedColumn};
pub use definition::{DatasetDefinition, EventDefinition};
pub use error::CatalogError;
pub use field::{FieldDefinition, FieldType, UnknownFieldType};
pub use field_error::FieldError;
pub use partition::PartitionBy;
pub use value::{TypedValue, WrongType};

use crate::event::EventType;
use crate::header::HeaderRule;

/// The name of the dataset that holds records which are no events, or do not fit the dataset in
/// which they land. A catalog can't define it.
pub const QUARANTINE: &str = "quarantine";

/// The events that exist and the datasets that they land in; checked, and not changed any more.
///
/// ```
/// use gametel_core::catalog::Catalog;
///
/// let catalog = Catalog::game();
/// let sword = catalog.route("/purchase_a_sword").ok_or("no such route")?;
/// assert_eq!(sword.event_type().as_str(), "purchase_sword");
/// assert_eq!(sword.reply(), "Sword Purchased!\n");
/// assert_eq!(sword.dataset(), Some("equipment_purchases"));
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Catalog {
    name: Box<str>,
    header_rule: HeaderRule,
    events: Vec<EventDefinition>,
    datasets: Vec<DatasetDefinition>,
    by_type: HashMap<EventType, usize>,
    by_route: HashMap<Box<str>, usize>,
    /// For each event, the dataset that it lands in.
    landing: Vec<Option<DatasetIndex>>,
    /// For each dataset, its columns with their types.
    columns: Vec<Vec<TypedColumn>>,
    /// For each dataset, whether an event may turn out not to fit its columns.
    checked: Vec<bool>,
}

impl Catalog {
    /// The built-in catalog `game`, as TOML: a place to start from for a catalog of one's own.
    pub const GAME_TOML: &str = include_str!("game.toml");

    /// The built-in catalog `game`: the purchases of sword, shield, spear and potion, `join_guild`,
    /// and the front page.
    pub fn game() -> Self {
        Self::from_toml(Self::GAME_TOML).expect("the built-in catalog is valid, by its test")
    }

    /// Starts a catalog in Rust.
    pub fn builder(name: &str) -> CatalogBuilder {
        CatalogBuilder::new(name)
    }

    /// Reads a catalog from TOML text.
    ///
    /// # Errors
    ///
    /// The text is not TOML, has a key that no catalog has, or contradicts itself (see
    /// [`CatalogBuilder::build`]). The error names the line.
    pub fn from_toml(text: &str) -> Result<Self, CatalogError> {
        toml::parse(text)
    }

    /// Reads a catalog from a TOML file.
    ///
    /// # Errors
    ///
    /// The file can't be read, and all that [`from_toml`](Self::from_toml) refuses. The error names
    /// the file.
    pub fn load(path: &Path) -> Result<Self, CatalogError> {
        std::fs::read_to_string(path)
            .map_err(CatalogError::unreadable)
            .and_then(|text| Self::from_toml(&text))
            .map_err(|error| error.in_file(path))
    }

    /// The catalog's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Which request headers events may carry.
    pub fn header_rule(&self) -> &HeaderRule {
        &self.header_rule
    }

    /// The events, in the order of their definition.
    pub fn events(&self) -> &[EventDefinition] {
        &self.events
    }

    /// The datasets, in the order of their definition.
    pub fn datasets(&self) -> &[DatasetDefinition] {
        &self.datasets
    }

    /// The dataset of that index, as [`classify`](Self::classify) gives it.
    ///
    /// # Panics
    ///
    /// The index is another catalog's, and past this one's datasets.
    pub fn dataset(&self, index: DatasetIndex) -> &DatasetDefinition {
        &self.datasets[index.as_usize()]
    }

    /// The columns of a dataset, in order, each with its type: the one that the dataset gives it,
    /// else that of the field it is named after, else `string`. Those of the envelope's names and
    /// of headers are strings unless told otherwise.
    ///
    /// ```
    /// use gametel_core::catalog::Catalog;
    ///
    /// let catalog = Catalog::from_toml(
    ///     r#"
    ///     name = "arena"
    ///     [[event]]
    ///     type = "duel_won"
    ///     dataset = "duels"
    ///     [[event.field]]
    ///     name = "rounds"
    ///     type = "int64"
    ///     [[dataset]]
    ///     name = "duels"
    ///     columns = ["timestamp", {name = "event_ts", type = "timestamp"}, "rounds"]
    ///     "#,
    /// )?;
    /// let (index, _) = catalog.indexed_datasets().next().ok_or("no dataset")?;
    /// let types: Vec<_> = catalog.columns(index).iter().map(|c| c.column_type().as_str()).collect();
    /// assert_eq!(types, ["string", "timestamp", "int64"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    ///
    /// The index is another catalog's, and past this one's datasets.
    pub fn columns(&self, index: DatasetIndex) -> &[TypedColumn] {
        &self.columns[index.as_usize()]
    }

    /// The datasets with their indices, in the order of their definition.
    pub fn indexed_datasets(
        &self,
    ) -> impl ExactSizeIterator<Item = (DatasetIndex, &DatasetDefinition)> {
        self.datasets.iter().enumerate().map(|(index, dataset)| (DatasetIndex::new(index), dataset))
    }

    /// The event of that type.
    pub fn event(&self, event_type: &str) -> Option<&EventDefinition> {
        self.by_type.get(event_type).map(|index| &self.events[*index])
    }

    /// The event that arrives at that path.
    pub fn route(&self, path: &str) -> Option<&EventDefinition> {
        self.by_route.get(path).map(|index| &self.events[*index])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::game::{
        DefaultEvent, JoinGuild, PurchasePotion, PurchaseShield, PurchaseSpear, PurchaseSword,
    };
    use crate::event::{Event, EventDraft};

    /// A typed event says the same as the catalog's definition of its type.
    fn agrees<E: Event>(event: &E, route: &str, reply: &str, dataset: Option<&str>) {
        let catalog = Catalog::game();
        let definition = catalog.event(E::TYPE).unwrap();
        assert_eq!(
            (definition.route(), definition.reply(), definition.dataset()),
            (Some(route), reply, dataset)
        );
        let own = EventDraft::from_event(event).unwrap();
        let names: Vec<_> = own.fields().iter().map(|(name, _)| name.to_owned()).collect();
        let declared: Vec<_> =
            definition.fields().iter().map(|field| field.name().to_owned()).collect();
        assert_eq!(names, declared);
        for field in definition.fields() {
            if let Some(default) = field.default() {
                assert_eq!(own.fields().get(field.name()), Some(format!("{default:?}").as_str()));
            }
        }
    }

    #[test]
    fn the_built_in_catalog_is_what_the_types_say() {
        agrees(&DefaultEvent, "/", "\nThis is the default response!\n", None);
        agrees(
            &PurchaseSword,
            "/purchase_a_sword",
            "Sword Purchased!\n",
            Some("equipment_purchases"),
        );
        agrees(
            &PurchaseShield,
            "/purchase_a_shield",
            "\nShield Purchased!\n",
            Some("equipment_purchases"),
        );
        agrees(
            &PurchaseSpear,
            "/purchase_a_spear",
            "\nSpear Purchased!\n",
            Some("equipment_purchases"),
        );
        agrees(
            &PurchasePotion::default(),
            "/purchase_a_potion",
            "\nPotion Purchased",
            Some("consumable_purchases"),
        );
        let guild = JoinGuild { guild: "Night Watch".into() };
        agrees(&guild, "/join_guild", "\nGuild Joined!\n", Some("guild_joins"));
        assert_eq!(Catalog::game().events().len(), 6);
    }

    #[test]
    fn the_built_in_datasets_have_the_seeds_columns() {
        let catalog = Catalog::game();
        let columns = |index: usize| {
            let dataset = &catalog.datasets()[index];
            let names: Vec<_> = dataset.columns().iter().map(Column::name).collect();
            format!("{}: {}", dataset.name(), names.join(", "))
        };
        assert_eq!(
            columns(0),
            "equipment_purchases: raw_event, timestamp, Accept, Host, User-Agent, event_ts, event_type"
        );
        assert_eq!(
            columns(1),
            "consumable_purchases: raw_event, timestamp, Accept, Host, User-Agent, description, event_ts, event_type"
        );
        assert_eq!(
            columns(2),
            "guild_joins: raw_event, timestamp, Accept, Host, User-Agent, event_ts, event_type, guild"
        );
        assert_eq!(catalog.datasets().len(), 3);
    }
}
