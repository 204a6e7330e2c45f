//! The header `Content-Encoding`: which codings a body has, and which of them are known here.

use http::HeaderMap;
use http::header::CONTENT_ENCODING;

use crate::error::ApiError;

/// The codings that are known here, as `Accept-Encoding` lists them.
pub(crate) const ACCEPTED: &str =
    if cfg!(feature = "zstd") { "gzip, deflate, zstd" } else { "gzip, deflate" };

/// How many codings one body may have: each of them costs memory, and nobody needs more.
const MOST: usize = 2;

/// One way to write a body shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    Gzip,
    Deflate,
    #[cfg(feature = "zstd")]
    Zstd,
}

/// Why a body can't be decoded, as far as its headers say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum UnsupportedCoding {
    Unknown(String),
    TooMany,
}

impl From<UnsupportedCoding> for ApiError {
    fn from(unsupported: UnsupportedCoding) -> Self {
        let message = match unsupported {
            UnsupportedCoding::Unknown(name) => format!("the content coding {name:?} is not known"),
            UnsupportedCoding::TooMany => format!("a body may have {MOST} content codings"),
        };
        Self::unsupported_encoding(message, ACCEPTED)
    }
}

/// The codings of a body, in the order in which they are undone: the last one was applied last.
///
/// # Errors
///
/// One of them is not known here, or there are more than two.
pub(crate) fn codings(headers: &HeaderMap) -> Result<Vec<Coding>, UnsupportedCoding> {
    let mut codings = Vec::new();
    for value in headers.get_all(CONTENT_ENCODING) {
        for name in value.as_bytes().split(|byte| *byte == b',') {
            let name = name.trim_ascii();
            // An empty element of a list counts for nothing, by RFC 9110.
            if !name.is_empty() && !name.eq_ignore_ascii_case(b"identity") {
                codings.push(Coding::parse(name)?);
            }
        }
    }
    if codings.len() > MOST {
        return Err(UnsupportedCoding::TooMany);
    }
    codings.reverse();
    Ok(codings)
}

impl Coding {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            #[cfg(feature = "zstd")]
            Self::Zstd => "zstd",
        }
    }

    fn parse(name: &[u8]) -> Result<Self, UnsupportedCoding> {
        match name.to_ascii_lowercase().as_slice() {
            b"gzip" | b"x-gzip" => Ok(Self::Gzip),
            b"deflate" => Ok(Self::Deflate),
            #[cfg(feature = "zstd")]
            b"zstd" => Ok(Self::Zstd),
            other => Err(UnsupportedCoding::Unknown(String::from_utf8_lossy(other).into_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(values: &[&'static str]) -> Result<Vec<Coding>, UnsupportedCoding> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(CONTENT_ENCODING, value.parse().unwrap());
        }
        codings(&headers)
    }

    #[test]
    fn codings_are_undone_from_the_last_to_the_first() {
        use Coding::{Deflate, Gzip};
        for (values, expected) in [
            (&[][..], &[][..]),
            (&["", "identity", " , Identity"], &[]),
            (&["gzip"], &[Gzip]),
            (&["X-GZip , identity"], &[Gzip]),
            (&["deflate,gzip"], &[Gzip, Deflate]),
            (&["deflate", "gzip"], &[Gzip, Deflate]),
        ] {
            assert_eq!(parse(values).unwrap(), expected, "{values:?}");
        }
    }

    #[test]
    fn what_is_not_known_or_too_much_is_refused() {
        let unknown = |name: &str| Err(UnsupportedCoding::Unknown(name.to_owned()));
        assert_eq!(parse(&["br"]), unknown("br"));
        assert_eq!(parse(&["gzip, BR"]), unknown("br"));
        assert_eq!(parse(&["gzip;q=1"]), unknown("gzip;q=1"));
        assert_eq!(parse(&["gzip, gzip", "gzip"]), Err(UnsupportedCoding::TooMany));
    }

    #[test]
    fn what_is_offered_is_known() {
        let known: Vec<Coding> =
            ACCEPTED.split(", ").map(|name| Coding::parse(name.as_bytes()).unwrap()).collect();
        assert_eq!(known.len(), if cfg!(feature = "zstd") { 3 } else { 2 });
        for coding in known {
            assert!(ACCEPTED.contains(coding.name()), "{coding:?}");
        }
    }
}
