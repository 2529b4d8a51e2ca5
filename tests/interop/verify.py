#!/usr/bin/env python3
"""Verifies and opens what the gateway wrote, with libraries that share no code with it.

Usage: verify.py DIR, where DIR/ours holds one file for each profile. Ends with an error at the first thing found wrong.
"""
import json
import pathlib
import sys

from jwcrypto.jwk import JWK
import sd_jwt.verifier
from sd_jwt.verifier import SDJWTVerifier

import calls
import merkle
import tokens


def check_message(profile: str, made: dict, keys: dict, now: int) -> None:
    wire = made["wire"]
    issuer_jwt, *sealed, binding = wire.split("~")
    by_agency = made["issuer"] == "agency"
    assert bool(binding) == by_agency and len(sealed) == 1, "form of the wire"
    assert tokens.digest(wire) == made["release_id"], "release id"

    typ, issuer_key = (tokens.ISSUED, keys["agency"]) if by_agency else (tokens.MESSAGE, keys["message"])
    claims = json.loads(tokens.verify(profile, typ, issuer_jwt, issuer_key))
    release = json.loads(tokens.verify(profile, tokens.BINDING, binding, keys["message"])) if by_agency else claims
    assert ("cnf" in claims, "released" in claims) == (by_agency, not by_agency), "claims of the mode"
    assert claims["iat"] <= now < claims["exp"], "times"
    assert claims["_sd_alg"] == "sha-256", "hash of the disclosures"
    assert release["enc_hash"] == [tokens.digest(part) for part in sealed], "hashes of the sealed parts"

    context, plaintext = tokens.unseal(sealed[0], keys["seal"])
    assert context["jti"] == claims["jti"], "sealed part belongs to the message"
    assert context["role"] == claims["puente"]["recipient"]["role"], "sealed part is for the role"
    disclosures = plaintext.decode("ascii").rstrip(" ").splitlines()

    digests = [tokens.digest(text) for text in disclosures]
    committed = claims["sections"]["_sd"]
    by_bytes = sorted(committed, key=tokens.from_base64url)
    assert committed == by_bytes and len(set(committed)) == len(committed), "commitments sorted and distinct"
    assert set(digests) <= set(committed), "every disclosure is committed to"
    if not by_agency:
        assert sorted(digests) == sorted(claims["released"]), "exactly what was signed as released is there"
    # A withheld category still has its commitment, and decoys hide how many there are.
    assert len(committed) >= 8 and len(committed) > len(disclosures), "decoys and withheld commitments"
    read = [json.loads(tokens.from_base64url(text)) for text in disclosures]
    assert all(len(tokens.from_base64url(salt)) >= 16 for salt, _, _ in read), "salts of 128 bits"
    sections = {category: value for _, category, value in read}
    assert sections == made["sections"], "content"
    assert sorted(sections) == context["labels"], "labels"
    assert not set(made["withheld"]) & set(sections), "withheld categories stay withheld"

    # The library's only way to say with which algorithm a key binding is signed.
    sd_jwt.verifier.DEFAULT_SIGNING_ALG = tokens.PROFILES[profile][1]
    check_combined(issuer_jwt, disclosures, binding, issuer_key, sections, claims)


def check_combined(issuer_jwt: str, disclosures: list[str], binding: str, key, sections: dict, claims: dict) -> None:
    """The issuer JWT with its disclosures, and with the release where there is one, is an SD-JWT as RFC 9901 has it:
    the library verifies the key binding too (`cnf`, `aud`, `nonce`, `sd_hash`)."""
    combined = "~".join([issuer_jwt, *disclosures, binding])
    issuer = JWK.from_json(json.dumps(tokens.public_jwk(key)))
    expected = {"expected_aud": claims["aud"], "expected_nonce": claims["jti"]} if binding else {}
    payload = SDJWTVerifier(combined, lambda _issuer, _header: issuer, **expected).get_verified_payload()
    assert payload["sections"] == sections, "content as the SD-JWT library sees it"


def check_receipts(profile: str, receipts: list[dict], key) -> None:
    leaves = [merkle.leaf_hash(receipt["entry"].encode("utf-8")) for receipt in receipts]
    for place, receipt in enumerate(receipts):
        claims = json.loads(tokens.verify(profile, tokens.RECEIPT, receipt["root"], key))
        siblings = [tokens.from_base64url(text) for text in receipt["path"]]
        assert receipt["index"] == place and claims["size"] == len(receipts), "place in the batch"
        reached = merkle.root_from_path(leaves[place], place, claims["size"], siblings)
        assert reached == tokens.from_base64url(claims["root"]) == merkle.root(leaves), "root of the batch"
        assert siblings == merkle.path(place, leaves), "inclusion path"


def main() -> None:
    for profile in tokens.PROFILES:
        ours = json.loads((pathlib.Path(sys.argv[1]) / "ours" / f"{profile}.json").read_bytes())
        keys = {name: tokens.load_key(key["private_pem"]) for name, key in ours["keys"].items()}
        for name, key in ours["keys"].items():
            assert tokens.public_jwk(keys[name]) == key["public"], f"public half and thumbprint of {name}"
        for made in ours["messages"]:
            check_message(profile, made, keys, ours["now"])
        assert any(made["withheld"] for made in ours["messages"]), "one message had a category withheld"
        check_receipts(profile, ours["receipts"], keys["receipt"])
        calls.check_calls(profile, ours["calls"], keys, ours["now"])
        print(f"{profile}: {len(ours['messages'])} messages, {len(ours['receipts'])} receipts and {len(ours['calls'])} calls verified")


if __name__ == "__main__":
    main()
