//! The OpenAPI 3.1 document of the domestic face, as it is served. A test compares its paths with the router's.

use axum::response::{IntoResponse as _, Response};
use http::header;

/// The document.
const DOCUMENT: &str = include_str!("openapi.json");

/// `GET /openapi.json`.
pub async fn document() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT).into_response()
}
