use toml::Spanned;

use super::toml::{Fault, field_type};
use super::toml_form::{ColumnToml, DatasetToml, OnMisfitToml, TypedColumnToml};
use super::{Column, DatasetDefinition, OnMisfit};

pub(super) fn dataset_definition(dataset: &DatasetToml) -> Result<DatasetDefinition, Fault> {
    let name = dataset.name.get_ref();
    let column = |column: &Spanned<ColumnToml>| match column.get_ref() {
        ColumnToml::Named(name) => Ok(Column::named(name)),
        ColumnToml::Typed(typed) => {
            typed_column(typed).map_err(|why| (column.span(), format!("dataset {name:?}: {why}")))
        }
    };
    let columns = dataset.columns.iter().map(column).collect::<Result<Vec<_>, _>>()?;
    let mut definition = DatasetDefinition::new(name, columns);
    if let Some(description) = &dataset.description {
        definition = definition.described(description);
    }
    if let Some(filter) = &dataset.filter {
        definition = definition.with_filter(filter.clone());
    }
    if let Some(by) = &dataset.partition_by {
        definition = definition.partitioned_by(by.as_str());
    }
    Ok(definition)
}

fn typed_column(typed: &TypedColumnToml) -> Result<Column, String> {
    let name = &typed.name;
    let column = match typed.r#type.as_deref().map(field_type).transpose() {
        Ok(None) => Column::named(name),
        Ok(Some(known)) => Column::typed(name, known),
        Err(why) => return Err(format!("the column {name:?} {why}")),
    };
    Ok(match typed.on_misfit {
        None | Some(OnMisfitToml::Quarantine) => column,
        Some(OnMisfitToml::Null) => column.with_misfit(OnMisfit::Null),
    })
}
