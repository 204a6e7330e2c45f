use http::header::HOST;
use http::uri::Authority;
use http::{HeaderMap, HeaderValue};

/// Adds the header `Host`, which events keep, where the host is in the URI alone: on HTTP/2 and
/// HTTP/3, and where a request is written as a proxy gets it. Of a header that is there, what stands
/// in front of an `@` is taken away: that is a user and a password, which events must not keep.
pub(crate) fn add_host(headers: &mut HeaderMap, authority: Option<&Authority>) {
    if headers.contains_key(HOST) {
        for host in headers.iter_mut().filter_map(|(name, host)| (name == HOST).then_some(host)) {
            if host.as_bytes().contains(&b'@') {
                *host = without_user(host.as_bytes());
            }
        }
    } else if let Some(authority) = authority {
        headers.insert(HOST, without_user(authority.as_str().as_bytes()));
    }
}

fn without_user(authority: &[u8]) -> HeaderValue {
    let host = authority.rsplit(|byte| *byte == b'@').next().unwrap_or_default();
    HeaderValue::from_bytes(host).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(authority: Option<&str>, header: Option<&str>) -> Option<String> {
        let header = header.map(|host| (HOST, host.parse().unwrap()));
        let mut headers = HeaderMap::from_iter(header);
        add_host(&mut headers, authority.map(|text| text.parse().unwrap()).as_ref());
        let host = headers.get(HOST)?;
        Some(host.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_host_in_the_uri_alone_becomes_the_header() {
        let authority = Some("user:pass@a.example:81");
        assert_eq!(host(authority, None).unwrap(), "a.example:81");
        assert_eq!(host(authority, Some("b.example")).unwrap(), "b.example");
        assert_eq!(host(None, None), None);
    }

    #[test]
    fn a_host_has_no_user_and_no_password() {
        for header in ["ada:secret@b.example", "ada@secret@b.example", "@b.example"] {
            for authority in [None, Some("a.example")] {
                assert_eq!(host(authority, Some(header)).unwrap(), "b.example");
            }
        }
    }
}
