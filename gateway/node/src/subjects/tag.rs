//! Who a subject is to this node, and the tag that its key is found by.
//!
//! Not here: pairwise pseudonyms, which leave the node. INVARIANT: two different subjects never hash the same text,
//! and without the node's secret a tag cannot be compared with a reference somebody knows.

use aws_lc_rs::hmac;

use puente_core::delivery::SubjectTag;
use puente_core::envelope::Header;
use puente_core::ids::{CaseId, CountryCode};

/// A subject as the node meets it.
#[derive(Clone, Copy)]
pub enum SubjectOf<'a> {
    /// By the reference of this country's agencies.
    Own(&'a str),
    /// By the pairwise pseudonym that a peer uses toward this country.
    Peer(&'a CountryCode, &'a str),
    /// By nothing but the thread that it is talked about in.
    Case(CaseId),
}

impl<'a> SubjectOf<'a> {
    /// The subject of a message from a peer.
    #[must_use]
    pub fn named_by(peer: &'a CountryCode, header: &'a Header) -> Self {
        header.subject_ref.as_deref().map_or(Self::Case(header.case), |pseudonym| Self::Peer(peer, pseudonym))
    }

    /// The tag, under the node's secret for tags.
    #[must_use]
    pub fn tag(self, secret: &hmac::Key) -> SubjectTag {
        let mut context = hmac::Context::with_key(secret);
        match self {
            Self::Own(reference) => {
                context.update(b"own\n");
                context.update(reference.as_bytes());
            }
            Self::Peer(country, pseudonym) => {
                context.update(b"peer\n");
                // Two letters, so that the boundary is fixed.
                context.update(country.as_str().as_bytes());
                context.update(pseudonym.as_bytes());
            }
            Self::Case(case) => {
                context.update(b"case\n");
                context.update(case.0.as_bytes());
            }
        }
        let mut tag = [0_u8; 32];
        for (byte, of_hash) in tag.iter_mut().zip(context.sign().as_ref()) {
            *byte = *of_hash;
        }
        SubjectTag(tag)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn another_subject_or_another_secret_is_another_tag() {
        let (one, two) =
            (hmac::Key::new(hmac::HMAC_SHA256, &[1; 32]), hmac::Key::new(hmac::HMAC_SHA256, &[2; 32]));
        let (gt, hn): (CountryCode, CountryCode) = ("GT".parse().unwrap(), "HN".parse().unwrap());
        let subjects = [
            SubjectOf::Own("A-1"),
            SubjectOf::Own("A-2"),
            SubjectOf::Peer(&gt, "A-1"),
            SubjectOf::Peer(&hn, "A-1"),
            SubjectOf::Case(CaseId(uuid::Uuid::from_u128(1))),
        ];
        let tags: BTreeSet<_> =
            [&one, &two].iter().flat_map(|secret| subjects.map(|subject| subject.tag(secret))).collect();
        assert_eq!(tags.len(), 2 * subjects.len());
        assert_eq!(SubjectOf::Own("A-1").tag(&one), SubjectOf::Own("A-1").tag(&one));
    }
}
