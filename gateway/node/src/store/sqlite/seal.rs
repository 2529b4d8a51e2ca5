//! Seals columns at rest: AES-256-GCM under the store key, bound to the table and row they stand in.
//!
//! Not here: sealing toward a recipient (`envelope`). Invariant: a sealed value opens only in the place
//! it was sealed for, so rows cannot be swapped on the medium.
//!
//! Nonces are 96 random bits, good for 2^32 values under one key (NIST SP 800-38D section 8.3): at a
//! million messages a year with a dozen sealed columns each, over three hundred years.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use super::ledger::Failure;
use crate::store::key::StoreKey;

/// First byte of every sealed value, so that another form can follow.
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

/// The store key, ready for use; shared by the writer and the readers.
pub(super) struct Sealer(LessSafeKey);

impl Sealer {
    pub(super) fn new(key: &StoreKey) -> Result<Self, Failure> {
        let key = UnboundKey::new(&AES_256_GCM, key.bytes()).map_err(|_| Failure::Sealing)?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// Form byte, nonce, ciphertext, tag.
    pub(super) fn seal(&self, place: Place<'_>, plain: &[u8]) -> Result<Vec<u8>, Failure> {
        let mut nonce = [0_u8; NONCE_LEN];
        aws_lc_rs::rand::fill(&mut nonce).map_err(|_| Failure::Sealing)?;
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + plain.len() + TAG_BYTES);
        sealed.push(FORM);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let Some(body) = sealed.get_mut(1 + NONCE_LEN..) else { return Err(Failure::Sealing) };
        let tag = self
            .0
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), place.aad(), body)
            .map_err(|_| Failure::Sealing)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    pub(super) fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, Failure> {
        let damaged = || Failure::Damaged(place.table);
        let (form, rest) = sealed.split_first().ok_or_else(damaged)?;
        let (nonce, body) = rest.split_at_checked(NONCE_LEN).ok_or_else(damaged)?;
        if *form != FORM {
            return Err(damaged());
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| damaged())?;
        let mut plain = body.to_vec();
        let length = self.0.open_in_place(nonce, place.aad(), &mut plain).map_err(|_| damaged())?.len();
        plain.truncate(length);
        Ok(plain)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

    use super::*;

    const HERE: Place<'_> = Place { table: "wire", key: b"one" };

    fn sealer(byte: u8) -> Sealer {
        Sealer::new(&StoreKey::from_bytes([byte; 32])).ok().unwrap()
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
