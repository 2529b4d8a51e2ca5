#!/usr/bin/env python3
"""Makes messages and receipts as another implementer would, and altered ones that the gateway must refuse.

Usage: make.py DIR; reads DIR/ours for the key to seal to, writes DIR/theirs. The disclosures come from the SD-JWT
library's issuer, signatures and seals from the JOSE library; every key is made here.
"""
import dataclasses
import json
import pathlib
import secrets
import sys
import uuid

from jwcrypto.jwk import JWK
from sd_jwt.common import SDObj
from sd_jwt.issuer import SDJWTIssuer

import merkle
import tokens

SECTIONS = {
    "id.core": {
        "given_names": "María Ixchel", "first_surname": "Güitz", "second_surname": "d'Ávila",
        "sex": "F", "birth_date": "2001-12-31", "nationalities": ["GT"],
    },
    "return.logistics": {"port_of_entry": "Tecún Umán", "seat": "3B", "numbers": [0, -1, 2.5, None, True]},
}


# The agency that signs its messages by itself.
AGENCY = "SELF-SIGNED"


@dataclasses.dataclass
class Message:
    """The parts of a message before they are signed; altering one is replacing a field."""

    claims: dict
    disclosures: list[str]

    @classmethod
    def new(cls, now: int, agency: str = "THIRD-PARTY") -> "Message":
        claims = {
            "iss": "US", "aud": "MX", "iat": now, "exp": now + 3600, "jti": str(uuid.uuid4()), "realm": "conformance",
            "puente": {
                "type": "return.manifest", "version": 1,
                "sender": {"country": "US", "agency": agency, "role": "migration_enforcement"},
                "recipient": {"country": "MX", "role": "returns_reception"},
                "case": str(uuid.uuid4()), "purpose": "return_reception",
                "legal_basis": {"type": "legal_obligation"},
                "handling": {"onward": "domestic_same_purpose", "retention_days": 365},
            },
            "policy": {"digest": tokens.digest("policies of another house"), "decision": str(uuid.uuid4())},
        }
        sections = {SDObj(category): value for category, value in SECTIONS.items()}
        # The library signs as it issues; that signature is thrown away, because ours covers more claims.
        issued = SDJWTIssuer(claims | {"sections": sections}, JWK.generate(kty="EC", crv="P-256"))
        claims, disclosures = issued.sd_jwt_payload, [disclosure.b64 for disclosure in issued.ii_disclosures]
        decoys = [tokens.base64url(secrets.token_bytes(32)) for _ in range(8 - len(disclosures))]
        claims["sections"]["_sd"] = in_order(claims["sections"]["_sd"] + decoys)
        claims["released"] = in_order([tokens.digest(text) for text in disclosures])
        return cls(claims, disclosures)

    def seal(self, key) -> str:
        context = {
            "jti": self.claims["jti"], "role": self.claims["puente"]["recipient"]["role"], "labels": sorted(SECTIONS),
        }
        lines = "".join(f"{text}\n" for text in self.disclosures)
        return tokens.seal(context, lines.ljust(2048).encode("ascii"), key)

    def sign(self, profile: str, key, sealed: str) -> str:
        claims = self.claims | {"enc_hash": [tokens.digest(sealed)]}
        return tokens.sign(profile, tokens.MESSAGE, json.dumps(claims).encode("utf-8"), key)

    def issue(self, profile: str, agency_key, gateway_key) -> str:
        """What an agency signs: nothing of a release, and the key that may release it."""
        claims = {name: value for name, value in self.claims.items() if name not in ("released", "policy")}
        claims["cnf"] = {"jwk": tokens.public_jwk(gateway_key)}
        return tokens.sign(profile, tokens.ISSUED, json.dumps(claims).encode("utf-8"), agency_key)

    def bind(self, profile: str, gateway_key, token: str, sealed: str, **altered) -> str:
        """The gateway's release (RFC 9901 section 4.3)."""
        claims = {
            "iat": self.claims["iat"], "aud": self.claims["aud"], "nonce": self.claims["jti"],
            "sd_hash": tokens.digest("~".join([token, *self.disclosures, ""])),
            "enc_hash": [tokens.digest(sealed)], "policy": self.claims["policy"],
        }
        payload = json.dumps(claims | altered).encode("utf-8")
        return tokens.sign(profile, tokens.BINDING, payload, gateway_key)


def in_order(digests: list[str]) -> list[str]:
    """By their bytes: the letters of base64url stand in another order."""
    return sorted(digests, key=tokens.from_base64url)


def another_letter(text: str, at: int) -> str:
    """The text with one letter replaced; `at` counts from the end and never falls on stray bits."""
    letter = "A" if text[at] != "A" else "B"
    return text[:at] + letter + text[at + 1:]


def altered(profile: str, now: int, key, seal_key) -> list[dict]:
    """One alteration each, with the code that the gateway must answer."""
    whole = Message.new(now)
    sealed = whole.seal(seal_key)
    token = whole.sign(profile, key, sealed)
    other_sealed = Message.new(now).seal(seal_key)
    header, payload, signature = token.split(".")
    head, sep, tag = sealed.rpartition(".")
    broken = head + sep + another_letter(tag, -5)
    unlisted = Message.new(now)
    unlisted.disclosures[0] = tokens.base64url(json.dumps(["A" * 22, "id.core", {"sex": "M"}]).encode("ascii"))
    unsorted = Message.new(now)
    unsorted.claims["sections"]["_sd"].reverse()
    old = Message.new(now - 7200)
    ahead = Message.new(now + 300)
    elsewhere = Message.new(now)
    elsewhere.claims["realm"] = "production"
    stranger = tokens.new_key(tokens.PROFILES[profile][0])

    def wire(message: Message, code: str, what: str, signer=key) -> dict:
        part = message.seal(seal_key)
        return refused(what, f"{message.sign(profile, signer, part)}~{part}~", code)

    return [
        refused("signature", f"{header}.{payload}.{another_letter(signature, -5)}~{sealed}~", "envelope.signature"),
        refused("payload", f"{header}.{another_letter(payload, -5)}.{signature}~{sealed}~", "envelope.signature"),
        refused("another sealed part", f"{token}~{other_sealed}~", "seal.mismatch"),
        refused("broken tag", f"{whole.sign(profile, key, broken)}~{broken}~", "seal.unopenable"),
        refused("no sealed part", f"{token}~", "envelope.malformed"),
        wire(unlisted, "disclosure.invalid", "a disclosure that nothing commits to"),
        wire(unsorted, "disclosure.invalid", "commitments out of order"),
        wire(old, "message.expired", "expired"),
        wire(ahead, "clock.skew", "from five minutes ahead"),
        wire(elsewhere, "realm.mismatch", "another realm"),
        wire(Message.new(now), "envelope.key", "a key that nobody listed", stranger),
    ]


def altered_issued(profile: str, now: int, agency_key, key, seal_key) -> list[dict]:
    """The same for messages that an agency signs."""
    stranger = tokens.new_key(tokens.PROFILES[profile][0])

    def wire(code: str, what: str, issuer=agency_key, confirmed=key, releaser=key, agency=AGENCY, **altered) -> dict:
        message = Message.new(now, agency)
        sealed = message.seal(seal_key)
        token = message.issue(profile, issuer, confirmed)
        return refused(what, f"{token}~{sealed}~{message.bind(profile, releaser, token, sealed, **altered)}", code)

    bare = Message.new(now, AGENCY)
    sealed = bare.seal(seal_key)
    token = bare.issue(profile, agency_key, key)
    through_gateway = Message.new(now, AGENCY)
    part = through_gateway.seal(seal_key)
    return [
        refused("no release", f"{token}~{sealed}~", "envelope.key"),
        refused(
            "the gateway signs for an agency that signs by itself",
            f"{through_gateway.sign(profile, key, part)}~{part}~", "envelope.mode",
        ),
        wire("envelope.key", "signed by nobody's key", issuer=stranger),
        wire("envelope.key", "signed in the name of another agency", agency="THIRD-PARTY"),
        wire("envelope.key", "released by a key that the agency did not name", confirmed=stranger),
        wire("envelope.key", "released by nobody's key", releaser=stranger),
        wire("envelope.malformed", "a release of another message", nonce=str(uuid.uuid4())),
        wire("envelope.malformed", "a release for another country", aud="GT"),
        wire("seal.mismatch", "a release of another sealed part", enc_hash=[tokens.digest("another")]),
        wire("disclosure.invalid", "a release of other disclosures", sd_hash=tokens.digest("another")),
        wire("clock.skew", "a release from five minutes ahead", iat=now + 300),
    ]


def refused(what: str, wire: str, code: str) -> dict:
    return {"what": what, "wire": wire, "code": code}


def receipts(profile: str, now: int, key) -> list[dict]:
    entries = [
        json.dumps({
            "message_id": str(uuid.uuid4()), "release_id": tokens.digest(str(place)), "state": "accepted",
            "at_ms": now * 1000, "log_origin": "third.party/US", "leaf_hash": tokens.digest("leaf"),
            "salt": secrets.token_urlsafe(16),
        })
        for place in range(7)
    ]
    leaves = [merkle.leaf_hash(entry.encode("utf-8")) for entry in entries]
    claims = {
        "iss": "US", "aud": "MX", "iat": now, "realm": "conformance",
        "root": tokens.base64url(merkle.root(leaves)), "size": len(leaves),
    }
    root = tokens.sign(profile, tokens.RECEIPT, json.dumps(claims).encode("utf-8"), key)
    return [
        {"entry": entry, "index": place, "path": [tokens.base64url(h) for h in merkle.path(place, leaves)], "root": root}
        for place, entry in enumerate(entries)
    ]


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    (folder / "theirs").mkdir(exist_ok=True)
    for profile, (curve, _, _) in tokens.PROFILES.items():
        ours = json.loads((folder / "ours" / f"{profile}.json").read_bytes())
        now, seal_key = ours["now"], tokens.load_key(ours["keys"]["seal"]["public"])
        message_key, agency_key, receipt_key = (tokens.new_key(curve) for _ in range(3))
        made, issued = Message.new(now), Message.new(now, AGENCY)
        sealed, issued_sealed = made.seal(seal_key), issued.seal(seal_key)
        token = issued.issue(profile, agency_key, message_key)
        release = issued.bind(profile, message_key, token, issued_sealed)
        good = receipts(profile, now, receipt_key)
        theirs = {
            "message_key": tokens.public_jwk(message_key),
            "agency_key": tokens.public_jwk(agency_key),
            "agency": AGENCY,
            "receipt_key": tokens.public_jwk(receipt_key),
            "accepted": [
                {"wire": f"{made.sign(profile, message_key, sealed)}~{sealed}~", "sections": SECTIONS},
                {"wire": f"{token}~{issued_sealed}~{release}", "sections": SECTIONS},
            ],
            "refused": altered(profile, now, message_key, seal_key)
            + altered_issued(profile, now, agency_key, message_key, seal_key),
            "receipts": good,
            "refused_receipts": [
                good[0] | {"entry": good[0]["entry"].replace("accepted", "refused")},
                good[1] | {"index": 2},
                good[2] | {"path": good[2]["path"][:-1]},
            ],
        }
        (folder / "theirs" / f"{profile}.json").write_text(json.dumps(theirs), encoding="utf-8")
        print(f"{profile}: 2 messages and {len(good)} receipts made, {len(theirs['refused'])} messages altered")


if __name__ == "__main__":
    main()
