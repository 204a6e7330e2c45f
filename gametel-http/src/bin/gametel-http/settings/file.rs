//! The configuration file: its text, and where in it a value stands.

use std::path::Path;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::{Step, faults_of};
use super::layer::{Key, Layer, Origin};
use super::problems::Problems;

/// A line, if it is known, and what is wrong there.
type Finding = (Option<usize>, String);

/// Reads the file, and holds its values to their types.
///
/// # Errors
///
/// All that is wrong, with line and key.
pub(super) fn read(path: &Path) -> Result<Layer, Problems> {
    let failed = |mut findings: Vec<Finding>| {
        findings.sort();
        let mut problems = Problems::default();
        for (line, what) in findings {
            match line {
                Some(line) => problems.push(format_args!("{}:{line}", path.display()), what),
                None => problems.push(path.display(), what),
            }
        }
        problems
    };
    let text = std::fs::read_to_string(path)
        .map_err(|error| failed(vec![(None, format!("it can't be read: {error}"))]))?;
    parse(&text, path).map_err(failed)
}

fn parse(text: &str, path: &Path) -> Result<Layer, Vec<Finding>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let finding = |error: toml::de::Error| {
        let line = error.span().map(|span| line_at(text, span.start));
        (line, error.message().to_owned())
    };
    if !errors.is_empty() {
        // With some of the text misread, its values would be complained of for nothing.
        return Err(errors.into_iter().map(finding).collect());
    }
    let table: toml::Table = text.parse().map_err(|error| vec![finding(error)])?;
    let mut places = Places { text, path: path.into(), layer: Layer::default() };
    places.collect(document.get_ref(), &table, &mut Key::new());

    let mut findings = Vec::new();
    for fault in faults_of(table) {
        let offset = offset_of(document.get_ref(), &fault.path);
        findings.push((offset.map(|offset| line_at(text, offset)), fault.to_string()));
    }
    if findings.is_empty() { Ok(places.layer) } else { Err(findings) }
}

struct Places<'a> {
    text: &'a str,
    path: Arc<Path>,
    layer: Layer,
}

impl Places<'_> {
    /// Takes each value in `table`, and where the key stands that `spans` has for it.
    fn collect(&mut self, spans: &DeTable<'_>, table: &toml::Table, key: &mut Key) {
        for (name, span) in spans {
            let Some(value) = table.get(name.get_ref().as_ref()) else { continue };
            key.push(name.get_ref().to_string());
            match (span.get_ref(), value) {
                (DeValue::Table(spans), toml::Value::Table(table)) => {
                    self.collect(spans, table, key);
                }
                (_, value) => {
                    let line = line_at(self.text, name.span().start);
                    let origin = Origin::File { path: Arc::clone(&self.path), line };
                    self.layer.insert(key.clone(), value.clone(), origin);
                }
            }
            key.pop();
        }
    }
}

/// Where the last step of the path that is there stands.
fn offset_of(root: &DeTable<'_>, path: &[Step]) -> Option<usize> {
    let (first, rest) = path.split_first()?;
    let Step::Key(name) = first else { return None };
    let (key, value) = root.get_key_value(name.as_str())?;
    Some(offset_within(value, rest).unwrap_or(key.span().start))
}

fn offset_within(value: &Spanned<DeValue<'_>>, path: &[Step]) -> Option<usize> {
    match (value.get_ref(), path) {
        (DeValue::Table(table), [Step::Key(_), ..]) => offset_of(table, path),
        (DeValue::Array(array), [Step::Index(index), rest @ ..]) => {
            let element = array.get(*index)?;
            Some(offset_within(element, rest).unwrap_or(element.span().start))
        }
        _ => None,
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    let before = text.get(..offset).unwrap_or(text);
    1 + before.bytes().filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str) -> Vec<String> {
        let mut findings = parse(text, Path::new("x.toml")).err().unwrap_or_default();
        findings.sort();
        findings.iter().map(|(line, what)| format!("{}: {what}", line.unwrap_or(0))).collect()
    }

    #[test]
    fn every_mistake_is_found_with_its_line_and_key() {
        let text = "colour = 1\n[server]\nlisten = \"somewhere\"\nmax_connections = 0\n\
                    [limits]\nbody_bytes = \"1MB\"\n\nbody_timeout = true\n[sink.topic]\nparts = 2\n\
                    [log]\nformat = \"xml\"\n[nothing]\n";
        let want = [
            "1: colour: unknown field `colour`, expected one of ",
            "3: server.listen: invalid socket address syntax",
            "4: server.max_connections: invalid value: integer `0`, expected a nonzero u32",
            "6: limits.body_bytes: \"1MB\" is no size",
            "8: limits.body_timeout: invalid type: boolean `true`, expected a length of time",
            "10: sink.topic.parts: unknown field `parts`, expected `partitions` or `replication`",
            "12: log.format: unknown variant `xml`, expected `text` or `json`",
            "13: nothing: unknown field `nothing`",
        ];
        let mut found = findings(text);
        // In the order of the numbers, not of their digits.
        found.sort_by_key(|line| line.split(':').next().and_then(|line| line.parse::<u32>().ok()));
        assert_eq!(found.len(), want.len(), "{found:#?}");
        for (found, want) in found.iter().zip(want) {
            assert!(found.starts_with(want), "{found}\n is not {want}");
        }
    }

    #[test]
    fn what_is_no_toml_is_named_by_line() {
        let found = findings("[server]\nlisten = \n[limits\nevents = 1\n");
        assert!(found.len() > 1 && found[0].starts_with("2: "), "{found:#?}");
        let found = findings("[server]\nlisten = \"127.0.0.1:1\"\nlisten = \"127.0.0.1:2\"\n");
        assert!(found[0].starts_with("3: duplicate key"), "{found:#?}");
    }

    #[test]
    fn values_know_their_line() {
        let text = "server.listen = \"127.0.0.1:1\"\n[sink]\n\ntopic = { partitions = 2 }\n";
        let layer = parse(text, Path::new("x.toml")).unwrap();
        let origins: Vec<_> =
            layer.origins().map(|(key, origin)| format!("{} {origin}", key.join("."))).collect();
        assert_eq!(origins, ["server.listen x.toml:1", "sink.topic.partitions x.toml:4"]);
    }
}
