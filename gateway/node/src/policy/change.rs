//! A set of policies on its way into force: proposed by one officer, put in force by two others.
//!
//! Not here: the files (`keeper`) and the routes. INVARIANT: what two officers grant is the preview that they
//! saw, of the set that was in force when they saw it; one refusal ends it.

use std::collections::BTreeMap;
use std::sync::Arc;

use puente_core::approval::{Question, Standing, peek_statement, standing, verify_statement};
use puente_core::cases::Plan;
use puente_core::delivery::{ApprovalState, PolicyChangeRow, StatementRow, Write};
use puente_core::ids::{AgencyId, ApprovalId, Digest};
use puente_core::membership::Adopted;
use puente_core::policy::{Agreements, PolicyEngine, cases, defects, difference, shift};
use puente_core::problem::{self, Problem};
use puente_core::proposal::{peek_proposal, verify_proposal};
use serde::Serialize;
use serde_json::{Value, json};

use super::keeper::{activation_leaf, set_of};
use super::set::PolicySet;
use super::simulate::{Simulated, simulate};
use super::trust::{Trust, binding};
use crate::node::{Node, store_problem};
use crate::setup::load;

/// The window of the simulation that officers see: a week.
const SIMULATED_MS: i64 = 7 * 86_400_000;
/// Pages of that simulation: five thousand decisions; the summary says when there were more.
const SIMULATED_PAGES: usize = 10;

/// A set that was read strictly and passes its worked cases.
struct Candidate {
    set: PolicySet,
    /// All agreements of the set, binding or not.
    stated: Agreements,
    /// The decision function, and the agreements that bind.
    loaded: Arc<(PolicyEngine, Agreements)>,
}

/// What officers see before they state: everything that the preview's digest is of.
#[derive(Serialize)]
struct Summary {
    /// Rules, policies, profiles and agreements added, removed and changed.
    changes: puente_core::policy::Difference,
    /// Worked cases that come out otherwise: case to shift.
    cases: BTreeMap<String, &'static str>,
    /// Recorded decisions of the last week, decided again.
    simulation: Simulated,
}

fn invalid(why: impl std::fmt::Display) -> Problem {
    Problem::new(&problem::POLICY_INVALID).because(why.to_string())
}

fn internal() -> Problem {
    Problem::new(&problem::INTERNAL)
}

/// Reads a set strictly: no defect, and no worked case that comes out otherwise than it says.
fn examine(set: PolicySet, adopted: &[Adopted]) -> Result<(PolicySet, PolicyEngine, Agreements), Problem> {
    if let Some(first) = defects(&set.bytes()).first() {
        return Err(invalid(format!("{}:{} {}", first.file, first.line, first.what)));
    }
    let (engine, agreements) = set.load(adopted).map_err(invalid)?;
    Plan::load(set.bytes()).map_err(invalid)?;
    for (file, text) in set.cases() {
        let reports = cases::run(&engine, text.as_bytes()).map_err(invalid)?;
        if let Some(failed) = reports.iter().find(|report| !report.passed) {
            return Err(invalid(format!("{file}: case {} {}", failed.id, failed.differences.join("; "))));
        }
    }
    Ok((set, engine, agreements))
}

async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|_| internal())
}

/// The shifts of the worked cases of either set.
fn shifted(old: &PolicySet, old_engine: &PolicyEngine, new: &Candidate) -> BTreeMap<String, &'static str> {
    let mut all = BTreeMap::new();
    for (_, text) in old.cases().chain(new.set.cases()) {
        all.extend(cases::facts(text.as_bytes()).unwrap_or_default());
    }
    let shift = |(id, facts): (String, _)| {
        Some((id, shift(&old_engine.send_afresh(&facts), &new.loaded.0.send_afresh(&facts))?.as_str()))
    };
    all.into_iter().filter_map(shift).collect()
}

/// Proposes a set; answers what officers see of it.
///
/// # Errors
/// `policy.invalid` with the first defect, `officer.*` and `clock.skew` for the proposal, `store.unavailable`.
pub async fn propose(node: &Node, set: PolicySet, proposal: &str) -> Result<Value, Problem> {
    let malformed = || Problem::new(&problem::BODY_MALFORMED).at("proposal");
    let claimed = peek_proposal(proposal).ok_or_else(malformed)?;
    let now_ms = node.clock.now_ms();
    let register = node.register.get();
    let officer = register.officer(&claimed.agency, &claimed.officer);
    let officer = officer.ok_or_else(|| Problem::new(&problem::OFFICER_NOT_ENTITLED))?;
    let now_s = now_ms.div_euclid(1000);
    let proposer = verify_proposal(proposal, &officer, node.country(), node.realm(), set.digest(), now_s)?;
    let adopted = load::adopted(&set, &node.membership.get(), node.clock.as_ref());
    let (set, engine, stated) = apart(move || examine(set, &adopted)).await??;
    let loaded = Arc::new((engine, binding(node, &stated)));
    let candidate = Arc::new(Candidate { set, stated, loaded });
    let _alone = node.operating.lock().await;
    let base_row = node.store.policy_in_force().await.map_err(|error| store_problem(&error))?;
    let base = base_row.as_ref().and_then(set_of).ok_or_else(internal)?;
    let digest = base.digest();
    let of_cases = Arc::clone(&candidate);
    let adopted = load::adopted(&base, &node.membership.get(), node.clock.as_ref());
    let (changes, cases) = apart(move || {
        let old = base.load(&adopted).ok()?;
        let new = (&of_cases.loaded.0, &of_cases.stated);
        Some((difference((&old.0, &old.1), new), shifted(&base, &old.0, &of_cases)))
    })
    .await?
    .ok_or_else(internal)?;
    let summary = Summary { changes, cases, simulation: last_week(node, &candidate.loaded, now_ms).await? };
    let summary = serde_json::to_vec(&summary).map_err(|_| internal())?;
    let row = proposed(node, &candidate, digest, summary, now_ms, (proposer, proposal.to_owned()))?;
    let shown = show(&row, &[], now_ms);
    node.commit(vec![Write::PolicyChange(row)]).await.map_err(|error| store_problem(&error))?;
    Ok(shown)
}

fn proposed(
    node: &Node,
    candidate: &Candidate,
    base: Digest,
    summary: Vec<u8>,
    now_ms: i64,
    (proposer, proposal): (puente_core::delivery::Proposer, String),
) -> Result<PolicyChangeRow, Problem> {
    let (set, policy) = (candidate.set.digest(), candidate.loaded.0.digest());
    let seen = [&base.0[..], &set.0[..], &policy.0[..], &Digest::of(&summary).0[..]].concat();
    let seconds = i64::try_from(node.config.policy.change_seconds).unwrap_or(i64::MAX);
    Ok(PolicyChangeRow {
        change: ApprovalId(node.fresh_id()),
        set,
        policy,
        base,
        preview: Digest::of(&seen),
        proposer: Some(proposer),
        proposal,
        summary,
        files: serde_json::to_vec(candidate.set.files()).map_err(|_| internal())?,
        opened_ms: now_ms,
        lapses_ms: now_ms.saturating_add(seconds.saturating_mul(1000)),
        state: ApprovalState::Open,
        closed_ms: None,
    })
}

async fn last_week(
    node: &Node,
    candidate: &Arc<(PolicyEngine, Agreements)>,
    now_ms: i64,
) -> Result<Simulated, Problem> {
    let mut all = Simulated::default();
    let mut before = None;
    for _ in 0..SIMULATED_PAGES {
        let since_ms = now_ms.saturating_sub(SIMULATED_MS);
        all.extend(simulate(node, Arc::clone(candidate), since_ms, before).await?);
        before = all.next;
        if before.is_none() {
            break;
        }
    }
    Ok(all)
}

/// A proposal in a listing; one that nobody decided in time shows as lapsed.
#[must_use]
pub fn summary(row: &PolicyChangeRow, now_ms: i64) -> Value {
    let lapsed = row.state == ApprovalState::Open && now_ms >= row.lapses_ms;
    json!({
        "change_id": row.change, "state": if lapsed { ApprovalState::Lapsed } else { row.state },
        "set": row.set, "policy": row.policy, "base": row.base, "preview": row.preview,
        "opened_ms": row.opened_ms, "lapses_ms": row.lapses_ms, "closed_ms": row.closed_ms,
        "proposer": row.proposer.as_ref().map(|by| json!({"agency": by.agency, "officer": by.officer})),
    })
}

/// A proposal as officers see it before they state.
#[must_use]
pub fn show(row: &PolicyChangeRow, statements: &[StatementRow], now_ms: i64) -> Value {
    let seen: Value = serde_json::from_slice(&row.summary).unwrap_or_default();
    let said: Vec<Value> = statements
        .iter()
        .map(|said| json!({"officer": said.officer, "agency": said.agency, "verdict": said.verdict, "at_ms": said.at_ms}))
        .collect();
    json!({"change": summary(row, now_ms), "summary": seen, "statements": said})
}

/// Takes an officer's signed word on a proposal. The second grant puts it in force, one refusal ends it.
///
/// # Errors
/// `officer.*` for who may not say it, `approval.preview_stale` when another set is in force meanwhile or
/// another preview was seen, `approval.closed`, `store.unavailable`.
pub async fn state(
    node: &Arc<Node>,
    agency: &AgencyId,
    change: ApprovalId,
    statement: &str,
) -> Result<ApprovalState, Problem> {
    let _alone = node.operating.lock().await;
    let found = node.store.policy_change(change).await.map_err(|error| store_problem(&error))?;
    let (row, recorded) = found.ok_or_else(|| Problem::new(&problem::NOT_FOUND))?;
    let now_ms = node.clock.now_ms();
    let malformed = || Problem::new(&problem::BODY_MALFORMED).at("statement");
    let claimed = peek_statement(statement).ok_or_else(malformed)?;
    let not_entitled = || Problem::new(&problem::OFFICER_NOT_ENTITLED);
    let register = node.register.get();
    let may_activate =
        |agency: &AgencyId| register.roles(agency).contains(&node.config.policy.activating_role);
    let officer = register.officer(&claimed.agency, &claimed.officer).ok_or_else(not_entitled)?;
    if !may_activate(&claimed.agency) {
        return Err(not_entitled());
    }
    let now_s = now_ms.div_euclid(1000);
    let said = verify_statement(statement, &officer, agency, node.country(), node.realm(), now_s)?;
    let stands = |agency: &_, officer: &_| register.officer_stands(agency, officer) && may_activate(agency);
    let standing = standing(&Question::from(&row), &recorded, &said, now_ms, &stands)?;
    if standing != Standing::Refused && row.base != node.policies.in_force() {
        return Err(Problem::new(&problem::PREVIEW_STALE).at("base"));
    }
    let spoken = Write::PolicyStatement(said.row(now_ms));
    let close = |state| Write::PolicyChangeState { change, state, at_ms: now_ms };
    match standing {
        Standing::NeedsAnother => {
            node.commit(vec![spoken]).await.map_err(|error| store_problem(&error))?;
            Ok(ApprovalState::Open)
        }
        Standing::Refused => {
            let writes = vec![spoken, close(ApprovalState::Refused)];
            node.commit(writes).await.map_err(|error| store_problem(&error))?;
            Ok(ApprovalState::Refused)
        }
        Standing::Granted => {
            activate(node, &row, vec![spoken, close(ApprovalState::Granted)], now_ms).await?;
            Ok(ApprovalState::Granted)
        }
    }
}

/// Loads first, so that nothing can fail once the activation is durable but the writing of the folder.
async fn activate(
    node: &Arc<Node>,
    row: &PolicyChangeRow,
    mut writes: Vec<Write>,
    now_ms: i64,
) -> Result<(), Problem> {
    let set = set_of(row).ok_or_else(internal)?;
    let of_loading = Arc::clone(node);
    let (set, rules) = apart(move || {
        let membership = of_loading.membership.get();
        let trust =
            Trust { membership: &membership, realm: of_loading.realm(), clock: of_loading.clock.as_ref() };
        let rules = of_loading.policies.rules_of(&set, &trust);
        (set, rules)
    })
    .await?;
    let rules = rules.map_err(invalid)?;
    writes.push(activation_leaf(row.change, row.set, now_ms, node.random.as_ref()).ok_or_else(internal)?);
    node.commit(writes).await.map_err(|error| store_problem(&error))?;
    let of_switching = Arc::clone(node);
    let switched = apart(move || of_switching.policies.switch(&of_switching, &set, rules)).await?;
    if let Err(error) = switched {
        tracing::error!(%error, "policies are in force; their folder is written at the next start");
    }
    tracing::warn!(set = %row.set, "policies are in force");
    Ok(())
}
