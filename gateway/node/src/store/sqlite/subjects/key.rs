//! One subject's key, ready for use, and how it is wrapped for the file.
//!
//! Not here: where it is kept. INVARIANT: the secret stands in zeroized memory only while it is made or
//! unwrapped; what stays is the cipher derived from it, which the library wipes when it is dropped.

use std::fmt;

use aws_lc_rs::aead::LessSafeKey;
use aws_lc_rs::hkdf;
use zeroize::Zeroizing;

use crate::store::key::{KEY_BYTES, SubjectsKey};
use crate::store::sqlite::ledger::Failure;
use crate::store::sqlite::seal::{Place, cipher, open_in, seal_in};

/// First byte of what is sealed under a subject's key; the key's id follows.
pub(in crate::store::sqlite) const FORM: u8 = 2;

/// What the key of stored content is derived for (RFC 5869 section 3.2).
const PURPOSE: &[&[u8]] = &[b"puente stored content 1"];

/// Names one key, at random: a subject whose key was destroyed gets another under another id.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::store::sqlite) struct SubjectKeyId(pub(in crate::store::sqlite) [u8; 16]);

impl fmt::Debug for SubjectKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectKeyId([pseudonym])")
    }
}

/// The key of one subject.
pub(in crate::store::sqlite) struct SubjectKey {
    id: SubjectKeyId,
    content: LessSafeKey,
}

impl SubjectKey {
    fn derive(id: SubjectKeyId, secret: &[u8; KEY_BYTES]) -> Result<Self, Failure> {
        let mut derived = Zeroizing::new([0_u8; KEY_BYTES]);
        // The secret is uniform already, so RFC 5869's extraction is passed over (section 3.3).
        hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, secret)
            .expand(PURPOSE, hkdf::HKDF_SHA256)
            .and_then(|output| output.fill(derived.as_mut_slice()))
            .map_err(|_| Failure::Sealing)?;
        Ok(Self { id, content: cipher(derived.as_slice())? })
    }

    /// Its id.
    pub(in crate::store::sqlite) const fn id(&self) -> SubjectKeyId {
        self.id
    }

    /// Form byte, key id, nonce, ciphertext, tag.
    pub(in crate::store::sqlite) fn seal(&self, place: Place<'_>, plain: &[u8]) -> Result<Vec<u8>, Failure> {
        let mut head = [FORM; 17];
        if let Some(id) = head.get_mut(1..) {
            id.copy_from_slice(&self.id.0);
        }
        seal_in(&self.content, &head, place, plain)
    }

    /// Opens what follows the key's id.
    pub(in crate::store::sqlite) fn open(&self, place: Place<'_>, rest: &[u8]) -> Result<Vec<u8>, Failure> {
        open_in(&self.content, place, rest)
    }
}

/// Splits form byte and key id off a value that is sealed under a subject's key.
pub(in crate::store::sqlite) fn split(sealed: &[u8]) -> Option<(SubjectKeyId, &[u8])> {
    let (form, rest) = sealed.split_first()?;
    let (id, rest) = rest.split_first_chunk::<16>()?;
    (*form == FORM).then_some((SubjectKeyId(*id), rest))
}

/// The key outside the file, which wraps those in it.
pub(super) struct Wrapper(LessSafeKey);

impl Wrapper {
    pub(super) fn new(key: &SubjectsKey) -> Result<Self, Failure> {
        Ok(Self(cipher(key.bytes())?))
    }

    /// A new key under a new id, and how it goes to the file: nonce, ciphertext, tag; always as long.
    pub(super) fn mint(&self) -> Result<(SubjectKey, Vec<u8>), Failure> {
        let mut id = [0_u8; 16];
        let mut secret = Zeroizing::new([0_u8; KEY_BYTES]);
        aws_lc_rs::rand::fill(&mut id).map_err(|_| Failure::Sealing)?;
        aws_lc_rs::rand::fill(secret.as_mut_slice()).map_err(|_| Failure::Sealing)?;
        let wrapped = self.wrap(Place { table: "subject_key", key: &id }, secret.as_slice())?;
        Ok((SubjectKey::derive(SubjectKeyId(id), &secret)?, wrapped))
    }

    /// The key that the file holds under this id.
    pub(super) fn unwrap(&self, id: SubjectKeyId, wrapped: &[u8]) -> Result<SubjectKey, Failure> {
        let plain = Zeroizing::new(self.open(Place { table: "subject_key", key: &id.0 }, wrapped)?);
        let secret = <&[u8; KEY_BYTES]>::try_from(plain.as_slice());
        SubjectKey::derive(id, secret.map_err(|_| Failure::Damaged("subject_key"))?)
    }

    pub(super) fn wrap(&self, place: Place<'_>, plain: &[u8]) -> Result<Vec<u8>, Failure> {
        seal_in(&self.0, &[], place, plain)
    }

    pub(super) fn open(&self, place: Place<'_>, wrapped: &[u8]) -> Result<Vec<u8>, Failure> {
        open_in(&self.0, place, wrapped)
    }
}
