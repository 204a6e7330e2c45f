use http::header::HOST;
use http::uri::Authority;
use http::{HeaderMap, HeaderValue};

/// Adds the header `Host`, which events keep, where the host is in the URI alone: on HTTP/2 and
/// HTTP/3, and where a request is written as a proxy gets it.
pub(crate) fn add_host(headers: &mut HeaderMap, authority: Option<&Authority>) {
    let Some(authority) = authority.filter(|_| !headers.contains_key(HOST)) else {
        return;
    };
    // What may stand in front of an @ is a user and a password.
    let host = authority.as_str().rsplit('@').next().unwrap_or_default();
    if let Ok(value) = HeaderValue::from_str(host) {
        headers.insert(HOST, value);
    }
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
}
