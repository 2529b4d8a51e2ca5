//! A message that its agency signed itself: what it is told to sign, and whether it signed that.
//!
//! Not here: who signs by itself, which the directory says, and the release (`prepare`). INVARIANT: what is decided on is
//! what was signed, and of a signed claim the gateway would not have made nothing leaves.

use std::collections::BTreeSet;

use puente_core::envelope::{
    CLOCK_TOLERANCE_S, Issued, SenderKeys as _, TYP_AGENCY, claimed_issuer, digest_ladder, read_issued,
    signed_by_agency,
};
use puente_core::ids::{Category, MessageId};
use puente_core::membership::SendersOf;
use puente_core::problem::{self, Problem};

use crate::domestic::submit::form::{Submission, ToSign};
use crate::domestic::submit::prepare::{Mode, Parts};
use crate::node::Node;
use crate::register::KnownAgency;

/// A signature is submitted within this time, seconds: long enough for a card and a person, and an old one is no order.
const SUBMITTED_WITHIN_S: i64 = 900;

/// Where a problem of the signature is.
const AT: &str = "/signed";

/// What the agency signed, verified; `None` when its gateway signs for it, and in a dry run that is still to be signed.
///
/// # Errors
/// `envelope.mode` when it is signed and must not be, or the other way round; `envelope.*`, `disclosure.invalid`,
/// `signed.*`, `clock.skew` or `message.expired` with the place of what is wrong.
pub(super) fn issued(
    node: &Node,
    caller: &KnownAgency,
    submission: &Submission,
    mode: &Mode,
) -> Result<Option<Issued>, Problem> {
    match (&submission.signed, signs_itself(node, caller, submission)) {
        (None, false) => Ok(None),
        (None, true) if *mode == Mode::DryRun => Ok(None),
        (None, true) | (Some(_), false) => Err(Problem::new(&problem::ENVELOPE_MODE).at(AT)),
        (Some(signed), true) => verified(node, caller, submission, signed.reveal(), mode).map(Some),
    }
}

/// Whether the caller signs this message by itself.
pub(super) fn signs_itself(node: &Node, caller: &KnownAgency, submission: &Submission) -> bool {
    let itself = node.membership.get().signs_itself(node.country(), &caller.agency);
    signed_by_agency(itself, submission.legal_basis.basis.code())
}

fn verified(
    node: &Node,
    caller: &KnownAgency,
    submission: &Submission,
    signed: &str,
    mode: &Mode,
) -> Result<Issued, Problem> {
    let malformed = || Problem::new(&problem::ENVELOPE_MALFORMED).at(AT);
    let membership = node.membership.get();
    let now = node.clock.now_s();
    let keys = SendersOf { membership: &membership, country: node.country(), at: now };
    let kid = claimed_issuer(signed).ok_or_else(malformed)?;
    let key = keys.agency(&kid).filter(|(agency, _)| *agency == caller.agency);
    let (_, key) = key.ok_or_else(|| Problem::new(&problem::ENVELOPE_KEY).at(AT))?;
    let releaser = membership.message_key(node.country(), node.keys.message.key_id());
    let releaser = releaser.ok_or_else(|| Problem::new(&problem::INTERNAL))?;
    let issued =
        read_issued(signed, &caller.agency, key.as_ref(), releaser).map_err(|problem| problem.at(AT))?;
    if !issued.says(&submission.sections) {
        return Err(Problem::new(&problem::SIGNED_DIFFERS).at("/sections"));
    }
    let claims = issued.claims();
    if claims.jti.0.get_version_num() != 7 {
        return Err(Problem::new(&problem::SIGNED_DIFFERS).at("/signed/jti"));
    }
    if claims.iat > now.saturating_add(CLOCK_TOLERANCE_S) {
        return Err(Problem::new(&problem::CLOCK_SKEW).at("/signed/iat"));
    }
    // What waits for officers or for an authority was fresh when it was taken.
    if *mode == Mode::Submit && claims.iat < now.saturating_sub(SUBMITTED_WITHIN_S) {
        return Err(Problem::new(&problem::SIGNED_STALE).at("/signed/iat"));
    }
    if claims.exp <= now {
        return Err(Problem::new(&problem::MESSAGE_EXPIRED).at("/signed/exp"));
    }
    Ok(issued)
}

impl Parts<'_> {
    /// What the agency is to sign for these categories to leave.
    ///
    /// # Errors
    /// Only when something of this node's own failed.
    pub(super) fn to_sign(&self, deliver: &BTreeSet<Category>) -> Result<ToSign, Problem> {
        let now_s = self.now_ms.div_euclid(1000);
        let message = MessageId(self.node.fresh_id());
        let membership = self.node.membership.get();
        let releaser = membership.message_key(self.node.country(), self.node.keys.message.key_id());
        let releaser = releaser.ok_or_else(|| Problem::new(&problem::INTERNAL))?;
        Ok(ToSign {
            typ: TYP_AGENCY.to_owned(),
            claims: self.statement(message, now_s, deliver)?.unsigned(releaser),
            digests: digest_ladder(self.submission.sections.len()),
            until: now_s.saturating_add(SUBMITTED_WITHIN_S),
        })
    }

    /// That the agency signed what its gateway would have said, were these categories to leave.
    ///
    /// # Errors
    /// `signed.differs` with the first claim that is another, `statistics.unprotected` for a table that would be
    /// published otherwise than it was signed.
    pub(super) fn expect_agreed(&self, issued: &Issued, deliver: &BTreeSet<Category>) -> Result<(), Problem> {
        let claims = issued.claims();
        // It has just verified that exactly this key may release it.
        let releaser = claims.cnf.as_ref().ok_or_else(|| Problem::new(&problem::INTERNAL))?;
        let expected = self.statement(claims.jti, claims.iat, deliver)?.unsigned(&releaser.jwk);
        let differs = issued.differs_from(&expected).map_err(|_| Problem::new(&problem::INTERNAL))?;
        if let Some(place) = differs {
            return Err(Problem::new(&problem::SIGNED_DIFFERS).at(format!("{AT}{place}")));
        }
        if !issued.says(&self.sections()) {
            return Err(Problem::new(&problem::STATISTICS_UNPROTECTED).at("/sections"));
        }
        Ok(())
    }
}
