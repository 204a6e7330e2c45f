use crate::manifest::SchemaColumn;

use super::{Finding, Held, Safeguard};

/// Compares the columns that datasets would have with those that they have. A column more is no
/// finding, and neither is another order: Spark, pyarrow and DuckDB find columns by their names.
pub(crate) fn check_schemas<'a>(
    held: &Held,
    new: impl IntoIterator<Item = (&'a str, &'a [SchemaColumn])>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, columns) in new {
        let Some(old) = held.datasets.get(name) else { continue };
        for column in &old.schema {
            let message = match columns.iter().find(|new| new.name == column.name) {
                None => format!("{name} would have no column {:?} any more", column.name),
                Some(new) if new.r#type != column.r#type => format!(
                    "the column {:?} of {name} would be of the type {}, and is {}",
                    column.name, new.r#type, column.r#type
                ),
                Some(_) => continue,
            };
            findings.push(Finding::new(Safeguard::SchemaChange, message));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::held::HeldDataset;
    use super::*;

    fn columns(columns: &[(&str, &str)]) -> Vec<SchemaColumn> {
        let column = |(name, r#type): &(&str, &str)| SchemaColumn {
            name: (*name).to_owned(),
            r#type: (*r#type).to_owned(),
        };
        columns.iter().map(column).collect()
    }

    #[test]
    fn a_column_may_come_and_none_may_go_or_change() {
        let schema = columns(&[("a", "string"), ("b", "long")]);
        let dataset = HeldDataset { rows: 1, schema };
        let held = Held { datasets: [("d".to_owned(), dataset)].into(), ..Held::default() };
        let found = |new: &[(&str, &str)]| {
            let new = columns(new);
            let found = check_schemas(&held, [("d", &new[..]), ("other", &[][..])]);
            found.into_iter().map(|finding| finding.message).collect::<Vec<_>>()
        };
        assert!(found(&[("b", "long"), ("a", "string"), ("c", "double")]).is_empty());
        assert_eq!(found(&[("a", "string")]), ["d would have no column \"b\" any more"]);
        let said = found(&[("a", "long"), ("b", "string")]);
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].contains("would be of the type long, and is string"), "{said:?}");
    }
}
