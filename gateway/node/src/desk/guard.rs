//! What a browser is told and what it must say: the address it may use, where a form may come from, what a page may load.
//!
//! Not here: sessions (`door`). INVARIANT: a page is served only under the address that was announced, so that no name
//! that is made to point here reads it; a form counts only from a page of ours; no answer stays in a cache.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use super::Room;

/// Nothing is loaded from anywhere else, and nothing of it is shown inside another page. The one script counts clocks.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
    form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// What every answer carries. The referrer stays within the desk: with `no-referrer` a browser hides the origin of our own
/// forms too, and that is what a form is judged by.
const HEADERS: [(HeaderName, &str); 8] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
];

/// The address under which the desk is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    secure: bool,
    hosts: Vec<String>,
}

impl Address {
    /// These names at this port; over TLS or, on loopback, without.
    pub(super) fn of(names: &[String], port: u16, secure: bool) -> Self {
        let usual = if secure { 443 } else { 80 };
        let with_port = names.iter().map(|name| format!("{name}:{port}"));
        let without = names.iter().filter(|_| port == usual).cloned();
        Self { secure, hosts: with_port.chain(without).collect() }
    }

    const fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }

    /// The address as it is announced.
    pub(super) fn url(&self) -> String {
        format!("{}://{}", self.scheme(), self.hosts.first().map_or("", String::as_str))
    }

    /// Whether cookies are for TLS only.
    pub(super) const fn is_secure(&self) -> bool {
        self.secure
    }

    fn is_addressed(&self, headers: &HeaderMap) -> bool {
        let mut said = headers.get_all(header::HOST).iter();
        match (said.next().map(HeaderValue::to_str), said.next()) {
            (Some(Ok(host)), None) => self.hosts.iter().any(|own| own.eq_ignore_ascii_case(host)),
            _ => false,
        }
    }

    /// Whether a form comes from a page of this desk, as the browser states it.
    fn is_own_form(&self, headers: &HeaderMap) -> bool {
        let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let origin = said("origin").and_then(|origin| origin.split_once("://"));
        let own = origin.is_some_and(|(scheme, host)| {
            scheme == self.scheme() && self.hosts.iter().any(|own| own.eq_ignore_ascii_case(host))
        });
        own && said("sec-fetch-site").is_none_or(|site| site == "same-origin")
    }
}

/// Lets through what is addressed to this desk and, when it changes something, comes from its own page.
pub(super) async fn guard(State(room): State<Arc<Room>>, request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let mut response = if !room.address.is_addressed(request.headers()) {
        StatusCode::MISDIRECTED_REQUEST.into_response()
    } else if !reads && !room.address.is_own_form(request.headers()) {
        StatusCode::FORBIDDEN.into_response()
    } else {
        next.run(request).await
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loopback() -> Address {
        Address::of(&["127.0.0.1".to_owned(), "localhost".to_owned()], 8445, false)
    }

    fn headers(said: &[(&'static str, &'static str)]) -> HeaderMap {
        said.iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .fold(HeaderMap::new(), |mut headers, (name, value)| {
                headers.append(name, value);
                headers
            })
    }

    #[test]
    fn only_the_announced_address_is_served() {
        assert!(loopback().is_addressed(&headers(&[("host", "LOCALHOST:8445")])));
        for said in [
            vec![],
            vec![("host", "127.0.0.1")],
            vec![("host", "127.0.0.1:80")],
            vec![("host", "rebound.example:8445")],
            vec![("host", "127.0.0.1:8445"), ("host", "rebound.example")],
        ] {
            assert!(!loopback().is_addressed(&headers(&said)), "{said:?}");
        }
    }

    #[test]
    fn a_form_from_elsewhere_or_from_nowhere_is_not_ours() {
        let own = ("origin", "http://127.0.0.1:8445");
        assert!(loopback().is_own_form(&headers(&[own])));
        assert!(loopback().is_own_form(&headers(&[own, ("sec-fetch-site", "same-origin")])));
        for said in [
            vec![],
            vec![("origin", "null")],
            vec![("origin", "https://127.0.0.1:8445")],
            vec![("origin", "http://127.0.0.1:8446")],
            vec![own, ("sec-fetch-site", "same-site")],
        ] {
            assert!(!loopback().is_own_form(&headers(&said)), "{said:?}");
        }
    }

    #[test]
    fn the_usual_port_may_be_left_out() {
        let named = Address::of(&["desk.example".to_owned()], 443, true);
        assert!(named.is_addressed(&headers(&[("host", "desk.example")])));
        assert!(named.is_own_form(&headers(&[("origin", "https://desk.example")])));
        assert_eq!(named.url(), "https://desk.example:443");
    }

    #[test]
    fn nothing_is_loaded_from_elsewhere_and_no_script_stands_in_a_page() {
        assert!(POLICY.starts_with("default-src 'none'"));
        assert!(!POLICY.contains("unsafe") && !POLICY.contains("http") && !POLICY.contains('*'));
    }
}
