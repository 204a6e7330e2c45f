use std::fmt;
use std::time::Duration;

/// How stores on other machines are reached. Local folders need none of it.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct StoreOptions {
    /// After how long without an answer a single request is an error. The default is 60 s.
    pub call_timeout: Duration,
    /// For how long a request is tried again that failed for a reason that may pass: a NameNode that
    /// restarts, or is in safe mode because it has just done so. The default is 60 s.
    pub retry_for: Duration,
    /// How long the output stays locked by a run that was killed. The lock of one that lives is
    /// renewed four times in this time. The default is 60 s.
    pub lock_term: Duration,
    s3: Vec<(String, String)>,
}

impl StoreOptions {
    /// Takes what the usual variables say about S3, of all that begin with `AWS_`: keys, region,
    /// endpoint, and whatever else they name. Other variables are passed over.
    ///
    /// ```
    /// let options = gametel_batch::StoreOptions::default().with_variables(std::env::vars());
    /// # let _ = options;
    /// ```
    #[must_use]
    pub fn with_variables(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.s3.extend(variables.into_iter().filter(|(name, _)| name.starts_with("AWS_")));
        self
    }

    #[cfg(feature = "s3")]
    pub(super) fn s3(&self) -> &[(String, String)] {
        &self.s3
    }
}

impl Default for StoreOptions {
    fn default() -> Self {
        let minute = Duration::from_secs(60);
        Self { call_timeout: minute, retry_for: minute, lock_term: minute, s3: Vec::new() }
    }
}

impl fmt::Debug for StoreOptions {
    /// Shows the variables' names and not what they say: some are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.s3.iter().map(|(name, _)| name).collect();
        f.debug_struct("StoreOptions")
            .field("call_timeout", &self.call_timeout)
            .field("retry_for", &self.retry_for)
            .field("lock_term", &self.lock_term)
            .field("s3", &names)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_show_no_secret_and_take_no_stranger() {
        let variables = [("AWS_SECRET_ACCESS_KEY", "s3cr3t"), ("HOME", "/root")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let shown = format!("{:?}", StoreOptions::default().with_variables(variables));
        assert!(shown.contains("AWS_SECRET_ACCESS_KEY"), "{shown}");
        assert!(!shown.contains("s3cr3t") && !shown.contains("HOME"), "{shown}");
    }
}
