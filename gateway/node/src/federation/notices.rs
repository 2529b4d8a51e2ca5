//! What peers' notices and approvals change here.
//!
//! Not here: our own notices (`domestic`), and what answers to them do (`answered`). INVARIANT: a withdrawal is on record in
//! the commit that accepts it, before its receipt exists.

use std::collections::BTreeSet;

use puente_core::authority::{ActRow, Given};
use puente_core::delivery::{RestrictionRow, WithdrawalRow, Write};
use puente_core::envelope::VerifiedOuter;
use puente_core::ids::{ActId, NoticeId};
use puente_core::opening::Reply;
use puente_core::problem::Problem;

use crate::answered::answers;
use crate::node::Node;
use crate::opening::open;
use crate::restriction;

/// The type that tells of a withdrawal.
const WITHDRAW: &str = "consent.withdraw";

/// Whether it says that it withdraws a consent, and names none.
#[must_use]
pub fn withdraws_nothing(outer: &VerifiedOuter) -> bool {
    outer.claims().puente.message_type.as_str() == WITHDRAW && outer.claims().consent.is_none()
}

/// What an accepted message writes beyond itself; `answered` are the notices that this delivery has answered already.
///
/// # Errors
/// The store's problem.
pub async fn consequences(
    node: &Node,
    outer: &VerifiedOuter,
    answered: &mut BTreeSet<NoticeId>,
) -> Result<Vec<Write>, Problem> {
    let claims = outer.claims();
    if claims.puente.message_type.as_str() == WITHDRAW {
        let withdrawn = claims.consent.as_ref().map(|left| WithdrawalRow {
            peer: claims.iss.clone(),
            consent: left.id,
            message: claims.jti,
            purposes: left.purposes.clone(),
            categories: left.categories.clone(),
            at_ms: node.clock.now_ms(),
        });
        return Ok(withdrawn.map(Write::Withdrawal).into_iter().collect());
    }
    let mut writes = approvals(node, outer);
    writes.extend(restriction_of(node, outer));
    let read = || open(node, outer).ok().as_ref().and_then(Reply::of);
    writes.extend(answers(node, outer, read, answered).await?);
    Ok(writes)
}

/// What the sender's authority approves in the thread by this message, or takes back.
fn approvals(node: &Node, outer: &VerifiedOuter) -> Vec<Write> {
    let claims = outer.claims();
    let (header, at_ms) = (&claims.puente, node.clock.now_ms());
    let rules = node.rules.get();
    let mut writes = Vec::new();
    for (approval, approver, by) in rules.policy.approvers().by_message() {
        if !approver.roles.contains(&header.sender.role) {
            continue;
        }
        if by.ended.contains(&header.message_type) {
            writes.push(Write::ActsEnded { peer: claims.iss.clone(), case: header.case, at_ms });
        } else if by.given == header.message_type {
            let longest = at_ms.saturating_add(i64::from(approver.max_hours).saturating_mul(3_600_000));
            writes.push(Write::Act(ActRow {
                act: ActId(node.fresh_id()),
                approval,
                message_type: by.approves.clone(),
                case: header.case,
                peer: Some(claims.iss.clone()),
                role: header.sender.role.clone(),
                given: Given::Message(claims.jti),
                content: None,
                until_ms: claims.exp.saturating_mul(1000).min(longest),
                at_ms,
                ended_ms: None,
            }));
        }
    }
    writes
}

/// A person who objects stops what is done with what this country was told of her.
fn restriction_of(node: &Node, outer: &VerifiedOuter) -> Option<Write> {
    let claims = outer.claims();
    let header = &claims.puente;
    let subject =
        header.subject_ref.as_ref().filter(|_| restriction::restricts(header.message_type.as_str()))?;
    let key = restriction::of_peer(&claims.iss, subject);
    Some(Write::Restrict(RestrictionRow { question: claims.jti, key, at_ms: node.clock.now_ms() }))
}
