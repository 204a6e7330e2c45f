use std::borrow::Cow;
use std::collections::HashSet;

use super::secret::{is_secret, plain};

/// Headers that are kept unless told otherwise, in the order in which the seed wrote them.
const KEPT_BY_DEFAULT: [&str; 3] = ["Host", "User-Agent", "Accept"];

/// A request header that an event keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventHeader {
    name: Box<str>,
    value: Box<str>,
}

impl EventHeader {
    /// The header's name in Title-Case, such as `User-Agent`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The header's value; of a header that was sent more than once, the values joined with `, `.
    pub fn value(&self) -> &str {
        &self.value
    }
}

/// What [`HeaderRule::apply`] made of a request's headers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptHeaders {
    /// The kept headers, each name once, in the rule's order.
    pub headers: Vec<EventHeader>,
    /// How many header values were not UTF-8, and kept with U+FFFD in place of the odd bytes.
    pub lossy: usize,
}

/// Which request headers an event keeps: an allowlist, less what is secret.
///
/// Names are matched in any case. The default keeps `Host`, `User-Agent` and `Accept`.
///
/// ```
/// use gametel_core::header::HeaderRule;
///
/// let rule = HeaderRule::new(["Host", "x-game-version"], ["X-Device"])?;
/// let kept = rule.apply([("HOST", &b"a.example"[..]), ("x-game-version", b"1.2"), ("cookie", b"s=1")]);
/// let names: Vec<_> = kept.headers.iter().map(|header| header.name()).collect();
/// assert_eq!(names, ["Host", "X-Game-Version"]);
///
/// // What is secret can't be kept, and asking for it is an error rather than ignored.
/// assert!(HeaderRule::new(["Authorization"], [""; 0]).is_err());
/// assert!(HeaderRule::new(["x-device"], ["X-Device"]).is_err());
/// # Ok::<(), gametel_core::header::HeaderRuleError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderRule {
    kept: Vec<Box<str>>,
}

impl Default for HeaderRule {
    fn default() -> Self {
        Self { kept: KEPT_BY_DEFAULT.map(Box::from).to_vec() }
    }
}

impl HeaderRule {
    /// A rule that keeps the headers named in `kept`, in that order, where those named in `secret`
    /// count as credentials beside the built-in ones.
    ///
    /// Built in are the names that end in what credentials are called, such as `token`, `secret`,
    /// `password`, `otp`, `api-key`, `auth`, `authorization`, `cookie`, `session-id` and `ticket`, and
    /// some that do not say what they are. Upper case, hyphens, underscores and other marks make no
    /// other name of one.
    ///
    /// # Errors
    ///
    /// A name in `kept` is secret, is there twice, or is no header name at all.
    pub fn new<K: AsRef<str>, S: AsRef<str>>(
        kept: impl IntoIterator<Item = K>,
        secret: impl IntoIterator<Item = S>,
    ) -> Result<Self, HeaderRuleError> {
        let mut secrets = HashSet::new();
        for name in secret {
            secrets.insert(plain(&checked_name(name.as_ref())?));
        }
        let mut rule = Self { kept: Vec::new() };
        for name in kept {
            let name = checked_name(name.as_ref())?;
            let plain = plain(&name);
            if is_secret(&plain) || secrets.contains(&plain) {
                return Err(HeaderRuleError::Secret { name });
            }
            if rule.kept.iter().any(|kept| **kept == *name) {
                return Err(HeaderRuleError::Repeated { name });
            }
            rule.kept.push(name.into());
        }
        Ok(rule)
    }

    /// The names of the kept headers, in Title-Case.
    pub fn kept(&self) -> impl Iterator<Item = &str> {
        self.kept.iter().map(AsRef::as_ref)
    }

    /// Picks the kept ones of a request's headers: (name, value) pairs in the order in which they
    /// came.
    pub fn apply<'a>(&self, headers: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> KeptHeaders {
        let mut lossy = 0;
        let mut values: Vec<Option<Cow<'a, str>>> = vec![None; self.kept.len()];
        for (name, value) in headers {
            let Some(place) = self.kept.iter().position(|kept| kept.eq_ignore_ascii_case(name))
            else {
                continue;
            };
            let text = String::from_utf8_lossy(value);
            lossy += usize::from(matches!(text, Cow::Owned(_)));
            values[place] = Some(match values[place].take() {
                None => text,
                Some(earlier) => Cow::Owned(format!("{earlier}, {text}")),
            });
        }
        let headers = self.kept.iter().zip(values).filter_map(|(name, value)| {
            Some(EventHeader { name: name.clone(), value: value?.into() })
        });
        KeptHeaders { headers: headers.collect(), lossy }
    }
}

/// Checks that a name can be a header's (RFC 9110 §5.1), and puts it in Title-Case.
fn checked_name(name: &str) -> Result<String, HeaderRuleError> {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(token) {
        return Err(HeaderRuleError::NotAName { name: name.to_owned() });
    }
    Ok(title_case(name))
}

/// `user-agent` → `User-Agent`.
fn title_case(name: &str) -> String {
    let mut start = true;
    name.chars()
        .map(|character| {
            let cased =
                if start { character.to_ascii_uppercase() } else { character.to_ascii_lowercase() };
            start = character == '-';
            cased
        })
        .collect()
}

/// Why a [`HeaderRule`] can't be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderRuleError {
    /// The header carries credentials.
    #[error("the header {name} is secret and can't be kept")]
    Secret {
        /// The header's name.
        name: String,
    },
    /// The header is named twice.
    #[error("the header {name} is named twice")]
    Repeated {
        /// The header's name.
        name: String,
    },
    /// The name has characters that no header name has.
    #[error("{name:?} is no header name")]
    NotAName {
        /// The name as it was given.
        name: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(kept: &KeptHeaders) -> Vec<String> {
        kept.headers.iter().map(|header| format!("{}: {}", header.name(), header.value())).collect()
    }

    #[test]
    fn repeated_headers_are_joined_and_odd_bytes_counted() {
        let kept = HeaderRule::default().apply([
            ("accept", &b"text/html"[..]),
            ("user-agent", b"caf\xe9"),
            ("ACCEPT", b"*/*"),
            ("x-other", b"\xff"),
        ]);
        assert_eq!(texts(&kept), ["User-Agent: caf\u{fffd}", "Accept: text/html, */*"]);
        assert_eq!(kept.lossy, 1);
    }

    #[test]
    fn the_default_is_a_rule_that_may_be() {
        let default = HeaderRule::default();
        assert_eq!(HeaderRule::new(default.kept(), [""; 0]), Ok(default.clone()));
    }

    #[test]
    fn names_must_be_names_and_differ() {
        for odd in ["", "a b", "Cookie ", "é", "a:b"] {
            let error = HeaderRule::new([odd], [""; 0]).unwrap_err();
            assert!(matches!(error, HeaderRuleError::NotAName { .. }), "{odd:?}");
        }
        let error = HeaderRule::new(["Host", "HOST"], [""; 0]).unwrap_err();
        assert_eq!(error, HeaderRuleError::Repeated { name: "Host".into() });
    }
}
