//! The operator's client of a running node, over the Unix socket in its home.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

use crate::client::{Answer, ClientError};

/// How long an answer may take: a peer is asked over the network.
const ANSWERING: Duration = Duration::from_secs(30);

/// A client of one node's admin listener; one connection per request.
#[derive(Debug, Clone)]
pub struct AdminClient {
    socket: PathBuf,
}

impl AdminClient {
    /// Of the node whose socket this is.
    #[must_use]
    pub fn at(socket: &Path) -> Self {
        Self { socket: socket.to_owned() }
    }

    /// Asks, and reads the whole answer.
    ///
    /// # Errors
    /// `Unreachable` when no node runs on this home, `Unanswered` when the request may have had its effect.
    pub async fn request(&self, method: Method, path: &str) -> Result<Answer, ClientError> {
        self.send(method, path, Bytes::new()).await
    }

    /// Posts a JSON body, and reads the whole answer.
    ///
    /// # Errors
    /// As [`AdminClient::request`].
    pub async fn post(&self, path: &str, body: Vec<u8>) -> Result<Answer, ClientError> {
        self.send(Method::POST, path, body.into()).await
    }

    async fn send(&self, method: Method, path: &str, body: Bytes) -> Result<Answer, ClientError> {
        let address = self.socket.display().to_string();
        let asking = self.ask(method, path, body, &address);
        tokio::time::timeout(ANSWERING, asking).await.unwrap_or_else(|_| {
            Err(ClientError::Unanswered { address: address.clone(), why: "time ran out".to_owned() })
        })
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        address: &str,
    ) -> Result<Answer, ClientError> {
        let unreachable = |why: &dyn std::fmt::Display| ClientError::Unreachable {
            address: address.to_owned(),
            why: why.to_string(),
        };
        let stream = UnixStream::connect(&self.socket).await.map_err(|error| unreachable(&error))?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| unreachable(&error))?;
        tokio::spawn(async move {
            // Its end is told to the one request on it.
            let _ = connection.await;
        });
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "admin")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))?;
        let response = sender.send_request(request).await.map_err(|error| ClientError::Unanswered {
            address: address.to_owned(),
            why: error.to_string(),
        })?;
        Answer::read(response, address).await
    }
}
