//! A whole answer, read within bounds.

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use serde::de::DeserializeOwned;

use crate::client::ClientError;

/// Longest answer: a list of the largest allowed operation with its history.
const MAX_ANSWER_BYTES: usize = 256 << 20;

/// An answer of the node, whatever it says.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Header fields.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl Answer {
    /// Reads the body.
    pub(super) async fn read(response: Response<Incoming>, address: &str) -> Result<Self, ClientError> {
        let (parts, body) = response.into_parts();
        let collected = Limited::new(body, MAX_ANSWER_BYTES).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                ClientError::TooLong(address.to_owned())
            } else {
                ClientError::Unanswered { address: address.to_owned(), why: error.to_string() }
            }
        })?;
        Ok(Self { status: parts.status, headers: parts.headers, body: collected.to_bytes() })
    }

    /// The body as JSON of the form `T`.
    ///
    /// # Errors
    /// `Form` when it is not.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, ClientError> {
        serde_json::from_slice(&self.body).map_err(|_| ClientError::Form)
    }
}
