//! What of a consent is told to whom: the rules here, the receiver in the header, the ledger beside the release.
//!
//! INVARIANT: the header's extract never names more than the record covers toward that country, and a control message
//! about a consent names exactly what is left of it.

use puente_core::consent::{left, vouched};
use puente_core::delivery::DisclosureRow;
use puente_core::envelope::ConsentExtract;
use puente_core::ids::{Category, MessageId};
use puente_core::policy::{BasisType, Consent, Scope, Subject};

use crate::consent::{Kept, Rests};
use crate::domestic::submit::prepare::Parts;

impl Parts<'_> {
    /// What the consent says for this message; computed facts about the person go into `subject`.
    pub(super) fn judged_consent(&self, subject: &mut Subject) -> Option<Consent> {
        if self.submission.legal_basis.basis == BasisType::Control {
            return None;
        }
        match self.rests? {
            Rests::Own(kept) => {
                let evaluation = kept.evaluate(self.node, &self.submission.purpose);
                evaluation.inform(subject);
                Some(evaluation.consent)
            }
            Rests::Relied(relied) => Some(vouched(relied)),
        }
    }

    /// What the receiver may know of the consent: whose, for what, for how long; never the record itself.
    pub(super) fn consent_extract(&self) -> Option<ConsentExtract> {
        match self.rests? {
            Rests::Own(kept) => Some(self.own_extract(kept)),
            Rests::Relied(relied) => Some(relied.extract.clone()),
        }
    }

    fn own_extract(&self, kept: &Kept) -> ConsentExtract {
        let record = kept.record.claims();
        let evaluation = kept.evaluate(self.node, &self.submission.purpose);
        let (purposes, categories) = if self.submission.legal_basis.basis == BasisType::Control {
            let (purposes, categories) =
                left(record, &kept.claims_of_events(), &self.submission.recipient.country);
            (purposes.into_iter().collect(), categories.into_iter().collect())
        } else {
            let categories = match evaluation.consent.categories {
                Scope::Only(categories) => categories.into_iter().collect(),
                Scope::OfThisMessage | Scope::Unstated => Vec::new(),
            };
            (vec![self.submission.purpose.clone()], categories)
        };
        ConsentExtract {
            id: record.record_id,
            record: kept.record.digest(),
            given_by: record.giver.kind.code().to_owned(),
            purposes,
            categories,
            not_after: evaluation.not_after.as_second(),
        }
    }

    /// The line of the ledger for a release; none for a message about nobody.
    pub(super) fn disclosure(
        &self,
        message: MessageId,
        categories: &[Category],
        consent: Option<&ConsentExtract>,
    ) -> Option<DisclosureRow> {
        let submission = self.submission;
        if !self.descriptor.personal {
            return None;
        }
        let to = &submission.recipient;
        let subject = submission.subject_id.as_ref();
        Some(DisclosureRow {
            message,
            agency: self.caller.agency.clone(),
            role: self.role.clone(),
            country: to.country.clone(),
            to_role: to.role.clone(),
            to_agency: to.agency.clone(),
            message_type: submission.message_type.clone(),
            purpose: submission.purpose.clone(),
            basis: submission.legal_basis.basis.code().to_owned(),
            categories: categories.to_vec(),
            consent: consent.map(|extract| extract.id),
            not_after_ms: consent.map(|extract| extract.not_after.saturating_mul(1000)),
            // The own country is nobody's peer, so this pseudonym is known to nobody else.
            subject: subject.map(|subject| self.node.pairwise(self.node.country(), subject.reveal())),
            case: self.case,
            at_ms: self.now_ms,
        })
    }
}
