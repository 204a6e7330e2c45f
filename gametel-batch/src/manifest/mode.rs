use std::fmt;

use serde::{Deserialize, Serialize};

/// How a run changes the datasets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Mode {
    /// What it wrote takes the place of what was there.
    Overwrite,
    /// What it wrote is added to what was there.
    Append,
    /// It wrote nothing, and brought back the datasets of an earlier run.
    Rollback,
    /// It decoded records of the quarantine again, and added what it could.
    Replay,
}

impl Mode {
    /// The word for it, as in a manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Overwrite => "overwrite",
            Self::Append => "append",
            Self::Rollback => "rollback",
            Self::Replay => "replay",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_written_as_its_word() {
        for mode in [Mode::Overwrite, Mode::Append, Mode::Rollback, Mode::Replay] {
            assert_eq!(serde_json::to_value(mode).unwrap(), mode.as_str());
        }
    }
}
