//! Answers: JSON, and problems as RFC 9457 `application/problem+json` in Spanish and English.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::json;

use puente_core::problem::{Problem, Retry};

/// A problem as an HTTP answer.
#[derive(Debug, Clone)]
pub struct ProblemReply(pub Problem);

impl From<Problem> for ProblemReply {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for ProblemReply {
    fn into_response(self) -> Response {
        let Problem { kind, field, detail, rule } = self.0;
        let status = StatusCode::from_u16(kind.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = json!({
            "type": format!("urn:puente:problem:{}", kind.code),
            "status": kind.status,
            "code": kind.code,
            "title": kind.en,
            "es": kind.es,
            "en": kind.en,
            "fault": kind.fault,
            "retry": kind.retry,
            "field": field,
            "detail": detail,
            "rule": rule,
        });
        let mut response = json_reply(status, &body);
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if kind.retry == Retry::Later && matches!(kind.status, 429 | 503) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response.extensions_mut().insert(ProblemCode(kind.code));
        response
    }
}

/// Left in the answer for the layer that counts problems.
#[derive(Debug, Clone, Copy)]
pub struct ProblemCode(pub &'static str);

/// A JSON answer.
pub fn json_reply<T: Serialize>(status: StatusCode, body: &T) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => {
            (status, [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], bytes)
                .into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
