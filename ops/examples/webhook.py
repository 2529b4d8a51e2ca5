#!/usr/bin/env python3
"""Recibe avisos que el nodo trae, y comprueba quién los firma / receives events that the node brings, and verifies who signed.

  webhook.py CREDENTIAL URL SERVER.pem SERVER.key DIRECTORY.json [COUNT]

Necesita / needs `cryptography`. CREDENTIAL: la carpeta de `puente agency add`; de ella sólo se usa `ca.pem`, para reconocer al nodo
/ of it only `ca.pem` is used, to know the node. URL: como se registró / as registered. DIRECTORY.json: el directorio firmado del
propio país, que da el operador / the country's own signed directory, as the operator gives it (`membership/directories/`).
"""
import base64
import hashlib
import http.server
import json
import pathlib
import re
import ssl
import sys
import time
import urllib.parse

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives.hashes import SHA256

# What is signed, in this order and no other: a receiver that took less would know less.
COVERED = '("@method" "@target-uri" "content-type" "content-digest")'
PARAMETERS = re.compile(
    re.escape(COVERED) + r';created=(\d+);expires=(\d+);keyid="([^"]+)";alg="([^"]+)";tag="puente-event"')

# Our clock and the node's may differ by this many seconds.
TOLERANCE = 120

# An event is some hundreds of bytes.
MAX_BODY = 64 * 1024


class Forged(Exception):
    """Not from our gateway, or not this, or not now."""


def from_base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def message_keys(directory: pathlib.Path) -> dict:
    """The gateway's keys for messages, by id. The operator's copy is trusted as it comes: who gave it is known."""
    keys = json.loads(from_base64url(json.loads(directory.read_bytes())["payload"]))["keys"]
    return {key["kid"]: public(key["jwk"]) for key in keys if key["use"] == "message"}


def public(jwk: dict):
    x = from_base64url(jwk["x"])
    if jwk["kty"] == "OKP":
        return ed25519.Ed25519PublicKey.from_public_bytes(x)
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + x + from_base64url(jwk["y"]))


def verify(url: str, headers, body: bytes, keys: dict, now: float) -> None:
    """RFC 9530 and RFC 9421: the body is the one of the digest, and digest, address and time are the gateway's word."""
    digest = f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode('ascii')}:"
    if headers["content-digest"] != digest:
        raise Forged("digest")
    parameters = (headers["signature-input"] or "").removeprefix("puente=")
    found = PARAMETERS.fullmatch(parameters)
    if found is None:
        raise Forged("signature-input")
    created, expires, kid, _alg = found.groups()
    if not int(created) - TOLERANCE <= now <= int(expires) + TOLERANCE:
        raise Forged("time")
    # The algorithm is the key's, whatever the header says.
    key = keys.get(kid)
    if key is None:
        raise Forged("key")
    base = "\n".join([
        '"@method": POST', f'"@target-uri": {url}', f'"content-type": {headers["content-type"]}',
        f'"content-digest": {digest}', f'"@signature-params": {parameters}',
    ]).encode("ascii")
    try:
        signature = base64.b64decode((headers["signature"] or "").removeprefix("puente=:").removesuffix(":"), validate=True)
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, base)
        else:
            r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
            key.verify(utils.encode_dss_signature(r, s), base, ec.ECDSA(SHA256()))
    except (ValueError, InvalidSignature):
        raise Forged("signature") from None


class Receiver(http.server.BaseHTTPRequestHandler):
    """Answers 2xx only once the event is kept: whatever else it answers, the node brings the event again."""

    def do_POST(self) -> None:
        body = self.rfile.read(min(int(self.headers["content-length"] or 0), MAX_BODY))
        try:
            verify(self.server.url, self.headers, body, self.server.keys, time.time())
        except Forged as why:
            print(f"rechazado / refused: {why}", file=sys.stderr, flush=True)
            self.send_error(401)
            return
        event = json.loads(body)
        # At least once: an event that was kept before is acknowledged again and not dealt with twice.
        if event["id"] not in self.server.kept:
            print(json.dumps(event, ensure_ascii=False), flush=True)
            self.server.kept.add(event["id"])
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_) -> None:
        """An address may hold a secret: nothing is logged."""


def main() -> int:
    if len(sys.argv) not in (6, 7):
        print(__doc__, file=sys.stderr)
        return 2
    credential, url, certificate, key, directory = sys.argv[1:6]
    count = float(sys.argv[6]) if len(sys.argv) > 6 else float("inf")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.minimum_version = ssl.TLSVersion.TLSv1_3
    tls.load_cert_chain(certificate, key)
    # mTLS: only our own country's node, by the authority under which we know it anyway.
    tls.load_verify_locations(pathlib.Path(credential) / "ca.pem")
    tls.verify_mode = ssl.CERT_REQUIRED
    address = urllib.parse.urlsplit(url)
    server = http.server.HTTPServer((address.hostname, address.port or 443), Receiver)
    server.url, server.keys, server.kept = url, message_keys(pathlib.Path(directory)), set()
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    try:
        while len(server.kept) < count:
            server.handle_request()
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
