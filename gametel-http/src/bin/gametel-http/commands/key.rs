//! `gametel-http key`: makes keys.

use std::io::{self, Write};
use std::num::NonZeroU32;

use clap::{Args, Subcommand};
use gametel_core::event::Timestamp;
use gametel_http::{ApiKey, KeyEntry, KeyError, KeyOptions, KeyRing};

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key. The key is shown once, on stderr; its entry for the key file goes to stdout, so
    /// that `>> keys.toml` adds it.
    New(NewKey),
}

#[derive(Debug, Args)]
pub(crate) struct NewKey {
    /// The game or application that gets the key: letters, digits, '.', '_' and '-'.
    #[arg(long)]
    name: String,
    /// An event type that the key may write; without this, every one. Can be repeated.
    #[arg(long, value_name = "TYPE", value_delimiter = ',')]
    event_type: Vec<String>,
    /// How many requests a second the key may make in the long run.
    #[arg(long, value_name = "N")]
    requests_per_second: Option<NonZeroU32>,
    /// How many it may make at once after a rest.
    #[arg(long, value_name = "N", requires = "requests_per_second")]
    burst: Option<NonZeroU32>,
    /// From when on the key is refused, such as 2027-01-01T00:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = time)]
    expires: Option<Time>,
}

/// A time, and how it was typed, which is how the entry says it.
#[derive(Clone, Debug)]
struct Time(Timestamp, String);

fn time(text: &str) -> Result<Time, &'static str> {
    let at = Timestamp::from_rfc3339(text).ok_or("this is no time with a zone")?;
    Ok(Time(at, text.to_owned()))
}

/// Why no key was made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyCommandError {
    #[error("the key can't be made")]
    Key(#[from] KeyError),
    #[error("the key can't be printed")]
    Print(#[from] io::Error),
}

impl KeyCommand {
    pub(crate) fn run(self) -> Result<(), KeyCommandError> {
        let Self::New(new) = self;
        let key = ApiKey::generate();
        let entry = new.entry(&key);
        // What the server would refuse is not made in the first place.
        KeyRing::open(KeyOptions::default().with_entries([entry.clone()]))?;
        writeln!(io::stdout(), "{}", new.toml(&entry))?;
        writeln!(io::stderr(), "the key of {}, shown this once: {}", entry.name, key.reveal())?;
        Ok(())
    }
}

impl NewKey {
    fn entry(&self, key: &ApiKey) -> KeyEntry {
        let mut entry = KeyEntry::new(&self.name, key.hash());
        if !self.event_type.is_empty() {
            entry.event_types = Some(self.event_type.clone());
        }
        entry.requests_per_second = self.requests_per_second;
        entry.burst = self.burst;
        entry.expires = self.expires.as_ref().map(|time| time.0);
        entry
    }

    fn toml(&self, entry: &KeyEntry) -> String {
        let mut table = toml::Table::new();
        table.insert("name".into(), entry.name.clone().into());
        table.insert("hash".into(), entry.hash.to_string().into());
        if let Some(types) = &entry.event_types {
            table.insert("event_types".into(), types.clone().into());
        }
        if let Some(requests) = entry.requests_per_second {
            table.insert("requests_per_second".into(), i64::from(requests.get()).into());
        }
        if let Some(burst) = entry.burst {
            table.insert("burst".into(), i64::from(burst.get()).into());
        }
        if let Some(Time(_, text)) = &self.expires {
            table.insert("expires".into(), text.clone().into());
        }
        format!("[[key]]\n{}", table.to_string().trim_end())
    }
}
