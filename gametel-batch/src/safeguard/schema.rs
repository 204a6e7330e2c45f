use super::{Finding, Held, Safeguard, Shape};

/// Compares what datasets would look like with what they do. A column more is no finding, and
/// neither is another order: Spark, pyarrow and DuckDB find columns by their names.
pub(crate) fn check_shapes(held: &Held, new: &[(&str, Shape)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, new) in new {
        let Some(old) = held.datasets.get(*name).map(|dataset| &dataset.shape) else { continue };
        let mut found =
            |message: String| findings.push(Finding::new(Safeguard::SchemaChange, message));
        for column in &old.schema {
            match new.schema.iter().find(|new| new.name == column.name) {
                None => found(format!("{name} would have no column {:?} any more", column.name)),
                Some(new) if new.r#type != column.r#type => found(format!(
                    "the column {:?} of {name} would be of the type {}, and is {}",
                    column.name, new.r#type, column.r#type
                )),
                Some(_) => {}
            }
        }
        if old.partition_by != new.partition_by {
            let by = |shape: &Shape| match &shape.partition_by {
                Some(column) => format!("partitioned by {column}"),
                None => "without partitions".to_owned(),
            };
            found(format!("{name} would be {}, and is {}", by(new), by(old)));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::held::HeldDataset;
    use super::*;
    use crate::manifest::SchemaColumn;

    fn shape(columns: &[(&str, &str)], partition_by: Option<&str>) -> Shape {
        let column = |(name, r#type): &(&str, &str)| SchemaColumn {
            name: (*name).to_owned(),
            r#type: (*r#type).to_owned(),
        };
        let schema = columns.iter().map(column).collect();
        Shape { schema, partition_by: partition_by.map(str::to_owned) }
    }

    #[test]
    fn a_column_may_come_and_none_may_go_or_change() {
        let old = shape(&[("a", "string"), ("b", "long")], None);
        let dataset = HeldDataset { rows: 1, shape: old };
        let held = Held { datasets: [("d".to_owned(), dataset)].into(), ..Held::default() };
        let found = |new: &[(&str, &str)], partition_by| {
            let new = [("d", shape(new, partition_by)), ("other", Shape::default())];
            let found = check_shapes(&held, &new);
            found.into_iter().map(|finding| finding.message).collect::<Vec<_>>()
        };
        assert!(found(&[("b", "long"), ("a", "string"), ("c", "double")], None).is_empty());
        assert_eq!(found(&[("a", "string")], None), ["d would have no column \"b\" any more"]);
        let said = found(&[("a", "long"), ("b", "string")], None);
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].contains("would be of the type long, and is string"), "{said:?}");
        let said = found(&[("a", "string"), ("b", "long")], Some("b"));
        assert_eq!(said, ["d would be partitioned by b, and is without partitions"]);
    }
}
