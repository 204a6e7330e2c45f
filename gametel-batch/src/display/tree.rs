use std::fmt::Write;

/// Draws a schema as Spark's `printSchema` does, every column being nullable.
///
/// ```
/// use gametel_batch::display::tree;
///
/// let text = tree(&[("raw_event".to_owned(), "string")]);
/// assert_eq!(text, "root\n |-- raw_event: string (nullable = true)\n\n");
/// ```
pub fn tree(columns: &[(String, &str)]) -> String {
    let mut text = String::from("root\n");
    for (name, type_name) in columns {
        writeln!(text, " |-- {name}: {type_name} (nullable = true)")
            .expect("a String takes every write");
    }
    text.push('\n');
    text
}
