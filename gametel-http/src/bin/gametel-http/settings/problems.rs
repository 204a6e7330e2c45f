//! What is wrong with the settings: as much of it as can be found at once.

use std::fmt;
use std::path::Path;

use super::resolve::Settings;
use super::value::Period;

/// What is wrong, a line each.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<String>);

impl Problems {
    pub(crate) fn lines(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    pub(super) fn one(place: impl fmt::Display, what: impl fmt::Display) -> Self {
        let mut problems = Self::default();
        problems.push(place, what);
        problems
    }

    pub(super) fn push(&mut self, place: impl fmt::Display, what: impl fmt::Display) {
        // An error of another library may have lines of its own.
        let line = format!("{place}: {what}").replace('\n', " ");
        self.0.push(without_credentials(&line));
    }

    pub(super) fn or<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl FromIterator<Self> for Problems {
    fn from_iter<I: IntoIterator<Item = Self>>(parts: I) -> Self {
        Self(parts.into_iter().flat_map(|part| part.0).collect())
    }
}

/// Takes complaints about keys, and says where their values came from.
pub(super) struct Complaints<'a> {
    settings: &'a Settings,
    problems: Problems,
}

impl<'a> Complaints<'a> {
    pub(super) fn about(settings: &'a Settings) -> Self {
        Self { settings, problems: Problems::default() }
    }

    pub(super) fn add(&mut self, key: &str, what: impl fmt::Display) {
        self.problems.push(self.settings.place(key), what);
    }

    /// As [`add`](Self::add), with all that led to the error.
    pub(super) fn add_error(&mut self, key: &str, error: impl Into<anyhow::Error>) {
        let error = error.into();
        self.add(key, format_args!("{error:#}"));
    }

    pub(super) fn unless_positive(&mut self, key: &str, period: Period) {
        if period.0.is_zero() {
            self.add(key, "it must be longer than 0s");
        }
    }

    pub(super) fn unless_some<N: Default + PartialEq>(&mut self, key: &str, number: N) {
        if number == N::default() {
            self.add(key, "it must be more than 0");
        }
    }

    /// Complains of a file that can't be made where it is to be.
    pub(super) fn unless_in_a_folder(&mut self, key: &str, file: &Path) {
        if let Some(folder) = file.parent()
            && !folder.is_dir()
        {
            self.add(key, format_args!("there is no folder {}", folder.display()));
        }
    }

    /// Complains of every key in the table that was set. One of the file may have its default, which
    /// changes nothing, and which is what [`Settings::to_toml`] writes.
    #[cfg(feature = "log")]
    pub(super) fn set_in_vain(&mut self, table: &str, why: &str) {
        for key in self.settings.changed_in(table) {
            self.add(&key, why);
        }
    }

    pub(super) fn into_problems(self) -> Problems {
        self.problems
    }
}

/// The text, with what may be the credentials of a URL in it replaced: whatever stands between a
/// `//` and the last `@` of the same word.
fn without_credentials(text: &str) -> String {
    let word = |word: &str| match (word.find("//"), word.rfind('@')) {
        (Some(start), Some(end)) if start < end => {
            format!("{}//***{}", &word[..start], &word[end..])
        }
        _ => word.to_owned(),
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::without_credentials;

    #[test]
    fn credentials_of_a_url_are_taken_out() {
        for (text, without) in [
            ("no x://u:p@h:1/t, it", "no x://***@h:1/t, it"),
            ("\"x://u:p@q@h\" is", "\"x://***@h\" is"),
            ("a@b //c", "a@b //c"),
            ("kafka://h:1/t", "kafka://h:1/t"),
        ] {
            assert_eq!(without_credentials(text), without);
        }
    }
}
