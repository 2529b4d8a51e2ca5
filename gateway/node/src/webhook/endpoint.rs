//! The address of a webhook, parsed once: `https`, one text for one address.
//!
//! Not here: whether it may be called (`config::may_call`). INVARIANT: what is signed as target is what is asked for.

use http::Uri;
use rustls_pki_types::ServerName;

/// Longest address.
const MAX_URL: usize = 1_024;

/// Port of `https`.
const HTTPS: u16 = 443;

/// Where a webhook is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    uri: Uri,
    host: String,
    port: u16,
}

impl Endpoint {
    /// Parses an address: `https`, a host name or IP address, no user, no fragment; written with an explicit path and
    /// without the port of `https`. `None` for any other.
    #[must_use]
    pub fn parse(url: &str) -> Option<Self> {
        let plain = url.len() <= MAX_URL && url.bytes().all(|byte| byte.is_ascii_graphic());
        let uri: Uri = url.parse().ok().filter(|_| plain && !url.contains(['#', '@', '\\']))?;
        let authority = uri.authority().filter(|_| uri.scheme_str() == Some("https"))?;
        let port = match authority.as_str().strip_prefix(authority.host())? {
            "" => HTTPS,
            rest => {
                let digits =
                    rest.strip_prefix(':').filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
                digits.parse().ok().filter(|port| *port != 0)?
            }
        };
        let written = authority.host().to_ascii_lowercase();
        let host = written.trim_start_matches('[').trim_end_matches(']').to_owned();
        ServerName::try_from(host.as_str()).ok()?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let port_text = if port == HTTPS { String::new() } else { format!(":{port}") };
        let uri = format!("https://{written}{port_text}{path}").parse().ok()?;
        Some(Self { uri, host, port })
    }

    /// The address in its one text.
    #[must_use]
    pub const fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The host: a name, or an address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_one_text() {
        for (url, text, host, port) in [
            ("https://IGM.example", "https://igm.example/", "igm.example", 443),
            ("https://igm.example:443/a?b=c", "https://igm.example/a?b=c", "igm.example", 443),
            ("https://127.0.0.1:8443/", "https://127.0.0.1:8443/", "127.0.0.1", 8443),
            ("https://[::1]:8443/x", "https://[::1]:8443/x", "::1", 8443),
        ] {
            let endpoint = Endpoint::parse(url).unwrap();
            assert_eq!(
                (endpoint.uri().to_string().as_str(), endpoint.host(), endpoint.port()),
                (text, host, port)
            );
            assert_eq!(Endpoint::parse(text), Some(endpoint));
        }
    }

    #[test]
    fn what_is_no_plain_https_address_is_refused() {
        for url in [
            "",
            "igm.example",
            "http://igm.example/",
            "https://",
            "https:///path",
            "https://user@igm.example/",
            "https://user:pass@igm.example/",
            "https://igm.example:0/",
            "https://igm.example:99999/",
            "https://igm.example:+443/",
            "https://igm.example:/",
            "https://igm.example/#part",
            "https://igm.example/\\evil",
            "https://igm.example/ space",
            "https://igm.example/\u{f1}",
            "file:///etc/passwd",
        ] {
            assert_eq!(Endpoint::parse(url), None, "{url}");
        }
        assert_eq!(Endpoint::parse(&format!("https://igm.example/{}", "a".repeat(MAX_URL))), None);
    }
}
