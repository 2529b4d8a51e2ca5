//! Disclosures: one salted category each, and the digest that commits to it (RFC 9901 section 4.2).
//!
//! INVARIANT: a disclosure is hashed as the text that was received or made, never re-serialised.

use std::fmt;

use serde_json::Value;

use crate::envelope::{Randomness, base64url, from_base64url};
use crate::ids::{Category, Digest};

/// Bytes of salt; RFC 9901 section 9.3 asks for 128 bits or more.
const SALT_BYTES: usize = 16;

/// One category as it is disclosed: the base64url text of `[salt, category, value]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Disclosure {
    text: String,
    digest: Digest,
}

impl fmt::Debug for Disclosure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Its text is content.
        f.debug_struct("Disclosure").field("digest", &self.digest).finish_non_exhaustive()
    }
}

impl Disclosure {
    /// Makes the disclosure of one category under a fresh salt.
    ///
    /// # Errors
    /// When the value cannot be serialised.
    pub fn make(
        category: &Category,
        value: &Value,
        random: &dyn Randomness,
    ) -> Result<Self, serde_json::Error> {
        let mut salt = [0_u8; SALT_BYTES];
        random.fill(&mut salt);
        let json = serde_json::to_vec(&(base64url(&salt), category.as_str(), value))?;
        Ok(Self::of(base64url(&json)))
    }

    /// A disclosure that was received.
    #[must_use]
    pub fn of(text: String) -> Self {
        let digest = Digest::of(text.as_bytes());
        Self { text, digest }
    }

    /// The text that is hashed and sealed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The digest that commits to it.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// Category and value; `None` when the text is not a disclosure of an object property with a salt
    /// of 128 bits or more.
    #[must_use]
    pub fn read(&self) -> Option<(Category, Value)> {
        let json = from_base64url(&self.text)?;
        let Value::Array(parts) = crate::json::parse(&json, crate::json::MAX_DEPTH).ok()? else {
            return None;
        };
        let [Value::String(salt), Value::String(name), value]: [Value; 3] = parts.try_into().ok()? else {
            return None;
        };
        if from_base64url(&salt)?.len() < SALT_BYTES || name == "_sd" || name == "..." {
            return None;
        }
        Some((name.parse().ok()?, value))
    }
}

/// A digest that commits to nothing, indistinguishable from the others.
#[must_use]
pub fn decoy(random: &dyn Randomness) -> Digest {
    let mut bytes = [0_u8; 32];
    random.fill(&mut bytes);
    Digest::of(&bytes)
}

/// How many digests a message with `count` categories shows: a step of a ladder, so that a withheld
/// category cannot be suspected from the number.
#[must_use]
pub fn digest_ladder(count: usize) -> usize {
    count.max(8).next_power_of_two()
}

/// How many bytes a plaintext of `len` bytes is padded to: 1 KiB and then steps of a half or a third
/// (1, 1.5, 2, 3, 4, 6 ... KiB), so that the size tells little and costs at most a half.
#[must_use]
pub fn size_ladder(len: usize) -> usize {
    let power = len.max(1024).next_power_of_two();
    let step = power / 4 * 3;
    if len <= step && step >= 1024 { step } else { power }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ladders_cover_what_they_are_asked_for() {
        for len in [0, 1, 1023, 1024, 1025, 1536, 1537, 2048, 2049, 3000, 100_000] {
            let padded = size_ladder(len);
            assert!(padded >= len && padded >= 1024 && padded <= len.max(1024) * 2, "{len} {padded}");
        }
        assert_eq!(digest_ladder(3), 8);
        assert_eq!(digest_ladder(9), 16);
    }

    #[test]
    fn short_salts_and_reserved_names_are_not_disclosures() {
        let reserved = |json: &str| Disclosure::of(base64url(json.as_bytes())).read();
        assert!(reserved(r#"["AAAAAAAAAAAAAAAAAAAAAA","id.core",{}]"#).is_some());
        assert!(reserved(r#"["AAAA","id.core",{}]"#).is_none());
        assert!(reserved(r#"["AAAAAAAAAAAAAAAAAAAAAA","_sd",{}]"#).is_none());
        assert!(reserved(r#"["AAAAAAAAAAAAAAAAAAAAAA","id.core"]"#).is_none());
        assert!(reserved(r#"["AAAAAAAAAAAAAAAAAAAAAA","id.core",{"a":1,"a":2}]"#).is_none());
    }
}
