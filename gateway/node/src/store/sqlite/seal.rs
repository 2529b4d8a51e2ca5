//! Seals columns at rest: AES-256-GCM under a subject's key or the store's, bound to the table and row they stand in.
//!
//! Not here: sealing toward a recipient (`envelope`), the keys of subjects (`subjects`). Invariant: a sealed value opens only in the place
//! it was sealed for, so rows cannot be swapped on the medium.
//!
//! Nonces are 96 random bits, good for 2^32 values under one key (NIST SP 800-38D section 8.3): at a
//! million messages a year with a dozen sealed columns each, over three hundred years.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use super::ledger::Failure;
use super::subjects::{Known, SubjectKeys, split};
use crate::store::key::StoreKey;

/// First byte of what is sealed under the store key.
const FORM: u8 = 1;
const TAG_BYTES: usize = 16;

/// Where a sealed value stands: the table and the row's primary key.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) table: &'static str,
    pub(super) key: &'a [u8],
}

impl Place<'_> {
    fn aad(&self) -> Aad<Vec<u8>> {
        let mut bytes = Vec::with_capacity(self.table.len() + 1 + self.key.len());
        bytes.extend_from_slice(self.table.as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(self.key);
        Aad::from(bytes)
    }
}

/// The store key, ready for use.
pub(super) struct StoreCipher(LessSafeKey);

impl StoreCipher {
    pub(super) fn new(key: &StoreKey) -> Result<Self, Failure> {
        Ok(Self(cipher(key.bytes())?))
    }

    /// Form byte, nonce, ciphertext, tag.
    pub(super) fn seal(&self, place: Place<'_>, plain: &[u8]) -> Result<Vec<u8>, Failure> {
        seal_in(&self.0, &[FORM], place, plain)
    }

    pub(super) fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, Failure> {
        match sealed.split_first() {
            Some((&FORM, rest)) => open_in(&self.0, place, rest),
            _ => Err(Failure::Damaged(place.table)),
        }
    }
}

/// The store key and the keys of subjects; shared by the writer and the readers.
pub(super) struct Sealer {
    own: StoreCipher,
    subjects: SubjectKeys,
}

impl Sealer {
    pub(super) const fn new(own: StoreCipher, subjects: SubjectKeys) -> Self {
        Self { own, subjects }
    }

    /// The keys of subjects.
    pub(super) const fn subjects(&self) -> &SubjectKeys {
        &self.subjects
    }

    /// Seals under the store key.
    pub(super) fn seal(&self, place: Place<'_>, plain: &[u8]) -> Result<Vec<u8>, Failure> {
        self.own.seal(place, plain)
    }

    /// Opens what is sealed under the store key or a subject's.
    ///
    /// # Errors
    /// `Erased` when that subject's key was destroyed, `Damaged` when the value is not what was sealed.
    pub(super) fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, Failure> {
        let Some((id, rest)) = split(sealed) else { return self.own.open(place, sealed) };
        match self.subjects.by_id(id)? {
            Known::Live(key) => key.open(place, rest),
            Known::Destroyed => Err(Failure::Erased),
            Known::Never => Err(Failure::Damaged(place.table)),
        }
    }
}

/// A key of 32 bytes, ready for use.
pub(super) fn cipher(key: &[u8]) -> Result<LessSafeKey, Failure> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).map_err(|_| Failure::Sealing)
}

/// Head, nonce, ciphertext, tag.
pub(super) fn seal_in(
    key: &LessSafeKey,
    head: &[u8],
    place: Place<'_>,
    plain: &[u8],
) -> Result<Vec<u8>, Failure> {
    let mut nonce = [0_u8; NONCE_LEN];
    aws_lc_rs::rand::fill(&mut nonce).map_err(|_| Failure::Sealing)?;
    let mut sealed = Vec::with_capacity(head.len() + NONCE_LEN + plain.len() + TAG_BYTES);
    sealed.extend_from_slice(head);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(plain);
    let Some(body) = sealed.get_mut(head.len() + NONCE_LEN..) else { return Err(Failure::Sealing) };
    let tag = key
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), place.aad(), body)
        .map_err(|_| Failure::Sealing)?;
    sealed.extend_from_slice(tag.as_ref());
    Ok(sealed)
}

/// Opens nonce, ciphertext, tag.
pub(super) fn open_in(key: &LessSafeKey, place: Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, Failure> {
    let damaged = || Failure::Damaged(place.table);
    let (nonce, body) = sealed.split_at_checked(NONCE_LEN).ok_or_else(damaged)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| damaged())?;
    let mut plain = body.to_vec();
    let length = key.open_in_place(nonce, place.aad(), &mut plain).map_err(|_| damaged())?.len();
    plain.truncate(length);
    Ok(plain)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

    use super::*;

    const HERE: Place<'_> = Place { table: "wire", key: b"one" };

    fn sealer(byte: u8) -> StoreCipher {
        StoreCipher::new(&StoreKey::from_bytes([byte; 32])).ok().unwrap()
    }

    #[test]
    fn a_value_opens_only_in_its_place_and_under_its_key() {
        let sealed = sealer(1).seal(HERE, b"secret").ok().unwrap();
        assert_eq!(sealer(1).open(HERE, &sealed).ok().unwrap(), b"secret");
        assert!(sealer(1).open(Place { key: b"two", ..HERE }, &sealed).is_err());
        assert!(sealer(1).open(Place { table: "chunk", ..HERE }, &sealed).is_err());
        assert!(sealer(2).open(HERE, &sealed).is_err());
    }

    #[test]
    fn every_cut_and_every_changed_byte_is_refused() {
        let sealed = sealer(1).seal(HERE, b"secret").ok().unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(sealer(1).open(HERE, &changed).is_err(), "byte {at}");
            assert!(sealer(1).open(HERE, &sealed[..at]).is_err(), "cut at {at}");
        }
    }
}
