//! What peers' notices and approvals change here, and what their answers to our notices do.
//!
//! Not here: our own notices (`domestic`). INVARIANT: a withdrawal is on record in the commit that accepts it, before
//! its receipt exists; only the recipient that was told can answer for itself.

use std::collections::BTreeSet;

use puente_core::authority::{ActRow, Given};
use puente_core::delivery::{
    Direction, Event, EventKind, NoticeRow, NoticeState, RestrictionRow, WithdrawalRow, Write,
};
use puente_core::envelope::VerifiedOuter;
use puente_core::ids::{ActId, NoticeId};
use puente_core::problem::Problem;

use crate::node::{Node, store_problem};
use crate::opening::open;
use crate::restriction;
use crate::store::NoticeFilter;

/// The type that answers a person.
const ANSWERS: &str = "rights.response";
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
    writes.extend(lifted(node, outer).await?);
    writes.extend(answered_notice(node, outer, answered).await?);
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

/// An answer that refuses what she asked ends its restriction at home, and any answer to an erasure does.
async fn lifted(node: &Node, outer: &VerifiedOuter) -> Result<Option<Write>, Problem> {
    let header = &outer.claims().puente;
    let Some(question) = header.in_reply_to.filter(|_| header.message_type.as_str() == ANSWERS) else {
        return Ok(None);
    };
    let asked = node.store.message(question).await.map_err(|error| store_problem(&error))?;
    // Only the country that was asked answers.
    let asked = asked.filter(|row| row.direction == Direction::Out && row.peer == outer.claims().iss);
    let Some(asked) = asked else { return Ok(None) };
    let inner = open(node, outer).ok();
    let status = inner.as_ref().and_then(|inner| inner.section("ops.metadata")?.get("status")?.as_str());
    let lift = Write::Unrestrict { question, at_ms: node.clock.now_ms() };
    // What another country keeps or has erased is its own; here only the objection and the restriction go on.
    let erasure = asked.message_type.as_str() == "rights.erase" && status.is_some();
    Ok((erasure || status == Some("refused")).then_some(lift))
}

async fn answered_notice(
    node: &Node,
    outer: &VerifiedOuter,
    answered: &mut BTreeSet<NoticeId>,
) -> Result<Vec<Write>, Problem> {
    let claims = outer.claims();
    let Some(question) = claims.puente.in_reply_to else { return Ok(Vec::new()) };
    let found = node.store.notices(NoticeFilter::Carried(question), 0, 1).await;
    let found = found.map_err(|error| store_problem(&error))?;
    let Some((_, notice)) = found.into_iter().next().filter(|(_, notice)| is_from(notice, outer)) else {
        return Ok(Vec::new());
    };
    if !notice.state.is_unresolved() || !answered.insert(notice.notice) {
        return Ok(Vec::new());
    }
    Ok(answer(node, outer, &notice).unwrap_or_default())
}

fn is_from(notice: &NoticeRow, outer: &VerifiedOuter) -> bool {
    let sender = &outer.claims().puente.sender;
    sender.country == notice.country
        && sender.role == notice.to_role
        && notice.to_agency.as_ref().is_none_or(|agency| *agency == sender.agency)
}

/// An answer that cannot be opened or says something else leaves the notice unresolved: people read it.
fn answer(node: &Node, outer: &VerifiedOuter, notice: &NoticeRow) -> Option<Vec<Write>> {
    let inner = open(node, outer).ok()?;
    let said = inner.section("ops.metadata")?;
    let state = NoticeState::answered(said.get("status")?.as_str()?)?;
    let code = said.get("code").and_then(|code| code.as_str()).map(str::to_owned);
    let at_ms = node.clock.now_ms();
    let reply = Some(outer.claims().jti);
    Some(vec![
        Write::NoticeState { notice: notice.notice, state, code, reply, at_ms },
        Write::Event(Event {
            kind: EventKind::NoticeState,
            agency: Some(notice.agency.clone()),
            role: notice.role.clone(),
            message: notice.message,
            approval: None,
            message_type: Some(outer.claims().puente.message_type.clone()),
            state: state.as_str().to_owned(),
            at_ms,
        }),
    ])
}
