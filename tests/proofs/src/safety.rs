//! Safety: each invariant holds of the shipped policies, its keepers alone are enough, and none of them is idle.
//!
//! Not liveness: a set that denies everything would pass the first two. INVARIANT: a refutation is confirmed by Cedar,
//! and the shipped policies, asked about the very same request, deny it.

use cedar_policy::PolicySet;

use crate::assert_none;
use crate::invariant::{Invariant, invariants};
use crate::prover::{Answer, Prover, allows, shown};
use crate::shipped::{Clause, Shipped, set};

/// Claims that the permits keep as well, so that no door opens when a prohibition is lost.
const KEPT_BY_THE_DOORS: [&str; 3] = ["profile", "role.sender", "role.recipient"];

/// These prohibitions and a permit of everything: what stands when no other policy can be relied on.
fn alone(keepers: &[&Clause], action: &str) -> PolicySet {
    let blanket = format!("permit(principal, action == Action::\"{action}\", resource);");
    let mut policies = set(keepers.iter().copied().filter(|keeper| keeper.speaks_to(action)));
    policies.add(blanket.parse().expect("a blanket permit reads")).expect("no policy of ours is unnamed");
    policies
}

/// Asks a question of every invariant and every action it speaks to, and gathers what went wrong.
fn findings(
    shipped: &Shipped,
    mut ask: impl FnMut(&mut Prover, &Invariant, &[&Clause], &str) -> Vec<String>,
) -> Vec<String> {
    let mut prover = Prover::start(&shipped.schema).expect("cvc5 is installed");
    let mut findings = Vec::new();
    for invariant in invariants(&shipped.files) {
        let keepers = match invariant.keepers(shipped) {
            Ok(keepers) => keepers,
            Err(gone) => {
                findings.push(format!("{}: keeper `{gone}` does not ship", invariant.clause.id));
                continue;
            }
        };
        for action in &invariant.clause.actions {
            let wrong = ask(&mut prover, &invariant, &keepers, action);
            findings
                .extend(wrong.into_iter().map(|why| format!("{} on {action}: {why}", invariant.clause.id)));
        }
    }
    findings
}

fn expect_proof(answer: Result<Answer, String>) -> Vec<String> {
    match answer {
        Ok(Answer::Proved) => Vec::new(),
        Ok(Answer::Refuted(found)) => vec![format!("refuted by {}", shown(&found))],
        Err(why) => vec![why],
    }
}

#[test]
fn every_invariant_holds_of_the_shipped_policies() {
    let shipped = Shipped::load();
    let wrong = findings(&shipped, |prover, invariant, _, action| {
        let ours = set(shipped.chapter(action));
        expect_proof(prover.never(&ours, &set([&invariant.clause]), &shipped.environment(action)))
    });
    assert_none("an invariant that does not hold", &wrong);
}

#[test]
fn the_keepers_of_an_invariant_keep_it_even_if_everything_else_permits() {
    let shipped = Shipped::load();
    let wrong = findings(&shipped, |prover, invariant, keepers, action| {
        let ours = alone(keepers, action);
        expect_proof(prover.never(&ours, &set([&invariant.clause]), &shipped.environment(action)))
    });
    assert_none("an invariant that leans on a rule it does not name", &wrong);
}

#[test]
fn every_invariant_falls_with_a_counterexample_once_one_of_its_keepers_is_deleted() {
    let shipped = Shipped::load();
    let mut needed = std::collections::BTreeSet::new();
    let mut wrong = findings(&shipped, |prover, invariant, keepers, action| {
        let mut wrong = Vec::new();
        let (env, forbidden) = (shipped.environment(action), set([&invariant.clause]));
        let all = set(shipped.chapter(action));
        for gone in keepers.iter().filter(|keeper| keeper.speaks_to(action)) {
            let rest: Vec<_> = keepers.iter().copied().filter(|keeper| keeper.id != gone.id).collect();
            match prover.never(&alone(&rest, action), &forbidden, &env) {
                Ok(Answer::Proved) => {}
                Ok(Answer::Refuted(found)) if allows(&all, &found) => {
                    wrong.push(format!("the shipped policies allow {}", shown(&found)));
                }
                Ok(Answer::Refuted(_)) => {
                    needed.insert((invariant.clause.id.clone(), gone.id.clone()));
                }
                Err(why) => wrong.push(format!("without {}: {why}", gone.id)),
            }
        }
        wrong
    });
    for invariant in invariants(&shipped.files) {
        let idle = invariant
            .keepers
            .iter()
            .filter(|keeper| !needed.contains(&(invariant.clause.id.clone(), (*keeper).clone())));
        wrong.extend(idle.map(|keeper| format!("{} stands without {keeper}", invariant.clause.id)));
    }
    assert_none("a keeper that an invariant does not need", &wrong);
}

#[test]
fn the_doors_keep_the_entitlement_when_every_prohibition_is_gone() {
    let shipped = Shipped::load();
    let wrong = findings(&shipped, |prover, invariant, _, action| {
        if !KEPT_BY_THE_DOORS.contains(&invariant.clause.id.as_str()) {
            return Vec::new();
        }
        let doors = set(shipped.chapter(action).filter(|clause| clause.permits()));
        expect_proof(prover.never(&doors, &set([&invariant.clause]), &shipped.environment(action)))
    });
    assert_none("a permit that does not repeat the entitlement", &wrong);
}

#[test]
fn no_policy_can_err_on_any_request() {
    let shipped = Shipped::load();
    let mut prover = Prover::start(&shipped.schema).expect("cvc5 is installed");
    let mut wrong = Vec::new();
    let claims = invariants(&shipped.files);
    for clause in shipped.clauses.iter().chain(claims.iter().map(|invariant| &invariant.clause)) {
        for action in &clause.actions {
            match prover.never_errs(clause, &shipped.environment(action)) {
                Ok(true) => {}
                Ok(false) => wrong.push(format!("{} on {action} can err, and would be skipped", clause.id)),
                Err(why) => wrong.push(format!("{} on {action}: {why}", clause.id)),
            }
        }
    }
    assert_none("a policy that errs is skipped by Cedar", &wrong);
}
