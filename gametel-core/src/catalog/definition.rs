use crate::event::{Event, EventType};
use crate::filter::Filter;

use super::{Column, FieldDefinition, PartitionBy};

/// One kind of event: how it arrives, what it holds, what its sender is told, and where it lands.
///
/// ```
/// use gametel_core::catalog::{EventDefinition, FieldDefinition, FieldType};
///
/// let definition = EventDefinition::new("duel_won")
///     .described("A player has won a duel.")
///     .with_route("/duel_won", "GG\n")
///     .with_field(FieldDefinition::new("winner", FieldType::String).required())
///     .with_dataset("duels");
/// assert_eq!(definition.event_type().as_str(), "duel_won");
/// ```
///
/// Of an event that is a Rust type, [`from_sample`](Self::from_sample) learns the fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventDefinition {
    event_type: EventType,
    description: Option<Box<str>>,
    route: Option<Box<str>>,
    reply: Box<str>,
    fields: Vec<FieldDefinition>,
    dataset: Option<Box<str>>,
}

impl EventDefinition {
    /// A kind of event that has no route of its own and lands in no dataset.
    pub fn new(event_type: &str) -> Self {
        Self {
            event_type: EventType::new(event_type),
            description: None,
            route: None,
            reply: Box::default(),
            fields: Vec::new(),
            dataset: None,
        }
    }

    /// The kind of event that `E` is, with no fields declared.
    pub fn of<E: Event>() -> Self {
        Self::new(E::TYPE)
    }

    /// Says in a sentence what happened when there is such an event.
    #[must_use]
    pub fn described(mut self, description: &str) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Lets the event arrive at a path of the server, and sets the exact body of the answer.
    #[must_use]
    pub fn with_route(mut self, path: &str, reply: &str) -> Self {
        self.route = Some(path.into());
        self.reply = reply.into();
        self
    }

    /// Declares a field of the event's own; a name alone declares an untyped one.
    #[must_use]
    pub fn with_field(mut self, field: impl Into<FieldDefinition>) -> Self {
        self.fields.push(field.into());
        self
    }

    /// Changes the field of that name, such as one that was learned from a sample: describes it, or
    /// gives it a type. Where there is none, an untyped one is declared first.
    ///
    /// ```
    /// use gametel_core::catalog::EventDefinition;
    /// use gametel_core::event::game::JoinGuild;
    ///
    /// let definition = EventDefinition::from_sample(&JoinGuild { guild: "Owls".into() })?
    ///     .map_field("guild", |guild| guild.described("the guild's name"));
    /// assert_eq!(definition.fields().len(), 1);
    /// # Ok::<(), gametel_core::codec::EncodeError>(())
    /// ```
    #[must_use]
    pub fn map_field(
        mut self,
        name: &str,
        change: impl FnOnce(FieldDefinition) -> FieldDefinition,
    ) -> Self {
        match self.fields.iter_mut().find(|field| field.name() == name) {
            Some(field) => *field = change(field.clone()),
            None => self.fields.push(change(FieldDefinition::untyped(name))),
        }
        self
    }

    /// Lets the event land in a dataset.
    #[must_use]
    pub fn with_dataset(mut self, name: &str) -> Self {
        self.dataset = Some(name.into());
        self
    }

    /// The event's type.
    pub fn event_type(&self) -> &EventType {
        &self.event_type
    }

    /// What happened when there is such an event.
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// The path at which the event arrives, if it has one of its own.
    pub fn route(&self) -> Option<&str> {
        self.route.as_deref()
    }

    /// The exact body of the answer at the route.
    pub fn reply(&self) -> &str {
        &self.reply
    }

    /// The event's own fields, in the order of their definition.
    pub fn fields(&self) -> &[FieldDefinition] {
        &self.fields
    }

    /// The event's own field of that name.
    pub fn field(&self, name: &str) -> Option<&FieldDefinition> {
        self.fields.iter().find(|field| field.name() == name)
    }

    /// The name of the dataset in which the event lands.
    pub fn dataset(&self) -> Option<&str> {
        self.dataset.as_deref()
    }
}

/// One table: its name and its columns in order.
///
/// ```
/// use gametel_core::catalog::{DatasetDefinition, FieldType};
///
/// let duels = DatasetDefinition::new("duels", ["timestamp", "winner"])
///     .with_column(("event_ts", FieldType::Timestamp))
///     .described("Duels that were won.");
/// assert_eq!(duels.columns().len(), 3);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct DatasetDefinition {
    name: Box<str>,
    description: Option<Box<str>>,
    columns: Vec<Column>,
    filter: Option<Filter>,
    partition_by: Option<PartitionBy>,
}

impl DatasetDefinition {
    /// A table with these columns. A name alone is a column with the type of what it is named
    /// after; with a type beside it, it has that one.
    pub fn new<C: Into<Column>>(name: &str, columns: impl IntoIterator<Item = C>) -> Self {
        let columns = columns.into_iter().map(Into::into).collect();
        Self { name: name.into(), description: None, columns, filter: None, partition_by: None }
    }

    /// Adds a column behind the others.
    #[must_use]
    pub fn with_column(mut self, column: impl Into<Column>) -> Self {
        self.columns.push(column.into());
        self
    }

    /// Says in a sentence what the rows are.
    #[must_use]
    pub fn described(mut self, description: &str) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Lets only those events land here, of the types that land here, which the filter lets through.
    /// The others land nowhere, and are counted as unselected.
    ///
    /// ```
    /// use gametel_core::catalog::DatasetDefinition;
    /// use gametel_core::filter::Filter;
    ///
    /// let large = DatasetDefinition::new("large_purchases", ["price"])
    ///     .with_filter(Filter::field("price").at_least(100));
    /// assert_eq!(large.filter().map(|filter| filter.to_string()).as_deref(), Some("price >= 100"));
    /// ```
    #[must_use]
    pub fn with_filter(mut self, filter: Filter) -> Self {
        self.filter = Some(filter);
        self
    }

    /// Puts the rows into a folder for each value of a column, or for each day: by the name
    /// `event_date`, see [`PartitionBy`].
    #[must_use]
    pub fn partitioned_by(mut self, by: impl Into<PartitionBy>) -> Self {
        self.partition_by = Some(by.into());
        self
    }

    /// The table's name, which is its folder's too.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the rows are.
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// What lets events through that would land here by their type, if not all.
    pub fn filter(&self) -> Option<&Filter> {
        self.filter.as_ref()
    }

    /// By what the rows are put into folders, if they are.
    pub fn partition_by(&self) -> Option<&PartitionBy> {
        self.partition_by.as_ref()
    }

    /// The columns in order, as they are defined.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }
}
