use std::error::Error;

use crate::error::{BatchError, ErrorKind};

/// Why a request of S3 was not done, on one line.
#[derive(Debug)]
pub(super) struct Trouble {
    reason: Reason,
    line: String,
}

/// What kind of reason it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// There is no such object.
    Absent,
    /// The condition of a put does not hold.
    Condition,
    /// The keys may not, or are none.
    Denied,
    /// Nothing comes back.
    Silent,
    /// Anything else: as a rule the network, or S3 itself.
    Other,
}

impl Trouble {
    pub(super) fn new(reason: Reason, line: impl Into<String>) -> Self {
        Self { reason, line: line.into() }
    }

    pub(super) fn reason(&self) -> Reason {
        self.reason
    }

    pub(super) fn line(&self) -> &str {
        &self.line
    }

    pub(super) fn into_error(self, message: String) -> BatchError {
        let before = match self.reason {
            Reason::Denied => "access denied: ",
            _ => "",
        };
        BatchError::new(ErrorKind::Failed, message).with_source(format!("{before}{}", self.line))
    }
}

impl From<object_store::Error> for Trouble {
    fn from(error: object_store::Error) -> Self {
        use object_store::Error as Theirs;

        let line = line_of(&error);
        let reason = match error {
            // A bucket that is not there is no object that is not there.
            Theirs::NotFound { .. } if line.contains("NoSuchBucket") => Reason::Other,
            Theirs::NotFound { .. } => Reason::Absent,
            Theirs::AlreadyExists { .. }
            | Theirs::Precondition { .. }
            | Theirs::NotModified { .. } => Reason::Condition,
            Theirs::PermissionDenied { .. } | Theirs::Unauthenticated { .. } => Reason::Denied,
            _ => Reason::Other,
        };
        Self { reason, line }
    }
}

/// `Code: Message` of S3's answer where there is one, else the innermost cause.
fn line_of(error: &object_store::Error) -> String {
    let mut innermost: &dyn Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    for text in [error.to_string(), innermost.to_string()] {
        if let Some(code) = element(&text, "Code") {
            let message = element(&text, "Message").unwrap_or_default();
            return format!("{code}: {message}").lines().collect::<Vec<_>>().join(" ");
        }
    }
    let (outer, inner) = (first_line(&error.to_string()), first_line(&innermost.to_string()));
    if outer.contains(&inner) { outer } else { format!("{outer}: {inner}") }
}

fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    Some(rest.split_once("</")?.0)
}

fn first_line(text: &str) -> String {
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned()
}

pub(super) fn absent_is_none<T>(result: Result<T, Trouble>) -> Result<Option<T>, Trouble> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(trouble) if trouble.reason() == Reason::Absent => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

#[cfg(test)]
mod tests {
    use object_store::Error as Theirs;

    use super::*;

    fn not_found(code: &str) -> Theirs {
        let body = format!(
            "404: <?xml version=\"1.0\"?>\n<Error>\n<Code>{code}</Code>\n<Message>It is \
             not\nthere</Message>\n</Error>"
        );
        Theirs::NotFound { path: "x".to_owned(), source: body.into() }
    }

    #[test]
    fn an_answer_in_xml_is_one_line() {
        let trouble = Trouble::from(not_found("NoSuchKey"));
        assert_eq!(trouble.reason(), Reason::Absent);
        let error = trouble.into_error("s3://b/x can't be read".to_owned());
        assert_eq!(error.one_line(), "s3://b/x can't be read: NoSuchKey: It is not there");
    }

    #[test]
    fn a_bucket_that_is_not_there_is_no_absent_object() {
        let trouble = Trouble::from(not_found("NoSuchBucket"));
        assert_eq!(trouble.reason(), Reason::Other);
        assert!(absent_is_none::<()>(Err(trouble)).is_err());
    }
}
