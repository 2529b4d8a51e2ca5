"""The gateway's calls of webhooks (RFC 9421, RFC 9530) under another library: what it signed verifies, and nothing altered does."""
import base64
import copy
import types

from http_message_signatures import HTTPMessageVerifier, InvalidSignature, MappingKeyResolver, algorithms

ALGORITHMS = {"p256": algorithms.ECDSA_P256_SHA256, "25519": algorithms.ED25519}

# What a receiver insists on: a signature over less says nothing of the rest.
COVERED = ("@method", "@target-uri", "content-type", "content-digest")


def verifier(profile: str, key, now: int) -> HTTPMessageVerifier:
    """One that judges times by the instant of the tests and not by the machine's clock."""

    class AtThatInstant(HTTPMessageVerifier):
        def validate_created_and_expires(self, sig_input, max_age=None):
            if not sig_input.params["created"] <= now <= sig_input.params["expires"]:
                raise InvalidSignature("not now")

    keys = MappingKeyResolver(public_keys={key.thumbprint(): key.public_key}, private_keys={})
    return AtThatInstant(signature_algorithm=ALGORITHMS[profile], key_resolver=keys)


def verify(profile: str, call: dict, key, now: int) -> list:
    request = types.SimpleNamespace(method=call["method"], url=call["url"], headers=call["headers"])
    body = call["body"].encode("utf-8")
    return verifier(profile, key, now).verify(
        request, expect_tag="puente-event", require_components=COVERED, body=body, max_age=None)


def flipped(signature: str) -> str:
    label, value = signature.split("=", 1)
    raw = bytearray(base64.b64decode(value.strip(":")))
    raw[7] ^= 1
    return f"{label}=:{base64.b64encode(raw).decode('ascii')}:"


def altered(call: dict):
    """The call with one thing changed, each with a word for it."""
    def but(**changes):
        other = copy.deepcopy(call)
        other.update(changes)
        return other

    def header(name, value):
        return but(headers={**call["headers"], name: value})

    yield "body", but(body=call["body"].replace("accepted", "refused!"))
    yield "method", but(method="PUT")
    yield "path", but(url=call["url"].replace("/events", "/other"))
    yield "host", but(url=call["url"].replace("igm.example", "mx.example"))
    yield "media type", header("content-type", "text/plain")
    digest = "sha-256=:" + base64.b64encode(bytes(32)).decode("ascii") + ":"
    yield "digest", header("content-digest", digest)
    yield "signature", header("signature", flipped(call["headers"]["signature"]))
    given = call["headers"]["signature-input"]
    yield "expiry", header("signature-input", given.replace(";expires=19", ";expires=29"))
    yield "tag", header("signature-input", given.replace("puente-event", "puente-other"))
    yield "coverage", header("signature-input", given.replace(' "content-digest"', ""))


def check_calls(profile: str, calls: list[dict], keys: dict, now: int) -> None:
    for call in calls:
        (result,) = verify(profile, call, keys["message"], now)
        assert result.label == "puente" and result.parameters["keyid"] == keys["message"].thumbprint(), "key"
        for what, other in altered(call):
            assert other != call, f"{what} was altered"
            refuses(lambda: verify(profile, other, keys["message"], now), what)
        refuses(lambda: verify(profile, call, keys["receipt"], now), "another key")
        refuses(lambda: verify(profile, call, keys["message"], now + 301), "time run out")


def refuses(verifying, what: str) -> None:
    try:
        verifying()
    except InvalidSignature:
        return
    raise AssertionError(f"accepted in spite of: {what}")
