//! The facts of a decision as they are kept beside it, so that it can be replayed.
//!
//! Not here: the decision. INVARIANT: what is written is what was decided on: the submission, with what
//! the consent said at that instant; nothing is looked up again.

use std::collections::BTreeSet;

use serde::Serialize;

use puente_core::envelope::RecipientRef;
use puente_core::ids::{Category, CountryCode, MessageType, Purpose, Role};
use puente_core::policy::{Approval, Consent, SendFacts, StatedFacts, Subject};

use crate::domestic::submit::form::{BasisForm, Submission};

/// Borrowed from the submission: it is written once per message and read only in a dispute.
#[derive(Serialize)]
pub(super) struct RecordedFacts<'a> {
    #[serde(rename = "type")]
    message_type: &'a MessageType,
    purpose: &'a Purpose,
    sender: Sender<'a>,
    recipient: &'a RecipientRef,
    subject: &'a Subject,
    legal_basis: &'a BasisForm,
    #[serde(skip_serializing_if = "Option::is_none")]
    consent: Option<&'a Consent>,
    facts: &'a StatedFacts,
    approvals: &'a BTreeSet<Approval>,
    requested: Vec<&'a Category>,
}

#[derive(Serialize)]
struct Sender<'a> {
    country: &'a CountryCode,
    role: &'a Role,
}

impl<'a> RecordedFacts<'a> {
    /// Of a submission by this country's agency in this role, on these facts of its person and consent.
    pub(super) fn of(submission: &'a Submission, facts: &'a SendFacts) -> Self {
        Self {
            message_type: &submission.message_type,
            purpose: &submission.purpose,
            sender: Sender { country: &facts.sender.country, role: &facts.sender.role },
            recipient: &submission.recipient,
            subject: &facts.subject,
            legal_basis: &submission.legal_basis,
            consent: facts.basis.consent.as_ref(),
            facts: &submission.facts,
            approvals: &submission.approvals,
            requested: submission.sections.keys().collect(),
        }
    }
}
