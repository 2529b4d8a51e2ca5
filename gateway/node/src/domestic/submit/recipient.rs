//! Whom a submission is for, and the key to which it will be sealed.
//!
//! Not here: whether it may go there (policy). INVARIANT: the key is chosen by the role and the agency that are named, before
//! anything is decided, so that a dry run says what a submission would meet.

use std::sync::Arc;

use puente_core::envelope::Seal;
use puente_core::ids::CountryCode;
use puente_core::membership::Membership;
use puente_core::problem::{self, Problem};
use puente_core::suspension::is_never_stopped;

use crate::domestic::submit::form::Submission;

/// The recipient's key.
///
/// # Errors
/// `recipient.unknown` when nobody there holds the role or it is this country, `seal.agency_needed`, `seal.no_key`.
pub(super) fn recipient_key(
    membership: &Membership,
    us: &CountryCode,
    submission: &Submission,
    now_s: i64,
) -> Result<Arc<dyn Seal>, Problem> {
    let to = &submission.recipient;
    if !membership.answers(&to.country, &to.role, to.agency.as_ref()) || to.country == *us {
        return Err(Problem::new(&problem::RECIPIENT_UNKNOWN).at("/recipient"));
    }
    let sealer = membership.sealer(&to.country, &to.role, to.agency.as_ref(), now_s);
    sealer.or_else(|problem| {
        // A withdrawal or an order to erase has to reach the gateway of several who share a role, whoever of them reads it.
        let shared = problem.kind.code == problem::SEAL_AGENCY_NEEDED.code
            && is_never_stopped(&submission.message_type);
        let gateways = shared.then(|| membership.gateway_sealer(&to.country, &to.role, now_s)).flatten();
        gateways.ok_or(problem)
    })
}
