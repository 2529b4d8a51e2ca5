//! HTTP message signatures (RFC 9421) with a content digest (RFC 9530): a request that its receiver can verify with the
//! sender's JWK and a stock library.
//!
//! Not here: JOSE, and who may be called. INVARIANT: a signature is made over a signature base alone, which starts with a
//! quoted component name, so that it can never pass for a JWS made with the same key.

use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue, Request, header};
use puente_core::ids::{Digest, KeyId};

use super::jose::KeyPair;

/// The label of our signature in the dictionaries of RFC 9421 section 4.
const LABEL: &str = "puente";

/// What the signature is for (RFC 9421 section 2.3, `tag`): one made for something else is not taken for it.
const TAG: &str = "puente-event";

/// Longest validity, seconds: a receiver's clock may be two minutes off, and a call takes seconds.
const VALID_SECONDS: i64 = 300;

/// `content-digest` (RFC 9530 section 2).
pub const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");
/// `signature-input` (RFC 9421 section 4.1).
pub const SIGNATURE_INPUT: HeaderName = HeaderName::from_static("signature-input");
/// `signature` (RFC 9421 section 4.2).
pub const SIGNATURE: HeaderName = HeaderName::from_static("signature");

/// The request cannot be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("request cannot be signed")]
pub struct NotSigned;

/// Signs requests with one private key.
#[derive(Clone)]
pub struct HttpSigner {
    id: KeyId,
    pair: Arc<KeyPair>,
}

impl HttpSigner {
    pub(super) fn new(id: KeyId, pair: KeyPair) -> Self {
        Self { id, pair: Arc::new(pair) }
    }

    /// Adds `content-digest`, `signature-input` and `signature` over method, target URI, media type and digest, created now
    /// (seconds since the epoch) and valid for five minutes.
    ///
    /// # Errors
    /// When the request has no media type, or the key cannot be used.
    pub fn sign<T: AsRef<[u8]>>(&self, request: &mut Request<T>, now_s: i64) -> Result<(), NotSigned> {
        let digest = STANDARD.encode(Digest::of(request.body().as_ref()).0);
        let digest = format!("sha-256=:{digest}:");
        let media = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let parameters = format!(
            "(\"@method\" \"@target-uri\" \"content-type\" \"content-digest\");created={now_s};expires={};\
             keyid=\"{}\";alg=\"{}\";tag=\"{TAG}\"",
            now_s.saturating_add(VALID_SECONDS),
            self.id,
            self.pair.http_algorithm(),
        );
        let base = format!(
            "\"@method\": {}\n\"@target-uri\": {}\n\"content-type\": {}\n\"content-digest\": {digest}\n\
             \"@signature-params\": {parameters}",
            request.method(),
            request.uri(),
            media.ok_or(NotSigned)?,
        );
        let signature = self.pair.sign(&SystemRandom::new(), base.as_bytes()).ok_or(NotSigned)?;
        let values = [
            (CONTENT_DIGEST, digest),
            (SIGNATURE_INPUT, format!("{LABEL}={parameters}")),
            (SIGNATURE, format!("{LABEL}=:{}:", STANDARD.encode(signature))),
        ];
        for (name, value) in values {
            request.headers_mut().insert(name, HeaderValue::from_str(&value).map_err(|_| NotSigned)?);
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, VerificationAlgorithm};
    use puente_core::envelope::SignatureProfile;

    use super::*;
    use crate::keys::{KeyFile, KeyUse};

    const BODY: &[u8] = b"{\"hello\": \"world\"}";

    fn signed(key: &KeyFile) -> Request<&'static [u8]> {
        let mut request = Request::post("https://igm.example/events?of=gt")
            .header(header::CONTENT_TYPE, "application/cloudevents+json")
            .body(BODY)
            .unwrap();
        key.http_signer().unwrap().sign(&mut request, 1_618_884_473).unwrap();
        request
    }

    /// The base as its receiver builds it, from what came.
    fn base(request: &Request<&[u8]>) -> String {
        let text = |name: HeaderName| request.headers()[name].to_str().unwrap();
        format!(
            "\"@method\": {}\n\"@target-uri\": {}\n\"content-type\": {}\n\"content-digest\": {}\n\"@signature-params\": {}",
            request.method(),
            request.uri(),
            text(header::CONTENT_TYPE),
            text(CONTENT_DIGEST),
            text(SIGNATURE_INPUT).strip_prefix("puente=").unwrap()
        )
    }

    #[test]
    fn the_digest_is_that_of_rfc_9530() {
        let request = signed(&KeyFile::generate(SignatureProfile::P256, KeyUse::Sign).unwrap());
        // RFC 9530 appendix B.1.
        let expected = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:";
        assert_eq!(request.headers()[CONTENT_DIGEST], expected);
    }

    #[test]
    fn a_signature_verifies_over_the_base_of_the_request_and_over_no_other() {
        let kinds: [(_, &dyn VerificationAlgorithm, _); 2] = [
            (SignatureProfile::P256, &ECDSA_P256_SHA256_FIXED, "ecdsa-p256-sha256"),
            (SignatureProfile::Curve25519, &ED25519, "ed25519"),
        ];
        for (profile, algorithm, named) in kinds {
            let key = KeyFile::generate(profile, KeyUse::Sign).unwrap();
            let request = signed(&key);
            let input = request.headers()[SIGNATURE_INPUT].to_str().unwrap();
            let expected = format!(
                "puente=(\"@method\" \"@target-uri\" \"content-type\" \"content-digest\");created=1618884473;\
                 expires=1618884773;keyid=\"{}\";alg=\"{named}\";tag=\"puente-event\"",
                key.key_id()
            );
            assert_eq!(input, expected);
            let signature = request.headers()[SIGNATURE].to_str().unwrap();
            let signature = signature.strip_prefix("puente=:").unwrap().strip_suffix(':').unwrap();
            let signature = STANDARD.decode(signature).unwrap();
            let public = ParsedPublicKey::new(algorithm, key.public().to_bytes()).unwrap();
            let base = base(&request);
            assert!(public.verify_sig(base.as_bytes(), &signature).is_ok());
            let other = base.replace("/events?of=gt", "/events?of=mx");
            assert!(public.verify_sig(other.as_bytes(), &signature).is_err());
        }
    }

    #[test]
    fn a_request_without_a_media_type_is_not_signed() {
        let key = KeyFile::generate(SignatureProfile::P256, KeyUse::Sign).unwrap();
        let mut request = Request::post("https://igm.example/").body(BODY).unwrap();
        assert_eq!(key.http_signer().unwrap().sign(&mut request, 0), Err(NotSigned));
    }
}
