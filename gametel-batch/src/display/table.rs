use unicode_width::UnicodeWidthStr;

use crate::dataset::Head;

use super::printable;

/// Whether long values are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truncate {
    /// Values are cut to this many characters, and set to the right.
    To(usize),
    /// Values are shown whole, and set to the left.
    Never,
}

/// Draws rows as Spark's `show` does.
///
/// Widths are counted as a terminal counts them. Values are made [`printable`].
///
/// ```
/// use gametel_batch::dataset::Head;
/// use gametel_batch::display::{Truncate, table};
///
/// let head = Head {
///     columns: vec!["Host".into()],
///     rows: vec![vec![Some("user1.comcast.com:5000".into())], vec![None]],
///     more: false,
/// };
/// assert_eq!(table(&head, Truncate::To(20)), "\
/// +--------------------+
/// |                Host|
/// +--------------------+
/// |user1.comcast.com...|
/// |                NULL|
/// +--------------------+
///
/// ");
/// ```
pub fn table(head: &Head, truncate: Truncate) -> String {
    let titles: Vec<_> = head.columns.iter().map(|title| cell(title, truncate)).collect();
    let rows: Vec<Vec<_>> = head
        .rows
        .iter()
        .map(|row| row.iter().map(|v| cell(v.as_deref().unwrap_or("NULL"), truncate)).collect())
        .collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|row: &Vec<String>| row[column].width());
        // Spark's columns are at least three wide.
        cells.fold(titles[column].width().max(3), usize::max)
    };
    let widths: Vec<usize> = (0..titles.len()).map(width).collect();

    let rule: String = widths.iter().map(|width| format!("+{}", "-".repeat(*width))).collect();
    let rule = format!("{rule}+\n");
    let line = |cells: &[String]| {
        let mut line = String::from("|");
        for (cell, width) in cells.iter().zip(&widths) {
            let space = " ".repeat(width - cell.width());
            match truncate {
                Truncate::To(_) => line.extend([&space, cell.as_str()]),
                Truncate::Never => line.extend([cell.as_str(), &space]),
            }
            line.push('|');
        }
        line.push('\n');
        line
    };
    let mut text = format!("{rule}{}{rule}", line(&titles));
    text.extend(rows.iter().map(|row| line(row)));
    text.push_str(&rule);
    if head.more {
        let (count, s) = (rows.len(), if rows.len() == 1 { "" } else { "s" });
        text.push_str(&format!("only showing top {count} row{s}\n"));
    } else {
        text.push('\n');
    }
    text
}

fn cell(value: &str, truncate: Truncate) -> String {
    let text = printable(value);
    match truncate {
        Truncate::To(limit) if text.chars().count() > limit => {
            // With no room for the dots, Spark leaves them out.
            let (kept, dots) = if limit < 4 { (limit, "") } else { (limit - 3, "...") };
            text.chars().take(kept).chain(dots.chars()).collect()
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(values: &[&str]) -> Head {
        Head {
            columns: vec!["v".into()],
            rows: values.iter().map(|value| vec![Some((*value).to_owned())]).collect(),
            more: true,
        }
    }

    #[test]
    fn whole_values_are_set_to_the_left() {
        let text = table(&head(&["a long value that is not cut", "b"]), Truncate::Never);
        assert!(
            text.contains("|a long value that is not cut|\n|b                           |"),
            "{text}"
        );
        assert!(text.ends_with("only showing top 2 rows\n"));
    }

    #[test]
    fn a_value_can_not_steer_the_terminal() {
        let text = table(&head(&["a\u{1b}[2Jb\n", "\u{9b}31m"]), Truncate::Never);
        assert!(!text.contains('\u{1b}') && !text.contains('\u{9b}'), "{text:?}");
        assert!(text.contains("a\\u{1b}[2Jb\\n"), "{text}");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        let text = table(&head(&["ギルド", "abcdef"]), Truncate::To(20));
        assert!(text.contains("+------+\n") && text.contains("|ギルド|\n|abcdef|"), "{text}");
    }
}
