//! Reading a request body within bounds of size and time.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use serde::de::DeserializeOwned;
use serde_json::Value;

use puente_core::json::{self, StrictError};
use puente_core::problem::{self, Problem};

/// The whole body, at most `limit` bytes, within `seconds`.
///
/// # Errors
/// `body.too_large` with the limit, `body.incomplete` when it stops arriving.
pub async fn read_body(body: axum::body::Body, limit: usize, seconds: u64) -> Result<Bytes, Problem> {
    let collected =
        tokio::time::timeout(Duration::from_secs(seconds), Limited::new(body, limit).collect()).await;
    match collected {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            Err(Problem::new(&problem::BODY_TOO_LARGE).because(format!("limit {limit} bytes")))
        }
        Ok(Err(_)) | Err(_) => Err(Problem::new(&problem::BODY_INCOMPLETE)),
    }
}

/// A JSON body, strictly read.
///
/// # Errors
/// `body.encoding`, `body.duplicate_member`, `body.malformed` with the place.
pub fn read_value(bytes: &[u8]) -> Result<Value, Problem> {
    json::parse(bytes, json::MAX_DEPTH).map_err(|error| {
        let kind = match error {
            StrictError::Utf8 { .. } => &problem::BODY_ENCODING,
            StrictError::Duplicate { .. } => &problem::BODY_DUPLICATE_MEMBER,
            _ => &problem::BODY_MALFORMED,
        };
        Problem::new(kind).because(error.to_string())
    })
}

/// A JSON body, strictly read, then of the form `T`.
///
/// # Errors
/// As `read_value`, and `body.malformed` when it is of another form.
pub fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_value(read_value(bytes)?).map_err(|error| other_form(&error))
}

/// What may be told of JSON that is not of its form.
#[must_use]
pub fn other_form(error: &serde_json::Error) -> Problem {
    // serde's text may repeat a value; only names of fields are safe to tell.
    let text = error.to_string();
    let safe = text.starts_with("unknown field") || text.starts_with("missing field");
    let problem = Problem::new(&problem::BODY_MALFORMED);
    if safe {
        problem.because(text.split(", expected").next().unwrap_or_default())
    } else {
        problem.because("a field has another form than the API describes")
    }
}
