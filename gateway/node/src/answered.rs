//! What the answer to a question or a notice of this country's changes here, once somebody has read what it says.
//!
//! Meets both faces, belongs to neither: the node reads what it opens itself, an officer says what only their authority
//! opens. INVARIANT: only the recipient that was asked can answer for itself.

use std::collections::BTreeSet;

use puente_core::delivery::{Direction, Event, EventKind, NoticeRow, NoticeState, Write};
use puente_core::envelope::VerifiedOuter;
use puente_core::ids::NoticeId;
use puente_core::opening::Reply;
use puente_core::problem::Problem;

use crate::node::{Node, store_problem};
use crate::store::NoticeFilter;

/// The type that answers a person.
const ANSWERS: &str = "rights.response";

/// What an answer writes; `read` says what it says, and is asked only where that changes anything. `answered` are the
/// notices that were answered along with it already.
///
/// # Errors
/// The store's problem.
pub async fn answers(
    node: &Node,
    outer: &VerifiedOuter,
    read: impl Fn() -> Option<Reply>,
    answered: &mut BTreeSet<NoticeId>,
) -> Result<Vec<Write>, Problem> {
    let mut writes: Vec<Write> = lifted(node, outer, &read).await?.into_iter().collect();
    writes.extend(answered_notice(node, outer, &read, answered).await?);
    Ok(writes)
}

/// An answer that refuses what she asked ends its restriction at home, and any answer to an erasure does.
async fn lifted(
    node: &Node,
    outer: &VerifiedOuter,
    read: impl Fn() -> Option<Reply>,
) -> Result<Option<Write>, Problem> {
    let header = &outer.claims().puente;
    let Some(question) = header.in_reply_to.filter(|_| header.message_type.as_str() == ANSWERS) else {
        return Ok(None);
    };
    let asked = node.store.message(question).await.map_err(|error| store_problem(&error))?;
    // Only the country that was asked answers.
    let asked = asked.filter(|row| row.direction == Direction::Out && row.peer == outer.claims().iss);
    let Some(asked) = asked else { return Ok(None) };
    let Some(reply) = read() else { return Ok(None) };
    let lift = Write::Unrestrict { question, at_ms: node.clock.now_ms() };
    // What another country keeps or has erased is its own; here only the objection and the restriction go on.
    let erasure = asked.message_type.as_str() == "rights.erase";
    Ok((erasure || reply.status == "refused").then_some(lift))
}

async fn answered_notice(
    node: &Node,
    outer: &VerifiedOuter,
    read: impl Fn() -> Option<Reply>,
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
    Ok(read().and_then(|reply| answer(node, outer, &notice, reply)).unwrap_or_default())
}

fn is_from(notice: &NoticeRow, outer: &VerifiedOuter) -> bool {
    let sender = &outer.claims().puente.sender;
    sender.country == notice.country
        && sender.role == notice.to_role
        && notice.to_agency.as_ref().is_none_or(|agency| *agency == sender.agency)
}

/// An answer that says something else, or that nobody has read yet, leaves the notice unresolved: people read it.
fn answer(node: &Node, outer: &VerifiedOuter, notice: &NoticeRow, reply: Reply) -> Option<Vec<Write>> {
    let state = NoticeState::answered(&reply.status)?;
    let at_ms = node.clock.now_ms();
    let carried = Some(outer.claims().jti);
    Some(vec![
        Write::NoticeState { notice: notice.notice, state, code: reply.code, reply: carried, at_ms },
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
