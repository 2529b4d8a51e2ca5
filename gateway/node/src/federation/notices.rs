//! What peers' notices change here, and what their answers to ours do.
//!
//! Not here: our own notices (`domestic`). INVARIANT: a withdrawal is on record in the commit that accepts it, before
//! its receipt exists; only the recipient that was told can answer for itself.

use std::collections::BTreeSet;

use puente_core::delivery::{Event, EventKind, NoticeRow, NoticeState, WithdrawalRow, Write};
use puente_core::envelope::VerifiedOuter;
use puente_core::ids::NoticeId;
use puente_core::problem::Problem;

use crate::node::{Node, store_problem};
use crate::opening::open;
use crate::store::NoticeFilter;

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
