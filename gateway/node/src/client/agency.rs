//! An agency's client of its own country's node.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body_util::Full;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use zeroize::Zeroizing;

use puente_core::envelope::Sign as _;

use crate::client::connection::Connection;
use crate::client::{Answer, ClientError};
use crate::clock::Clock;
use crate::keys::pki::Identity;
use crate::keys::tls::{Alpn, CertificateHolder, client_config, domestic_server};
use crate::keys::{KeyFile, KeyUse, read_private};
use crate::setup::load::tls_time;

/// How long an answer may take: the longest long-poll, and as much again for the largest list.
const ANSWERING: Duration = Duration::from_secs(120);

/// What an agency's system connects with.
pub struct AgencyCredential {
    /// `host:port` of the domestic face.
    pub address: String,
    /// The authority under which it knows the node, PEM.
    pub authority: Vec<u8>,
    /// Its certificate, PEM.
    pub certificate: Vec<u8>,
    /// Its private key, PEM.
    pub key: Zeroizing<Vec<u8>>,
}

impl AgencyCredential {
    /// Reads `address`, `ca.pem`, `client.pem` and `client.key`, as `puente agency add --out` writes them.
    ///
    /// # Errors
    /// `Credential` or `Key` when one cannot be read.
    pub fn read(folder: &Path) -> Result<Self, ClientError> {
        let read = |name: &str| {
            let path = folder.join(name);
            std::fs::read(&path).map_err(|source| ClientError::Credential { path, source })
        };
        let address = String::from_utf8_lossy(&read("address")?).trim().to_owned();
        let key = read_private(&folder.join("client.key")).map_err(crate::keys::KeyError::from)?;
        Ok(Self { address, authority: read("ca.pem")?, certificate: read("client.pem")?, key })
    }

    /// Signs as the agency, with the key of its certificate: consent records and what happens to them.
    ///
    /// # Errors
    /// `Key` when the private key cannot be used.
    pub fn sign(&self, typ: &str, claims: &[u8]) -> Result<String, ClientError> {
        Ok(KeyFile::from_pem(&self.key, KeyUse::Sign)?.signer()?.sign(typ, claims)?)
    }

    /// Whom the certificate names; the node verifies it, the holder only reads it.
    ///
    /// # Errors
    /// `Certificate` when it is not PEM of ours.
    pub fn identity(&self) -> Result<Identity, ClientError> {
        let chain = certificates(&self.certificate)?;
        let own = chain.first().ok_or(ClientError::Certificate)?;
        Identity::from_certificate(own).map_err(|_| ClientError::Certificate)
    }
}

/// A client over one multiplexed connection; clones share it.
#[derive(Clone)]
pub struct AgencyClient {
    connection: Arc<Connection>,
}

impl AgencyClient {
    /// A client with this credential; it connects at the first request.
    ///
    /// # Errors
    /// `Address`, `Certificate`, `Key` or `Tls` when the credential cannot be used.
    pub fn new(credential: &AgencyCredential, clock: Arc<dyn Clock>) -> Result<Self, ClientError> {
        let key = KeyFile::from_pem(&credential.key, KeyUse::Sign)?;
        let own = Arc::new(CertificateHolder::new(certificates(&credential.certificate)?, &key)?);
        let node = domestic_server(&certificates(&credential.authority)?)?;
        let tls = Arc::new(client_config(own, node, tls_time(clock), Alpn::Http2)?);
        Ok(Self { connection: Arc::new(Connection::new(&credential.address, tls)?) })
    }

    /// Asks, and reads the whole answer.
    ///
    /// # Errors
    /// `Unreachable` when nothing was sent, `Unanswered` when the request may have had its effect.
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: impl Into<Bytes>,
    ) -> Result<Answer, ClientError> {
        let address = self.connection.address();
        let uri = format!("https://{address}{path}");
        let mut request = Request::builder().method(method).uri(uri).body(Full::new(body.into()))?;
        *request.headers_mut() = headers;
        let asking = async { Answer::read(self.connection.send(request).await?, address).await };
        tokio::time::timeout(ANSWERING, asking).await.unwrap_or_else(|_| {
            Err(ClientError::Unanswered { address: address.to_owned(), why: "time ran out".to_owned() })
        })
    }

    /// Asks for a resource.
    ///
    /// # Errors
    /// As [`AgencyClient::request`].
    pub async fn get(&self, path: &str) -> Result<Answer, ClientError> {
        self.request(Method::GET, path, HeaderMap::new(), Bytes::new()).await
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, ClientError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    read.ok().filter(|certificates| !certificates.is_empty()).ok_or(ClientError::Certificate)
}
