"""The JOSE forms of PROTOCOL.md over joserfc: which algorithms and headers, and nothing about what a message says.

The algorithm is chosen by the key and never by a header, as in the gateway.
"""
import base64
import hashlib

from joserfc import jwe, jws
from joserfc.jwk import ECKey, OKPKey

# `typ` of a message by its gateway, of one by an agency with its gateway's release, of a sealed part, and of the root
# over a batch of receipts.
MESSAGE = "puente-direct+sd-jwt"
ISSUED = "puente+sd-jwt"
BINDING = "kb+jwt"
SEALED = "puente-sealed"
RECEIPT = "puente-receipt+jwt"

# The pair of algorithms of each profile: curve for signatures, `alg`, curve for agreement.
PROFILES = {"p256": ("P-256", "ES256", "P-256"), "25519": ("Ed25519", "Ed25519", "X25519")}

# `puente` is our member of a JWE header; the library would refuse what it does not know.
SEALING = jwe.JWERegistry(algorithms=["ECDH-ES+A256KW", "A256GCM"], strict_check_header=False)


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def from_base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def digest(text: str) -> str:
    """SHA-256 of the text exactly as it travels."""
    return base64url(hashlib.sha256(text.encode("ascii")).digest())


def load_key(described: dict | str):
    """A key from a JWK, or from the text of a PEM file."""
    for kind in (ECKey, OKPKey):
        try:
            return kind.import_key(described)
        except Exception:  # the library has one error per reason; the other kind may still fit
            continue
    raise ValueError("neither an EC nor an OKP key")


def new_key(curve: str):
    """A fresh private key whose id is its RFC 7638 thumbprint."""
    kind = ECKey if curve == "P-256" else OKPKey
    return kind.generate_key(curve)


def public_jwk(key) -> dict:
    """Only the members that a directory lists."""
    listed = {name: value for name, value in key.as_dict(private=False).items() if name in ("kty", "crv", "x", "y")}
    return listed | {"kid": key.thumbprint()}


def sign(profile: str, typ: str, payload: bytes, key) -> str:
    alg = PROFILES[profile][1]
    header = {"alg": alg, "kid": key.thumbprint(), "typ": typ}
    return jws.serialize_compact(header, payload, key, algorithms=[alg])


def verify(profile: str, typ: str, compact: str, key) -> bytes:
    alg = PROFILES[profile][1]
    verified = jws.deserialize_compact(compact, key, algorithms=[alg])
    expected = {"alg": alg, "kid": key.thumbprint(), "typ": typ}
    assert verified.headers() == expected, f"header is not exactly {sorted(expected)}"
    return verified.payload


def seal(context: dict, plaintext: bytes, key) -> str:
    header = {
        "alg": "ECDH-ES+A256KW", "enc": "A256GCM", "kid": key.thumbprint(), "typ": SEALED, "puente": context,
    }
    return jwe.encrypt_compact(header, plaintext, key, registry=SEALING)


def unseal(compact: str, key) -> tuple[dict, bytes]:
    opened = jwe.decrypt_compact(compact, key, registry=SEALING)
    header = opened.headers()
    assert header["typ"] == SEALED and header["kid"] == key.thumbprint(), "header of the sealed part"
    assert set(header) == {"alg", "enc", "kid", "epk", "typ", "puente"}, "members of the sealed part's header"
    return header["puente"], opened.plaintext
