//! Authorities' acts as this node keeps them: for both faces.
//!
//! Not here: routes, and what an act covers (`puente_core::authority`). INVARIANT: whether an officer stands is asked of the
//! register at every look, so that a revocation ends their acts at once.

use std::collections::BTreeSet;

use puente_core::authority::{ActRow, DeterminationRow, Given, determine, states_reserved};
use puente_core::delivery::ApprovalRow;
use puente_core::ids::{AgencyId, CaseId, MessageId, OfficerId, PersonId, Role};
use puente_core::personal::Personal;
use puente_core::policy::{Approval, SendFacts, Subject};
use puente_core::problem::Problem;

use crate::node::{Node, store_problem};
use crate::register::Register;
use crate::store::{ActFilter, DeterminationFilter};
use crate::subjects::SubjectOf;

/// Acts of one thread: a handful in practice; what lies beyond is not counted, and so holds.
const MAX_ACTS: u32 = 200;

/// Whether an officer's credential stands, and their agency still holds the role.
pub fn officers(register: &Register) -> impl Fn(&AgencyId, &OfficerId, &Role) -> bool {
    |agency, officer, role| register.officer_stands(agency, officer) && register.roles(agency).contains(role)
}

/// The acts of a thread; none for a thread that is new.
///
/// # Errors
/// The store's problem.
pub async fn acts_in(node: &Node, case: Option<CaseId>) -> Result<Vec<ActRow>, Problem> {
    let Some(case) = case else { return Ok(Vec::new()) };
    node.store.acts(ActFilter::InCase(case), MAX_ACTS).await.map_err(|error| store_problem(&error))
}

/// The persons who have given an act on a held row.
///
/// # Errors
/// The store's problem.
pub async fn spoke_on(node: &Node, row: &ApprovalRow) -> Result<Vec<PersonId>, Problem> {
    let of_row = |act: ActRow| match act.given {
        Given::Officer { row: of, person, .. } if of == row.approval => Some(person),
        Given::Officer { .. } | Given::Message(_) => None,
    };
    Ok(acts_in(node, row.case).await?.into_iter().filter_map(of_row).collect())
}

/// What was determined about a person; nothing for one whom nobody names, or who states nothing that is reserved.
///
/// # Errors
/// The store's problem.
pub async fn determined_about(
    node: &Node,
    reference: Option<&Personal<String>>,
    stated: &Subject,
) -> Result<Vec<DeterminationRow>, Problem> {
    let rules = node.rules.get();
    let Some(reference) = reference.filter(|_| states_reserved(stated, rules.policy.determiners())) else {
        return Ok(Vec::new());
    };
    let subject = SubjectOf::Own(reference.reveal()).tag(&node.keys.subjects);
    let made = node.store.determinations(DeterminationFilter::About(subject), MAX_ACTS).await;
    made.map_err(|error| store_problem(&error))
}

/// Leaves of the reserved facts of a queued message those that still stand; answers nothing, for it rests on the same.
///
/// # Errors
/// The store's problem.
pub async fn determine_again(node: &Node, message: MessageId, facts: &mut SendFacts) -> Result<(), Problem> {
    let rules = node.rules.get();
    let determiners = rules.policy.determiners();
    if !states_reserved(&facts.subject, determiners) {
        return Ok(());
    }
    let made = node.store.determinations(DeterminationFilter::Under(message), MAX_ACTS).await;
    let made = made.map_err(|error| store_problem(&error))?;
    let register = node.register.get();
    let SendFacts { subject, sender, .. } = facts;
    let _ = determine(subject, &sender.role, determiners, &made, node.clock.now_ms(), &officers(&register));
    Ok(())
}

/// The approvals under a message that stand now.
///
/// # Errors
/// The store's problem.
pub async fn standing_under(node: &Node, message: MessageId) -> Result<BTreeSet<Approval>, Problem> {
    let acts = node.store.acts(ActFilter::Under(message), MAX_ACTS).await;
    let acts = acts.map_err(|error| store_problem(&error))?;
    let (register, now_ms) = (node.register.get(), node.clock.now_ms());
    let officers = officers(&register);
    Ok(acts.iter().filter(|act| act.stands(now_ms, &officers)).map(|act| act.approval).collect())
}
