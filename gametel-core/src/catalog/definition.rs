use crate::event::{Event, EventType};

/// One kind of event: how it arrives, what its sender is told, and where it lands.
///
/// ```
/// use gametel_core::catalog::EventDefinition;
/// use gametel_core::event::game::JoinGuild;
///
/// let definition = EventDefinition::of::<JoinGuild>()
///     .with_route("/join_guild", "\nGuild Joined!\n")
///     .with_field("guild", None)
///     .with_dataset("guild_joins");
/// assert_eq!(definition.event_type().as_str(), "join_guild");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventDefinition {
    event_type: EventType,
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
            route: None,
            reply: Box::default(),
            fields: Vec::new(),
            dataset: None,
        }
    }

    /// The kind of event that `E` is.
    pub fn of<E: Event>() -> Self {
        Self::new(E::TYPE)
    }

    /// Lets the event arrive at a path of the server, and sets the exact body of the answer.
    #[must_use]
    pub fn with_route(mut self, path: &str, reply: &str) -> Self {
        self.route = Some(path.into());
        self.reply = reply.into();
        self
    }

    /// Declares a field of the event's own, with the value that it has where the sender gives none.
    #[must_use]
    pub fn with_field(mut self, name: &str, default: Option<&str>) -> Self {
        self.fields.push(FieldDefinition { name: name.into(), default: default.map(Into::into) });
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

    /// The path at which the event arrives, if it has one of its own.
    pub fn route(&self) -> Option<&str> {
        self.route.as_deref()
    }

    /// The exact body of the answer at the route.
    pub fn reply(&self) -> &str {
        &self.reply
    }

    /// The event's own fields.
    pub fn fields(&self) -> &[FieldDefinition] {
        &self.fields
    }

    /// The name of the dataset in which the event lands.
    pub fn dataset(&self) -> Option<&str> {
        self.dataset.as_deref()
    }
}

/// One field of an event's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldDefinition {
    name: Box<str>,
    default: Option<Box<str>>,
}

impl FieldDefinition {
    /// The field's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value that the field has where the sender gives none.
    pub fn default(&self) -> Option<&str> {
        self.default.as_deref()
    }
}

/// One table: its name and its columns in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatasetDefinition {
    name: Box<str>,
    columns: Vec<Column>,
}

impl DatasetDefinition {
    /// A table with columns of these names.
    pub fn new<N: AsRef<str>>(name: &str, columns: impl IntoIterator<Item = N>) -> Self {
        let columns = columns.into_iter().map(|name| Column::named(name.as_ref()));
        Self { name: name.into(), columns: columns.collect() }
    }

    /// The table's name, which is its folder's too.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The columns in order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }
}

/// One column of a dataset, a nullable string, and where its values come from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Column {
    /// `raw_event`: the record's value, unchanged.
    RawEvent,
    /// `timestamp`: the record's timestamp.
    Timestamp,
    /// The record's top-level member of this name.
    Member(Box<str>),
}

impl Column {
    /// The column that a name stands for: `raw_event` and `timestamp` are the record's, any other
    /// is a member's.
    pub fn named(name: &str) -> Self {
        match name {
            "raw_event" => Self::RawEvent,
            "timestamp" => Self::Timestamp,
            other => Self::Member(other.into()),
        }
    }

    /// The column's name.
    pub fn name(&self) -> &str {
        match self {
            Self::RawEvent => "raw_event",
            Self::Timestamp => "timestamp",
            Self::Member(name) => name,
        }
    }
}
