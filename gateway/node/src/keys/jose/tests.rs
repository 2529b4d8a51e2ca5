//! The facade under attack, and against the vectors of the RFCs it composes.

use josekit::jws::JwsVerifier as _;
use puente_core::envelope::{
    CryptoFailure, KeyFactory as _, Open as _, Seal as _, Sign as _, SignatureProfile, base64url,
    from_base64url,
};
use serde_json::{Value, json};

use super::*;
use crate::keys::{KeyFile, KeyUse};

const PROFILES: [SignatureProfile; 2] = [SignatureProfile::P256, SignatureProfile::Curve25519];
const TYP: &str = "puente-statement+jwt";

fn signing(profile: SignatureProfile) -> (Signer, Box<dyn Verify>) {
    let key = KeyFile::generate(profile, KeyUse::Sign).unwrap();
    (key.signer().unwrap(), Jose.verifier(key.key_id(), &key.public_jwk()).unwrap())
}

fn sealing(profile: SignatureProfile) -> (Box<dyn Seal>, Opener) {
    let key = KeyFile::generate(profile, KeyUse::Open).unwrap();
    (Jose.sealer(key.key_id(), &key.public_jwk()).unwrap(), key.opener().unwrap())
}

/// The token with its header's text changed.
fn with_header(compact: &str, change: impl FnOnce(String) -> String) -> String {
    let (header, rest) = compact.split_once('.').unwrap();
    let text = String::from_utf8(from_base64url(header).unwrap()).unwrap();
    format!("{}.{rest}", base64url(change(text).as_bytes()))
}

/// The token with a member added to its header.
fn with_member(compact: &str, member: &str) -> String {
    with_header(compact, |text| text.replacen('{', &format!("{{{member},"), 1))
}

/// The token with one of its segments replaced.
fn with_segment(compact: &str, index: usize, segment: &str) -> String {
    let mut parts: Vec<&str> = compact.split('.').collect();
    parts[index] = segment;
    parts.join(".")
}

fn header_of(compact: &str) -> Value {
    serde_json::from_slice(&from_base64url(compact.split('.').next().unwrap()).unwrap()).unwrap()
}

fn form<T: std::fmt::Debug>(result: Result<T, CryptoFailure>) -> &'static str {
    match result {
        Err(CryptoFailure::Form(reason)) => reason,
        other => panic!("expected a refusal of form, got {other:?}"),
    }
}

#[test]
fn what_was_signed_verifies_and_has_exactly_our_header() {
    for (profile, alg) in PROFILES.into_iter().zip(["ES256", "Ed25519"]) {
        let (signer, verifier) = signing(profile);
        let compact = signer.sign(TYP, b"{}").unwrap();
        assert_eq!(header_of(&compact), json!({ "alg": alg, "kid": signer.key_id().as_str(), "typ": TYP }));
        assert_eq!(verifier.verify(TYP, &compact).unwrap(), b"{}");
    }
}

#[test]
fn what_was_sealed_opens_with_its_context() {
    let context = json!({ "labels": ["id.core", "health.needs"] });
    for profile in PROFILES {
        let (sealer, opener) = sealing(profile);
        for plaintext in [b"".as_slice(), b"x", &[7; 2048]] {
            let compact = sealer.seal(&context, plaintext).unwrap();
            let (opened, text) = opener.open(&compact).unwrap();
            assert_eq!(opened, context);
            assert_eq!(text.as_slice(), plaintext);
        }
    }
}

#[test]
fn another_key_neither_verifies_nor_opens() {
    for profile in PROFILES {
        let (signer, _) = signing(profile);
        let (_, other) = signing(profile);
        let compact = signer.sign(TYP, b"{}").unwrap();
        assert_eq!(form(other.verify(TYP, &compact)), "`kid` is not that of the key");
        let (sealer, _) = sealing(profile);
        let (_, other) = sealing(profile);
        let compact = sealer.seal(&json!({}), b"x").unwrap();
        assert_eq!(form(other.open(&compact)), "`kid` is not that of the key");
    }
}

#[test]
fn a_foreign_key_under_our_kid_is_a_mismatch() {
    for profile in PROFILES {
        let (signer, _) = signing(profile);
        let foreign = KeyFile::generate(profile, KeyUse::Sign).unwrap().public_jwk();
        let members = foreign.0.as_object().unwrap().clone();
        let anonymous = Jwk(members.into_iter().filter(|(name, _)| name != "kid").collect());
        let verifier = Jose.verifier(signer.key_id(), &anonymous).unwrap();
        assert_eq!(verifier.verify(TYP, &signer.sign(TYP, b"{}").unwrap()), Err(CryptoFailure::Mismatch));
    }
}

#[test]
fn a_key_for_one_use_is_refused_for_the_other() {
    let sign = KeyFile::generate(SignatureProfile::Curve25519, KeyUse::Sign).unwrap();
    let open = KeyFile::generate(SignatureProfile::Curve25519, KeyUse::Open).unwrap();
    assert!(Jose.sealer(sign.key_id(), &sign.public_jwk()).is_err());
    assert!(Jose.verifier(open.key_id(), &open.public_jwk()).is_err());
}

#[test]
fn every_foreign_member_of_a_header_is_refused_by_name() {
    let (signer, verifier) = signing(SignatureProfile::P256);
    let (sealer, opener) = sealing(SignatureProfile::P256);
    let jws = signer.sign(TYP, b"{}").unwrap();
    let jwe = sealer.seal(&json!({}), b"x").unwrap();
    for (member, reason) in [
        (r#""crit":["exp"]"#, "header has `crit`"),
        (r#""crit":[]"#, "header has `crit`"),
        (r#""zip":"DEF""#, "header has `zip`"),
        (r#""b64":false"#, "header has `b64`"),
        (r#""jwk":{}"#, "header has `jwk`"),
        (r#""jku":"https://attacker.example""#, "header has `jku`"),
        (r#""x5u":"https://attacker.example""#, "header has `x5u`"),
        (r#""apu":"QQ""#, "header has a member that is not of the protocol"),
        (r#""alg":"none""#, "header repeats a member"),
        (r#""\u0061lg":"none""#, "header repeats a member"),
    ] {
        assert_eq!(form(verifier.verify(TYP, &with_member(&jws, member))), reason);
        assert_eq!(form(opener.open(&with_member(&jwe, member))), reason);
    }
}

#[test]
fn a_member_repeated_inside_the_context_is_refused() {
    let (sealer, opener) = sealing(SignatureProfile::P256);
    let jwe = sealer.seal(&json!({ "labels": [] }), b"x").unwrap();
    let twice = with_header(&jwe, |text| text.replace(r#""labels":[]"#, r#""labels":[],"labels":[]"#));
    assert_eq!(form(opener.open(&twice)), "header repeats a member");
}

#[test]
fn another_alg_enc_typ_or_kid_is_refused() {
    let (signer, verifier) = signing(SignatureProfile::P256);
    let (sealer, opener) = sealing(SignatureProfile::P256);
    let jws = signer.sign(TYP, b"{}").unwrap();
    let jwe = sealer.seal(&json!({}), b"x").unwrap();
    for alg in ["none", "HS256", "ES384", "EdDSA", "es256"] {
        let changed = with_header(&jws, |text| text.replace("ES256", alg));
        assert_eq!(form(verifier.verify(TYP, &changed)), "`alg` is not that of the key");
    }
    for alg in ["ECDH-ES", "dir", "ECDH-ES+A128KW", "RSA-OAEP"] {
        let changed = with_header(&jwe, |text| text.replace("ECDH-ES+A256KW", alg));
        assert_eq!(form(opener.open(&changed)), "`alg` is not that of the key");
    }
    let changed = with_header(&jwe, |text| text.replace("A256GCM", "A128GCM"));
    assert_eq!(form(opener.open(&changed)), "`enc` is not that of the key");
    assert_eq!(form(verifier.verify("kb+jwt", &jws)), "`typ` is not the expected one");
    let changed = with_header(&jwe, |text| text.replace("puente-sealed", "JOSE"));
    assert_eq!(form(opener.open(&changed)), "`typ` is not the expected one");
    let unnamed = with_header(&jws, |text| text.replace(signer.key_id().as_str(), ""));
    assert_eq!(form(verifier.verify(TYP, &unnamed)), "`kid` is not that of the key");
}

#[test]
fn a_header_that_is_no_object_is_refused() {
    let (signer, verifier) = signing(SignatureProfile::P256);
    let jws = signer.sign(TYP, b"{}").unwrap();
    for (header, reason) in [
        ("[]", "header is not an object"),
        ("", "header is not JSON"),
        ("{} {}", "header is not JSON"),
        ("{}", "`alg` is not that of the key"),
    ] {
        assert_eq!(form(verifier.verify(TYP, &with_header(&jws, |_| header.to_owned()))), reason);
    }
    let deep = "[".repeat(10_000);
    assert_eq!(form(verifier.verify(TYP, &with_header(&jws, |_| deep))), "header is not JSON");
    let long = format!("{{\"alg\":\"{}\"}}", "x".repeat(16 << 10));
    assert_eq!(form(verifier.verify(TYP, &with_header(&jws, |_| long))), "header is too long");
}

#[test]
fn a_segment_of_another_length_is_refused() {
    for profile in PROFILES {
        let (sealer, opener) = sealing(profile);
        let jwe = sealer.seal(&json!({}), b"plaintext").unwrap();
        let tag = from_base64url(jwe.split('.').nth(4).unwrap()).unwrap();
        for length in 0..16 {
            let cut = with_segment(&jwe, 4, &base64url(&tag[..length]));
            assert_eq!(form(opener.open(&cut)), "authentication tag is not 16 bytes");
        }
        for length in [0, 8, 11, 13, 16] {
            let changed = with_segment(&jwe, 2, &base64url(&vec![0; length]));
            assert_eq!(form(opener.open(&changed)), "initialisation vector is not 12 bytes");
        }
        for length in [0, 8, 16, 24, 32, 39, 41, 48] {
            let changed = with_segment(&jwe, 1, &base64url(&vec![0; length]));
            assert_eq!(form(opener.open(&changed)), "encrypted key is not 40 bytes");
        }
    }
    let (signer, verifier) = signing(SignatureProfile::P256);
    let jws = signer.sign(TYP, b"{}").unwrap();
    for length in [0, 63, 65, 70, 72] {
        let changed = with_segment(&jws, 2, &base64url(&vec![1; length]));
        assert_eq!(form(verifier.verify(TYP, &changed)), "signature is not 64 bytes");
    }
}

#[test]
fn an_all_zero_signature_is_a_mismatch() {
    for profile in PROFILES {
        let (signer, verifier) = signing(profile);
        let forged = with_segment(&signer.sign(TYP, b"{}").unwrap(), 2, &base64url(&[0; 64]));
        assert_eq!(verifier.verify(TYP, &forged), Err(CryptoFailure::Mismatch));
    }
}

#[test]
fn an_ephemeral_key_off_the_curve_or_of_another_form_is_refused() {
    let (sealer, opener) = sealing(SignatureProfile::P256);
    let jwe = sealer.seal(&json!({}), b"x").unwrap();
    let own = header_of(&jwe)["epk"].to_string();
    let replaced = |epk: Value| with_header(&jwe, |text| text.replace(&own, &epk.to_string()));
    let (x, zero) = (header_of(&jwe)["epk"]["x"].clone(), base64url(&[0; 32]));
    let foreign = "`epk` is not a public key of ours";
    for (epk, reason) in [
        (json!({ "kty": "EC", "crv": "P-256", "x": x, "y": zero }), "`epk` is not a point of the curve"),
        (json!({ "kty": "EC", "crv": "P-256", "x": zero, "y": zero }), "`epk` is not a point of the curve"),
        (json!({ "kty": "OKP", "crv": "X25519", "x": x }), "`epk` gives no shared secret with the key"),
        (json!({ "kty": "OKP", "crv": "Ed25519", "x": x }), "`epk` is not a point of the curve"),
        (json!({ "kty": "EC", "crv": "P-384", "x": x, "y": x }), foreign),
        (json!({ "kty": "EC", "crv": "P-256", "x": x, "y": x, "d": x }), foreign),
        (json!({ "kty": "EC", "crv": "P-256", "x": x }), foreign),
        (json!({ "kty": "EC", "crv": "P-256", "x": "AA", "y": x }), foreign),
        (json!([]), "header lacks `epk`"),
    ] {
        assert_eq!(form(opener.open(&replaced(epk))), reason);
    }
}

#[test]
fn a_small_order_x25519_point_is_refused_on_both_sides() {
    let (sealer, opener) = sealing(SignatureProfile::Curve25519);
    let jwe = sealer.seal(&json!({}), b"x").unwrap();
    let own = header_of(&jwe)["epk"].to_string();
    let mut one = [0; 32];
    one[0] = 1;
    for point in [[0; 32], one] {
        let epk = json!({ "kty": "OKP", "crv": "X25519", "x": base64url(&point) });
        let changed = with_header(&jwe, |text| text.replace(&own, &epk.to_string()));
        assert_eq!(form(opener.open(&changed)), "`epk` gives no shared secret with the key");
        let small = Sealer::new(opener.key_id().clone(), PublicKey::X25519(point)).unwrap();
        assert!(matches!(small.seal(&json!({}), b"x"), Err(CryptoFailure::Key(_))));
    }
}

#[test]
fn padding_trailing_bytes_and_other_part_counts_are_refused() {
    let (signer, verifier) = signing(SignatureProfile::P256);
    let (sealer, opener) = sealing(SignatureProfile::P256);
    let jws = signer.sign(TYP, b"{}").unwrap();
    let jwe = sealer.seal(&json!({}), b"x").unwrap();
    let (head, tail) = jws.split_once('.').unwrap();
    assert_eq!(form(verifier.verify(TYP, &format!("{head}=.{tail}"))), "header is not strict base64url");
    for garbage in ["=", "\n", " ", "A"] {
        assert_eq!(form(verifier.verify(TYP, &format!("{jws}{garbage}"))), "signature is not 64 bytes");
        assert_eq!(form(opener.open(&format!("{jwe}{garbage}"))), "authentication tag is not 16 bytes");
        assert!(verifier.verify(TYP, &format!("{garbage}{jws}")).is_err());
    }
    assert_eq!(form(verifier.verify(TYP, &format!("{jws}."))), "token is not three parts");
    assert_eq!(form(verifier.verify(TYP, "")), "token is not three parts");
    assert_eq!(form(opener.open(&format!("{jwe}."))), "token is not five parts");
    assert_eq!(form(opener.open(&jws)), "token is not five parts");
}

#[test]
fn a_token_beyond_its_cap_is_refused_unread_and_never_made() {
    let (signer, verifier) = signing(SignatureProfile::P256);
    let (sealer, opener) = sealing(SignatureProfile::P256);
    assert_eq!(
        form(verifier.verify(TYP, &"A".repeat(MAX_JWS_BYTES + 1))),
        "token is longer than a JWS may be"
    );
    assert_eq!(form(opener.open(&"A".repeat(MAX_JWE_BYTES + 1))), "token is longer than a JWE may be");
    assert!(signer.sign(TYP, &vec![0; MAX_JWS_BYTES]).is_err());
    assert!(sealer.seal(&json!({}), &vec![0; MAX_JWE_BYTES]).is_err());
}

#[test]
fn every_change_of_one_byte_is_refused() {
    for profile in PROFILES {
        let (signer, verifier) = signing(profile);
        let jws = signer.sign(TYP, br#"{"a":1}"#).unwrap();
        refuses_every_change(&jws, |changed| verifier.verify(TYP, changed).is_err());
        let (sealer, opener) = sealing(profile);
        let jwe = sealer.seal(&json!({ "labels": ["id.core"] }), b"plaintext").unwrap();
        refuses_every_change(&jwe, |changed| opener.open(changed).is_err());
    }
}

fn refuses_every_change(compact: &str, refused: impl Fn(&str) -> bool) {
    for position in 0..compact.len() {
        for flip in [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40] {
            let mut bytes = compact.as_bytes().to_vec();
            bytes[position] ^= flip;
            let changed = String::from_utf8(bytes).unwrap();
            assert!(refused(&changed), "a change at {position} by {flip:#x} was accepted");
        }
        assert!(refused(&compact[..position]), "a token cut at {position} was accepted");
    }
}

#[test]
fn es256_verifies_the_signature_of_rfc_7515_a_3() {
    let public = Jwk(json!({
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    }));
    let id: KeyId = "vector".parse().unwrap();
    let verifier = Verifier::new(id.clone(), PublicKey::from_jwk(&public, &id).unwrap()).unwrap();
    let input = concat!(
        "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQog",
        "Imh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    );
    let signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    assert!(verifier.key().verify(input.as_bytes(), &from_base64url(signature).unwrap()).is_ok());
}

#[test]
fn ed25519_makes_the_signature_of_rfc_8037_a_4() {
    let seed = from_base64url("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
    let pair = aws_lc_rs::signature::Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
    assert_eq!(
        base64url(pair.sign(b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc").as_ref()),
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    );
}

#[test]
fn josekits_own_openssl_code_opens_what_we_seal_and_we_open_what_it_seals() {
    use josekit::jwe::{ECDH_ES_A256KW, JweContext, JweHeader};
    for profile in PROFILES {
        let key = KeyFile::generate(profile, KeyUse::Open).unwrap();
        let sealer = Jose.sealer(key.key_id(), &key.public_jwk()).unwrap();
        let ours = sealer.seal(&json!({ "labels": [] }), b"plaintext").unwrap();
        let theirs = ECDH_ES_A256KW.decrypter_from_pem(key.to_pem().as_bytes()).unwrap();
        assert_eq!(JweContext::new().deserialize_compact(&ours, &theirs).unwrap().0, b"plaintext");

        let jwk = josekit::jwk::Jwk::from_map(key.public_jwk().0.as_object().unwrap().clone()).unwrap();
        let encrypter = ECDH_ES_A256KW.encrypter_from_jwk(&jwk).unwrap();
        let mut header = JweHeader::new();
        header.set_content_encryption("A256GCM");
        header.set_token_type("puente-sealed");
        header.set_claim("puente", Some(json!({ "labels": [] }))).unwrap();
        let made = JweContext::new().serialize_compact(b"plaintext", &header, &encrypter).unwrap();
        assert_eq!(key.opener().unwrap().open(&made).unwrap().1.as_slice(), b"plaintext");
    }
}

#[test]
fn josekits_own_openssl_code_verifies_our_es256_and_we_verify_its() {
    use josekit::jws::{ES256, JwsContext, JwsHeader};
    let key = KeyFile::generate(SignatureProfile::P256, KeyUse::Sign).unwrap();
    let jwk = josekit::jwk::Jwk::from_map(key.public_jwk().0.as_object().unwrap().clone()).unwrap();
    let ours = key.signer().unwrap().sign(TYP, b"{}").unwrap();
    let theirs = ES256.verifier_from_jwk(&jwk).unwrap();
    assert_eq!(JwsContext::new().deserialize_compact(&ours, &theirs).unwrap().0, b"{}");

    let mut signer = ES256.signer_from_pem(key.to_pem().as_bytes()).unwrap();
    signer.set_key_id(key.key_id().as_str());
    let mut header = JwsHeader::new();
    header.set_token_type(TYP);
    let made = JwsContext::new().serialize_compact(b"{}", &header, &signer).unwrap();
    let verifier = Jose.verifier(key.key_id(), &key.public_jwk()).unwrap();
    assert_eq!(verifier.verify(TYP, &made).unwrap(), b"{}");
}
