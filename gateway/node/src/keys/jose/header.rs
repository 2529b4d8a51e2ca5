//! Protected headers: read strictly, compared with the key's, before any cryptography.
//!
//! Not here: signatures and ciphers. Invariant: an admitted header has each expected member once, with
//! the expected value, and no other (RFC 8725 sections 3.1, 3.2 and 3.11; RFC 7515 section 4.1.11).

use puente_core::envelope::{CryptoFailure, from_base64url};
use puente_core::ids::KeyId;
use puente_core::json::{self, StrictError};
use serde_json::{Map, Value};

use super::{MAX_JWE_BYTES, MAX_JWS_BYTES};
use crate::keys::jwk::PublicKey;

/// Longest encoded header: a sealed section names 40 categories of 48 bytes at most, and a key.
const MAX_HEADER_CHARS: usize = 16 << 10;

/// The type of every sealed section.
pub(super) const SEALED_TYPE: &str = "puente-sealed";

/// Base64url lengths of 64, 40, 12 and 16 bytes.
const SIGNATURE_CHARS: usize = 86;
const ENCRYPTED_KEY_CHARS: usize = 54;
const IV_CHARS: usize = 16;
const TAG_CHARS: usize = 22;

/// Admits a compact JWS with the header `{alg, kid, typ}` and a 64-byte signature.
pub(super) fn admit_jws(compact: &str, alg: &str, key_id: &KeyId, typ: &str) -> Result<(), CryptoFailure> {
    if compact.len() > MAX_JWS_BYTES {
        return Err(CryptoFailure::Form("token is longer than a JWS may be"));
    }
    let mut parts = compact.split('.');
    let (Some(protected), Some(_), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(CryptoFailure::Form("token is not three parts"));
    };
    if signature.len() != SIGNATURE_CHARS {
        return Err(CryptoFailure::Form("signature is not 64 bytes"));
    }
    let header = Header::read(protected)?;
    header.has_only(&["alg", "kid", "typ"])?;
    header.expect("alg", alg, "`alg` is not that of the key")?;
    header.expect("kid", key_id.as_str(), "`kid` is not that of the key")?;
    header.expect("typ", typ, "`typ` is not the expected one")
}

/// Admits a compact JWE with the header `{alg, enc, kid, epk, typ, puente}` and segments of exact
/// length; answers the value of `puente`, not yet authenticated.
pub(super) fn admit_jwe(compact: &str, alg: &str, enc: &str, key_id: &KeyId) -> Result<Value, CryptoFailure> {
    if compact.len() > MAX_JWE_BYTES {
        return Err(CryptoFailure::Form("token is longer than a JWE may be"));
    }
    let mut parts = compact.split('.');
    let (Some(protected), Some(encrypted_key), Some(iv), Some(_), Some(tag), None) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(CryptoFailure::Form("token is not five parts"));
    };
    for (segment, chars, reason) in [
        (encrypted_key, ENCRYPTED_KEY_CHARS, "encrypted key is not 40 bytes"),
        (iv, IV_CHARS, "initialisation vector is not 12 bytes"),
        (tag, TAG_CHARS, "authentication tag is not 16 bytes"),
    ] {
        if segment.len() != chars {
            return Err(CryptoFailure::Form(reason));
        }
    }
    let mut header = Header::read(protected)?;
    header.has_only(&["alg", "enc", "kid", "epk", "typ", "puente"])?;
    header.expect("alg", alg, "`alg` is not that of the key")?;
    header.expect("enc", enc, "`enc` is not that of the key")?;
    header.expect("kid", key_id.as_str(), "`kid` is not that of the key")?;
    header.expect("typ", SEALED_TYPE, "`typ` is not the expected one")?;
    ephemeral_key(header.0.get("epk"))?;
    header.0.remove("puente").ok_or(CryptoFailure::Form("header lacks `puente`"))
}

/// Reads `epk` as a public key of exact form (RFC 7518 section 4.6.1.1).
pub(super) fn ephemeral_key(epk: Option<&Value>) -> Result<PublicKey, CryptoFailure> {
    let members = epk.and_then(Value::as_object).ok_or(CryptoFailure::Form("header lacks `epk`"))?;
    PublicKey::from_members(members).map_err(|_| CryptoFailure::Form("`epk` is not a public key of ours"))
}

/// A protected header whose members, at every depth, stand once.
struct Header(Map<String, Value>);

impl Header {
    fn read(segment: &str) -> Result<Self, CryptoFailure> {
        if segment.len() > MAX_HEADER_CHARS {
            return Err(CryptoFailure::Form("header is too long"));
        }
        let bytes = from_base64url(segment).ok_or(CryptoFailure::Form("header is not strict base64url"))?;
        match json::parse(&bytes, json::MAX_DEPTH) {
            Ok(Value::Object(members)) => Ok(Self(members)),
            Ok(_) => Err(CryptoFailure::Form("header is not an object")),
            Err(StrictError::Duplicate { .. }) => Err(CryptoFailure::Form("header repeats a member")),
            Err(_) => Err(CryptoFailure::Form("header is not JSON")),
        }
    }

    fn has_only(&self, allowed: &[&str]) -> Result<(), CryptoFailure> {
        match self.0.keys().find(|name| !allowed.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => Err(CryptoFailure::Form(match name.as_str() {
                "crit" => "header has `crit`",
                "zip" => "header has `zip`",
                "b64" => "header has `b64`",
                "jwk" => "header has `jwk`",
                "jku" => "header has `jku`",
                "x5u" => "header has `x5u`",
                _ => "header has a member that is not of the protocol",
            })),
        }
    }

    fn expect(&self, name: &str, expected: &str, reason: &'static str) -> Result<(), CryptoFailure> {
        match self.0.get(name).and_then(Value::as_str) {
            Some(value) if value == expected => Ok(()),
            _ => Err(CryptoFailure::Form(reason)),
        }
    }
}
