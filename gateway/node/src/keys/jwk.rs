//! The three kinds of public key that Puente knows, to and from JWK (RFC 7517, RFC 8037).
//!
//! Not here: what a key is for; `use`, `key_ops` and validity stand in the directory. Invariant: a
//! JWK has exactly the public members of its kind, so `d` or a certificate in it refuses it.

use puente_core::envelope::{Jwk, KeyFactory as _, SignatureProfile, base64url, from_base64url};
use puente_core::ids::{Digest, KeyId};
use serde_json::{Map, Value, json};

use crate::keys::{Jose, KeyUse};

/// Bytes of one coordinate of P-256, and of a whole Curve25519 key.
const COORDINATE_BYTES: usize = 32;

/// A public key as bytes of the right length; whether it is a point of its curve is checked at use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PublicKey {
    /// P-256, both for ES256 and for ECDH: the coordinates of SEC 1's uncompressed point.
    P256 { x: [u8; COORDINATE_BYTES], y: [u8; COORDINATE_BYTES] },
    /// Ed25519, for signatures.
    Ed25519([u8; COORDINATE_BYTES]),
    /// X25519, for key agreement.
    X25519([u8; COORDINATE_BYTES]),
}

/// Why a JWK is not a public key of ours.
pub(super) type Reason = &'static str;

impl PublicKey {
    /// A P-256 key from SEC 1's uncompressed form, 65 bytes.
    pub(super) fn from_point(point: &[u8]) -> Option<Self> {
        let coordinates = point.strip_prefix(&[0x04])?;
        let (x, y) = coordinates.split_at_checked(COORDINATE_BYTES)?;
        Some(Self::P256 { x: x.try_into().ok()?, y: y.try_into().ok()? })
    }

    /// The key as aws-lc-rs reads it: SEC 1's uncompressed point, or the 32 bytes of RFC 8032 or 7748.
    pub(super) fn to_bytes(self) -> Vec<u8> {
        match self {
            Self::P256 { x, y } => [&[0x04], x.as_slice(), y.as_slice()].concat(),
            Self::Ed25519(key) | Self::X25519(key) => key.to_vec(),
        }
    }

    /// Reads the members of a JWK; a `kid` beside them is left to the caller's own comparison.
    pub(super) fn from_jwk(jwk: &Jwk, key_id: &KeyId) -> Result<Self, Reason> {
        let mut members = jwk.0.as_object().ok_or("jwk is not an object")?.clone();
        match members.shift_remove("kid") {
            Some(kid) if kid != key_id.as_str() => Err("jwk is of another `kid`"),
            _ => Self::from_members(&members),
        }
    }

    /// Reads exactly `kty`, `crv`, `x` and, for P-256, `y`.
    pub(super) fn from_members(members: &Map<String, Value>) -> Result<Self, Reason> {
        let text = |name| members.get(name).and_then(Value::as_str);
        let coordinate = |name| -> Result<[u8; COORDINATE_BYTES], Reason> {
            let bytes = text(name).and_then(from_base64url).ok_or("key coordinate is not base64url")?;
            bytes.try_into().map_err(|_| "key coordinate is not 32 bytes")
        };
        let (key, expected) = match (text("kty"), text("crv")) {
            (Some("EC"), Some("P-256")) => (Self::P256 { x: coordinate("x")?, y: coordinate("y")? }, 4),
            (Some("OKP"), Some("Ed25519")) => (Self::Ed25519(coordinate("x")?), 3),
            (Some("OKP"), Some("X25519")) => (Self::X25519(coordinate("x")?), 3),
            _ => return Err("key is of another kind or curve"),
        };
        if members.len() == expected { Ok(key) } else { Err("key has a member that is not public") }
    }

    /// The members `kty`, `crv`, `x` and, for P-256, `y`.
    pub(super) fn to_members(self) -> Value {
        match self {
            Self::P256 { x, y } => {
                json!({ "kty": "EC", "crv": "P-256", "x": base64url(&x), "y": base64url(&y) })
            }
            Self::Ed25519(x) => json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(&x) }),
            Self::X25519(x) => json!({ "kty": "OKP", "crv": "X25519", "x": base64url(&x) }),
        }
    }

    /// The key as a JWK with its thumbprint as `kid`.
    pub(super) fn to_jwk(self) -> Jwk {
        let mut jwk = self.to_members();
        if let Some(members) = jwk.as_object_mut() {
            members.insert("kid".to_owned(), Value::String(self.thumbprint()));
        }
        Jwk(jwk)
    }

    /// The profile that the key belongs to.
    pub(super) const fn profile(self) -> SignatureProfile {
        match self {
            Self::P256 { .. } => SignatureProfile::P256,
            Self::Ed25519(_) | Self::X25519(_) => SignatureProfile::Curve25519,
        }
    }

    /// The JWK thumbprint (RFC 7638 section 3): SHA-256 of the required members in lexical order.
    pub(super) fn thumbprint(self) -> String {
        let canonical = match self {
            Self::P256 { x, y } => {
                format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, base64url(&x), base64url(&y))
            }
            Self::Ed25519(x) => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, base64url(&x)),
            Self::X25519(x) => format!(r#"{{"crv":"X25519","kty":"OKP","x":"{}"}}"#, base64url(&x)),
        };
        Digest::of(canonical.as_bytes()).to_string()
    }
}

/// A public key as its holder hands it in, under its thumbprint.
#[derive(Debug, Clone, PartialEq)]
pub struct PublicKeyFile {
    /// RFC 7638 thumbprint.
    pub kid: KeyId,
    /// Which algorithms it belongs to.
    pub profile: SignatureProfile,
    /// The key.
    pub jwk: Jwk,
}

impl PublicKeyFile {
    /// Reads the text of a JWK; `None` when it is no public key of this use, has a private member or names itself otherwise.
    #[must_use]
    pub fn read(text: &[u8], usage: KeyUse) -> Option<Self> {
        let Value::Object(mut members) = puente_core::json::parse(text, puente_core::json::MAX_DEPTH).ok()?
        else {
            return None;
        };
        let named = members.shift_remove("kid");
        let key = PublicKey::from_members(&members).ok()?;
        let kid: KeyId = key.thumbprint().parse().ok()?;
        let jwk = key.to_jwk();
        match usage {
            KeyUse::Sign => Jose.verifier(&kid, &jwk).map(drop).ok()?,
            KeyUse::Open => Jose.sealer(&kid, &jwk).map(drop).ok()?,
        }
        let own_name = named.is_none_or(|named| named == kid.as_str());
        own_name.then_some(Self { kid, profile: key.profile(), jwk })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// RFC 8037 appendix A.2: the public key.
    const RFC_8037_X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    fn named(name: &str) -> KeyId {
        name.parse().unwrap()
    }

    #[test]
    fn the_thumbprint_is_that_of_rfc_8037_a_3() {
        let jwk = Jwk(json!({ "kty": "OKP", "crv": "Ed25519", "x": RFC_8037_X }));
        let key = PublicKey::from_jwk(&jwk, &named("any")).unwrap();
        assert_eq!(key.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn a_jwk_survives_the_round_trip() {
        for key in [
            PublicKey::P256 { x: [1; 32], y: [2; 32] },
            PublicKey::Ed25519([3; 32]),
            PublicKey::X25519([4; 32]),
        ] {
            assert_eq!(PublicKey::from_jwk(&key.to_jwk(), &named(&key.thumbprint())), Ok(key));
        }
    }

    #[test]
    fn a_private_member_refuses_the_jwk() {
        let jwk = Jwk(json!({ "kty": "OKP", "crv": "Ed25519", "x": RFC_8037_X, "d": RFC_8037_X }));
        assert_eq!(PublicKey::from_jwk(&jwk, &named("any")), Err("key has a member that is not public"));
    }

    #[test]
    fn another_kid_refuses_the_jwk() {
        let jwk = PublicKey::Ed25519([3; 32]).to_jwk();
        assert_eq!(PublicKey::from_jwk(&jwk, &named("other")), Err("jwk is of another `kid`"));
    }

    #[test]
    fn a_short_coordinate_refuses_the_jwk() {
        let jwk =
            Jwk(json!({ "kty": "EC", "crv": "P-256", "x": base64url(&[1; 31]), "y": base64url(&[1; 32]) }));
        assert_eq!(PublicKey::from_jwk(&jwk, &named("any")), Err("key coordinate is not 32 bytes"));
    }

    #[test]
    fn a_public_key_is_taken_for_its_own_use_alone_and_under_its_own_name() {
        let of_use = |jwk: &Value, usage| PublicKeyFile::read(jwk.to_string().as_bytes(), usage);
        let read = |jwk: Value| of_use(&jwk, KeyUse::Sign).map(|key| key.kid.to_string());
        let public = json!({ "kty": "OKP", "crv": "Ed25519", "x": RFC_8037_X });
        let named = |kid: &str| {
            let mut named = public.clone();
            named["kid"] = json!(kid);
            named
        };
        let thumbprint = PublicKey::from_members(public.as_object().unwrap()).unwrap().thumbprint();
        assert_eq!(read(public.clone()), Some(thumbprint.clone()));
        assert_eq!(read(named(&thumbprint)), Some(thumbprint));
        assert_eq!(read(named("mine")), None);
        let to_seal_to = json!({ "kty": "OKP", "crv": "X25519", "x": RFC_8037_X });
        assert!(of_use(&to_seal_to, KeyUse::Open).is_some() && of_use(&public, KeyUse::Open).is_none());
        assert_eq!(read(to_seal_to), None);
        assert_eq!(read(json!({ "kty": "OKP", "crv": "Ed25519", "x": RFC_8037_X, "d": RFC_8037_X })), None);
    }

    #[test]
    fn another_curve_refuses_the_jwk() {
        let jwk =
            Jwk(json!({ "kty": "EC", "crv": "P-384", "x": base64url(&[1; 32]), "y": base64url(&[1; 32]) }));
        assert_eq!(PublicKey::from_jwk(&jwk, &named("any")), Err("key is of another kind or curve"));
    }
}
