//! Before a message leaves: whether what it was decided on still stands, and what is decided now where it does not.
//!
//! Not here: consents (`lapsed`), protection holds (`protection`) and suspensions, which are looked at every time. INVARIANT:
//! nothing leaves that the policies, agreements, membership and acts in force at this call do not permit with all its
//! categories, nor what is sealed to a key that has ended; the stored bytes go, or none.

use jiff::Timestamp;

use puente_core::delivery::{DecisionRow, Queued, Write};
use puente_core::envelope::{own_header, own_seal};
use puente_core::ids::{Category, DecisionId};
use puente_core::membership::Membership;
use puente_core::policy::{Decision, RecordedFacts};
use puente_core::problem::{self, Problem};
use puente_core::suspension::is_never_stopped;

use crate::authority::{determine_again, standing_under};
use crate::federation::lapsed::take_out;
use crate::node::{Node, Rules, store_problem};
use crate::restriction;
use crate::store::Disclosed;

/// Leaves those that are still permitted; the others are taken out of the queue, and their senders told.
///
/// # Errors
/// The store's problem: then nothing may be sent.
pub async fn keep_permitted(node: &Node, due: Vec<Queued>) -> Result<Vec<Queued>, Problem> {
    // One view of both for the whole batch.
    let (rules, membership) = (node.rules.get(), node.membership.get());
    let (ground, now_ms) = (rules.ground(&membership, &node.restrictions), node.clock.now_ms());
    let mut permitted = Vec::with_capacity(due.len());
    for queued in due {
        let stands = queued.ground.is_some_and(|decided| decided.holds(ground, now_ms));
        if stands || is_never_stopped(&queued.message_type) {
            permitted.push(queued);
            continue;
        }
        match decide_again(node, &rules, &membership, &queued).await? {
            Again::Goes if opens_still(&membership, &queued, now_ms) => permitted.push(queued),
            Again::Goes => take_out(node, &queued, &problem::SEAL_KEY_ENDED, None).await?,
            Again::Stays(recorded) => {
                take_out(node, &queued, &problem::DECISION_LAPSED, recorded.map(|row| Write::Decision(*row)))
                    .await?;
            }
        }
    }
    Ok(permitted)
}

/// Whether the key that it is sealed to has not ended: what is ended is lost, or nobody looks after it any more.
fn opens_still(membership: &Membership, queued: &Queued, now_ms: i64) -> bool {
    let sealed = own_header(&queued.wire).zip(own_seal(&queued.wire));
    sealed.is_some_and(|(header, kid)| {
        let to = &header.recipient;
        membership.seals_still(&to.country, &to.role, &kid, now_ms.div_euclid(1000))
    })
}

enum Again {
    Goes,
    /// With the decision that says so; without one where none could be made.
    Stays(Option<Box<DecisionRow>>),
}

async fn decide_again(
    node: &Node,
    rules: &Rules,
    membership: &Membership,
    queued: &Queued,
) -> Result<Again, Problem> {
    let recorded = node.store.decision(queued.message).await.map_err(|error| store_problem(&error))?;
    let Some(recorded) = recorded else { return Ok(Again::Stays(None)) };
    let Some(RecordedFacts::Send(facts)) = RecordedFacts::from_bytes(&recorded.facts) else {
        return Ok(Again::Stays(None));
    };
    let mut facts = facts.into_owned();
    facts.now = Timestamp::from_millisecond(node.clock.now_ms()).unwrap_or(Timestamp::MAX);
    facts.host.restricted = is_restricted(node, queued).await?;
    facts.approvals = standing_under(node, queued.message).await?;
    determine_again(node, queued.message, &mut facts).await?;
    if let Some(claim) = &mut facts.basis.agreement {
        *claim = rules.agreements.claim(
            &claim.id,
            &facts.sender.country,
            &facts.recipient.country,
            &facts.message,
            facts.now,
        );
    }
    let header = own_header(&queued.wire);
    let answers = header.is_some_and(|header| {
        let to = &header.recipient;
        membership.answers(&to.country, &to.role, to.agency.as_ref())
    });
    let decision = rules.policy.send(&facts);
    if answers && covers(&decision, &queued.categories) {
        return Ok(Again::Goes);
    }
    Ok(Again::Stays(Some(Box::new(row(node, queued, &decision)))))
}

/// Whether the person is restricted by now, by the ledger's pseudonym of her or as the one who is answered about.
async fn is_restricted(node: &Node, queued: &Queued) -> Result<bool, Problem> {
    if node.restrictions.is_empty() {
        return Ok(false);
    }
    let lines = node.store.disclosures(Disclosed::In(queued.message), 0, 1).await;
    let lines = lines.map_err(|error| store_problem(&error))?;
    let subject = lines.first().and_then(|(_, line, _)| line.subject.as_deref());
    if subject.is_some_and(|pseudonym| node.restrictions.holds(&restriction::own(pseudonym))) {
        return Ok(true);
    }
    let row = node.store.message(queued.message).await.map_err(|error| store_problem(&error))?;
    let Some((peer, question)) = row.and_then(|row| Some((row.peer, row.in_reply_to?))) else {
        return Ok(false);
    };
    let about = node.store.received_about(question).await.map_err(|error| store_problem(&error))?;
    Ok(about.is_some_and(|subject| node.restrictions.holds(&restriction::of_peer(&peer, &subject))))
}

/// Whether all that was released may still leave without a person.
fn covers(decision: &Decision, released: &[String]) -> bool {
    let Some(permit) = decision.permit() else { return false };
    released.iter().all(|name| name.parse::<Category>().is_ok_and(|category| permit.covers(&category)))
}

/// The facts stay with the first decision, under the person's key; here it is only said how they are decided now.
fn row(node: &Node, queued: &Queued, decision: &Decision) -> DecisionRow {
    DecisionRow {
        decision: DecisionId(node.fresh_id()),
        message: Some(queued.message),
        outcome: decision.outcome.as_str().to_owned(),
        rule: decision.rule.as_str().to_owned(),
        spoke: decision.spoke.iter().map(|rule| rule.as_str().to_owned()).collect(),
        policy: decision.digest,
        subject: None,
        facts: Vec::new(),
        at_ms: node.clock.now_ms(),
    }
}
