//! What is said of a message beside its content: the same whoever signs it.
//!
//! Not here: commitments and signature (`puente_core::envelope`). INVARIANT: everything here follows from the submission,
//! the catalogue and what leaves, so that an agency can be told beforehand exactly what it will have to sign.

use std::collections::BTreeSet;

use puente_core::envelope::{BasisRef, Handling, Header, SenderRef, Statement};
use puente_core::ids::{Category, MessageId};
use puente_core::problem::Problem;

use crate::domestic::submit::attached::attachments_in;
use crate::domestic::submit::prepare::Parts;
use crate::domestic::submit::step::stated;

impl Parts<'_> {
    /// Everything that is signed of it, when it is issued at this second and these categories leave.
    ///
    /// # Errors
    /// As `stated`.
    pub(super) fn statement(
        &self,
        message: MessageId,
        issued_at: i64,
        deliver: &BTreeSet<Category>,
    ) -> Result<Statement, Problem> {
        let life = i64::from(self.descriptor.expires_hours).saturating_mul(3600);
        Ok(Statement {
            message,
            realm: self.node.realm(),
            from: self.node.country().clone(),
            header: self.header(deliver)?,
            consent: self.consent_extract(),
            issued_at,
            expires_at: issued_at.saturating_add(life),
        })
    }

    fn header(&self, deliver: &BTreeSet<Category>) -> Result<Header, Problem> {
        let (node, submission) = (self.node, self.submission);
        let to = &submission.recipient;
        Ok(Header {
            message_type: submission.message_type.clone(),
            version: self.descriptor.version,
            sender: SenderRef {
                country: node.country().clone(),
                agency: self.caller.agency.clone(),
                role: self.role.clone(),
            },
            recipient: to.clone(),
            case: self.case,
            operation: submission.operation,
            after: submission.after,
            in_reply_to: submission.in_reply_to,
            replaces: submission.replaces,
            step: stated(submission, deliver)?,
            subject_ref: submission.subject_id.as_ref().map(|id| node.pairwise(&to.country, id.reveal())),
            purpose: submission.purpose.clone(),
            legal_basis: BasisRef {
                kind: submission.legal_basis.basis.code().to_owned(),
                agreement: submission.legal_basis.agreement.clone(),
            },
            handling: Handling {
                onward: "domestic_same_purpose".to_owned(),
                retention_days: self.descriptor.retention_days,
            },
            attachments: attachments_in(submission, deliver),
        })
    }
}
