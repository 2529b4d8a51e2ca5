//! Under whose key and until when the content of a message is kept.
//!
//! Not here: the keys (`puente-node::store`), or who the subject is. INVARIANT: a tag says nothing about a
//! person to whoever does not hold the node's secret.

use std::fmt;

use crate::ids::Digest;

/// Milliseconds in a day.
const DAY_MS: i64 = 86_400_000;

/// Names the key of one subject in one node: a hash of who that is under the node's secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectTag(pub [u8; 32]);

impl fmt::Debug for SubjectTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectTag([pseudonym])")
    }
}

/// What a stored message's content hangs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keeping {
    /// Whose key seals it.
    pub subject: SubjectTag,
    /// When it is erased, milliseconds since the epoch.
    pub until_ms: i64,
    /// When its agency is told that this is near; never after `until_ms`.
    pub notice_ms: i64,
    /// Roots of the attachments that it names: their chunks stay as long as a message names them.
    pub attachments: Vec<Digest>,
}

impl Keeping {
    /// Content accepted at `accepted_ms`, kept for `days`, announced `notice_days` before the end and not
    /// before it was accepted.
    #[must_use]
    pub fn for_days(subject: SubjectTag, accepted_ms: i64, days: u32, notice_days: u32) -> Self {
        let until_ms = accepted_ms.saturating_add(i64::from(days).saturating_mul(DAY_MS));
        let notice_ms = until_ms
            .saturating_sub(i64::from(notice_days).saturating_mul(DAY_MS))
            .clamp(accepted_ms, until_ms);
        Self { subject, until_ms, notice_ms, attachments: Vec::new() }
    }

    /// Names the attachments.
    #[must_use]
    pub fn with_attachments(mut self, roots: impl IntoIterator<Item = Digest>) -> Self {
        self.attachments = roots.into_iter().collect();
        self
    }
}

/// What retention asks for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetentionStep {
    /// The agency is told that the end is near.
    Announce,
    /// The content goes.
    Erase,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBJECT: SubjectTag = SubjectTag([7; 32]);

    #[test]
    fn the_notice_lies_between_acceptance_and_end() {
        let long = Keeping::for_days(SUBJECT, 1_000, 365, 14);
        assert_eq!((long.notice_ms, long.until_ms), (1_000 + 351 * DAY_MS, 1_000 + 365 * DAY_MS));
        let short = Keeping::for_days(SUBJECT, 1_000, 3, 14);
        assert_eq!((short.notice_ms, short.until_ms), (1_000, 1_000 + 3 * DAY_MS));
        let none = Keeping::for_days(SUBJECT, 1_000, 0, 14);
        assert_eq!((none.notice_ms, none.until_ms), (1_000, 1_000));
        assert_eq!(Keeping::for_days(SUBJECT, i64::MAX, u32::MAX, 0).until_ms, i64::MAX);
    }

    #[test]
    fn debug_shows_no_tag() {
        assert_eq!(format!("{SUBJECT:?}"), "SubjectTag([pseudonym])");
    }
}
