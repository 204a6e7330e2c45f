use std::fmt::Write;

use super::field_error::range;
use super::{
    Catalog, DatasetDefinition, DatasetIndex, EventDefinition, FieldDefinition, OnMisfit,
    PartitionBy,
};

impl Catalog {
    /// Writes a tracking plan: a page of Markdown (GitHub's, for its tables) that says which events
    /// there are, what they hold, and which tables they become.
    ///
    /// Descriptions go in as they are, as Markdown; names never count as such.
    ///
    /// ```
    /// use gametel_core::catalog::Catalog;
    ///
    /// let page = Catalog::game().to_markdown();
    /// assert!(page.starts_with("# Tracking plan: game\n"));
    /// assert!(page.contains("### `join_guild`\n"));
    /// ```
    pub fn to_markdown(&self) -> String {
        let mut page = Page::default();
        page.line(&format!("# Tracking plan: {}", one_line(self.name())));
        page.line(
            "Every event also has `event_id`, `event_type` and `event_ts` (seconds since the Unix \
             epoch, UTC); beside an `event_ts` of the sender's, `received_ts`.",
        );
        let headers: Vec<_> = self.header_rule().kept().map(code).collect();
        page.line(&match headers.is_empty() {
            true => "Events carry no request headers.".to_owned(),
            false => {
                format!("Events that come over HTTP carry the headers {}.", headers.join(", "))
            }
        });
        page.line("## Events");
        for event in self.events() {
            self.describe_event(&mut page, event);
        }
        page.line("## Datasets");
        for (index, _) in self.indexed_datasets() {
            self.describe_dataset(&mut page, index);
        }
        page.text
    }

    fn describe_event(&self, page: &mut Page, event: &EventDefinition) {
        page.line(&format!("### {}", code(event.event_type().as_str())));
        if let Some(description) = event.description() {
            page.line(description);
        }
        let arrives = match event.route() {
            Some(route) => format!("Arrives at {}, or at `/v1/events`.", code(route)),
            None => "Arrives at `/v1/events`.".to_owned(),
        };
        let dataset = event
            .dataset()
            .and_then(|name| self.datasets().iter().find(|dataset| dataset.name() == name));
        let lands = match dataset {
            Some(dataset) => format!("Lands in {}.", name_and_filter(dataset)),
            None => "Lands in no dataset; it is counted.".to_owned(),
        };
        page.line(&format!("{arrives} {lands}"));
        if event.fields().is_empty() {
            page.line("It has no fields of its own.");
            return;
        }
        page.table(["field", "type", "required", "default", "description"], event.fields(), field);
    }

    fn describe_dataset(&self, page: &mut Page, index: DatasetIndex) {
        let dataset = self.dataset(index);
        page.line(&format!("### {}", code(dataset.name())));
        if let Some(description) = dataset.description() {
            page.line(description);
        }
        let events = self.events().iter().filter(|event| event.dataset() == Some(dataset.name()));
        let events: Vec<_> = events.map(|event| code(event.event_type().as_str())).collect();
        page.line(&match (events.is_empty(), dataset.filter()) {
            (true, _) => "No event lands here.".to_owned(),
            (false, None) => format!("Rows are of {}.", events.join(", ")),
            (false, Some(filter)) => {
                format!("Rows are of {}, where {}.", events.join(", "), code(&filter.to_string()))
            }
        });
        if let Some(by) = dataset.partition_by() {
            let name = code(by.name());
            page.line(&match by {
                PartitionBy::EventDate => format!(
                    "There is a folder for each {name}: the day in UTC of the event's `event_ts`, \
                     else of its receipt."
                ),
                PartitionBy::Column(_) => format!("There is a folder for each {name}."),
            });
        }
        page.table(["column", "type"], self.columns(index), |column| {
            let column_type = match column.on_misfit() {
                OnMisfit::Quarantine => column.column_type().to_string(),
                OnMisfit::Null => format!("{}, null for what does not fit", column.column_type()),
            };
            [code(column.name()), column_type]
        });
    }
}

/// A dataset's name, and which events of those that are sent there it takes.
fn name_and_filter(dataset: &DatasetDefinition) -> String {
    let name = code(dataset.name());
    match dataset.filter() {
        Some(filter) => format!("{name}, where {}", code(&filter.to_string())),
        None => name,
    }
}

fn field(field: &FieldDefinition) -> [String; 5] {
    [
        code(field.name()),
        type_and_limits(field),
        if field.is_required() { "yes" } else { "" }.to_owned(),
        field.default().map_or_else(String::new, code),
        field.description().unwrap_or_default().to_owned(),
    ]
}

fn type_and_limits(field: &FieldDefinition) -> String {
    let mut text = field.field_type().map_or("any", |field_type| field_type.as_str()).to_owned();
    if let Some(characters) = field.max_length() {
        write!(text, ", at most {characters} characters").expect("a String takes every write");
    }
    if field.minimum().is_some() || field.maximum().is_some() {
        text.push_str(", ");
        text.push_str(&range(field.minimum(), field.maximum()));
    }
    if let Some(allowed) = field.allowed() {
        let allowed: Vec<_> = allowed.iter().map(|text| code(text)).collect();
        text.push_str(", one of ");
        text.push_str(&allowed.join(", "));
    }
    text
}

/// Blocks of text, with an empty line between.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn line(&mut self, line: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn table<T, const N: usize>(
        &mut self,
        head: [&str; N],
        rows: &[T],
        cells: impl Fn(&T) -> [String; N],
    ) {
        let mut table = format!("| {} |\n|{}", head.join(" | "), "---|".repeat(N));
        for row in rows {
            let cells = cells(row).map(|cell| one_line(&cell).replace('|', "\\|"));
            write!(table, "\n| {} |", cells.join(" | ")).expect("a String takes every write");
        }
        self.line(&table);
    }
}

/// Text as code, which nothing in it can end: the fence is longer than any run of backticks.
fn code(text: &str) -> String {
    let text = one_line(text);
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    // A space at both ends is taken off by the reader, and is needed beside backticks.
    let space =
        if text.is_empty() || text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Column, FieldType};
    use crate::filter::Filter;

    #[test]
    fn the_built_in_catalogs_page_is_the_golden_one() {
        assert_eq!(Catalog::game().to_markdown(), include_str!("golden/game.md"));
    }

    #[test]
    fn a_page_of_odd_names_keeps_its_shape() {
        let event = EventDefinition::new("a`b|c")
            .described("Somebody *did* it.")
            .with_field(
                FieldDefinition::new("``", FieldType::String)
                    .with_default("x|y\nz")
                    .described("one\ntwo | three"),
            )
            .with_field(FieldDefinition::untyped("f").required())
            .with_field(
                FieldDefinition::new("s", FieldType::String)
                    .with_max_length(9)
                    .with_allowed(["a|b", "`"]),
            )
            .with_field(FieldDefinition::new("n", FieldType::Float64).with_minimum(0.5))
            .with_dataset("d");
        let dataset = DatasetDefinition::new("d", ["f"])
            .with_column(Column::named("n").with_misfit(OnMisfit::Null))
            .partitioned_by("event_date")
            .described("What was done.")
            .with_filter(Filter::field("f").equals("`"));
        let catalog = Catalog::builder("odd\nname").headers([""; 0]).event(event).dataset(dataset);
        let page = catalog.build().unwrap().to_markdown();
        assert_eq!(page, include_str!("golden/odd.md"));
    }
}
