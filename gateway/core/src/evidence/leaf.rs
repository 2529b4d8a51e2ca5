//! One leaf of a node's evidence log: a salted hash of a record without personal data.
//!
//! Erasing salt and record unlinks the leaf from what it stood for; the tree stays whole.

use serde::Serialize;

use crate::envelope::Randomness;
use crate::evidence::merkle::leaf_hash;
use crate::ids::Digest;

/// What a leaf records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeafRecord<'a> {
    /// `message`, `receipt`, `decision`, `approval`, `membership`, `policy`.
    pub kind: &'a str,
    /// Identifier within its kind.
    pub id: String,
    /// Digest of the thing itself.
    pub digest: Digest,
    /// Milliseconds since the epoch.
    pub at_ms: i64,
}

/// A leaf with what opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// `SHA-256(0x00 || salt || record)`.
    pub hash: Digest,
    /// 256 bits.
    pub salt: Vec<u8>,
    /// The record as JSON.
    pub record: Vec<u8>,
}

impl Leaf {
    /// Salts and hashes a record.
    ///
    /// # Errors
    /// When the record cannot be serialised.
    pub fn new(record: &LeafRecord<'_>, random: &dyn Randomness) -> Result<Self, serde_json::Error> {
        let mut salt = vec![0_u8; 32];
        random.fill(&mut salt);
        let record = serde_json::to_vec(record)?;
        let hash = leaf_hash(&[salt.as_slice(), record.as_slice()].concat());
        Ok(Self { hash, salt, record })
    }
}
