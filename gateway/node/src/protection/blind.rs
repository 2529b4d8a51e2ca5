//! Tags of people: HMAC-SHA256 cut to 64 bits, under a key that is used for nothing else.

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};

use puente_core::protection::{Blind, Tag};

/// What the key is drawn for, so that no other use of the node's secret yields the same tags.
const PURPOSE: &[u8] = b"puente protection holds 1";

/// The node's key for tags.
pub(super) struct HmacBlind(Key);

impl HmacBlind {
    /// A key that stays the same over restarts, so that tags kept beside a waiting message can still be compared.
    pub(super) fn drawn_from(secret: &Key) -> Self {
        Self(Key::new(HMAC_SHA256, sign(secret, PURPOSE).as_ref()))
    }
}

impl Blind for HmacBlind {
    fn tag(&self, bytes: &[u8]) -> Tag {
        let digest = sign(&self.0, bytes);
        let first = digest.as_ref().first_chunk::<8>().copied().unwrap_or_default();
        Tag(u64::from_be_bytes(first))
    }
}
