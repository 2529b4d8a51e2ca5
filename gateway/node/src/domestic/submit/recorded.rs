//! The facts of a decision as they are kept beside it, so that it can be replayed.
//!
//! Not here: the decision. INVARIANT: what is written is what was submitted; nothing is looked up again.

use serde::Serialize;

use puente_core::envelope::RecipientRef;
use puente_core::ids::{Category, CountryCode, MessageType, Purpose, Role};
use puente_core::policy::{StatedFacts, Subject};

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
    facts: &'a StatedFacts,
    requested: Vec<&'a Category>,
}

#[derive(Serialize)]
struct Sender<'a> {
    country: &'a CountryCode,
    role: &'a Role,
}

impl<'a> RecordedFacts<'a> {
    /// Of a submission by this country's agency in this role.
    pub(super) fn of(submission: &'a Submission, country: &'a CountryCode, role: &'a Role) -> Self {
        Self {
            message_type: &submission.message_type,
            purpose: &submission.purpose,
            sender: Sender { country, role },
            recipient: &submission.recipient,
            subject: &submission.subject,
            legal_basis: &submission.legal_basis,
            facts: &submission.facts,
            requested: submission.sections.keys().collect(),
        }
    }
}
