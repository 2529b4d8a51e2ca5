//! A counterexample through a running gateway: with a keeper gone the solver finds a request, its facts become a real
//! submission, and a node whose folder has the keeper broken lets it leave; the shipped folder does not.
//!
//! Not a proof. INVARIANT: what is submitted is what the solver found: kind, age, residence, protection and every flag of the
//! person are read from its model; only the journey and the content are ours.

use std::collections::BTreeMap;

use cedar_policy::{Policy, PolicyId, PolicySet};
use puente_core::policy::Flag;
use puente_node::policy::PolicySet as Folder;
use puente_test_support::{Federation, adult_row, post};
use serde_json::{Value, json};

use crate::invariant::{Invariant, invariants};
use crate::prover::{Answer, Prover};
use crate::shipped::{Shipped, set};

const AGENCIES: &[(&str, &str, &str)] =
    &[("MX", "INM", "migration_enforcement"), ("GT", "IGM", "returns_reception")];

/// Invariants whose keepers are deleted, the rule of which stops the row where they stand, and whose national she is.
const BROKEN: [(&str, &str, &str); 2] =
    [("third-country", "R-TCN-01", "VE"), ("family-unity", "R-FAM-01", "GT")];

/// The journey of `adult_row`, as the solver has to keep it; about the person it says her nationality alone, and that no
/// country is feared.
fn journey(nationality: &str) -> String {
    let undecided = |fact: &str| {
        format!("!context.yes.contains(Fact::\"{fact}\") && !context.no.contains(Fact::\"{fact}\")")
    };
    let consistent = |flag: &Flag| {
        let fact = flag.code();
        format!("!(context.yes.contains(Fact::\"{fact}\") && context.no.contains(Fact::\"{fact}\"))")
    };
    const STEP: [&str; 15] = [
        "late",
        "night_hour",
        "mandatory_notification",
        "identity_proven",
        "originator_authorises",
        "court_order",
        "adequacy_equivalent",
        "sender_requires_adequacy",
        "legal_hold",
        "consent_current",
        "assent",
        "understood",
        "conditional",
        "blanket",
        "evidence",
    ];
    let step: Vec<String> = STEP.iter().map(|fact| undecided(fact)).collect();
    let flags: Vec<String> = Flag::ALL.iter().map(consistent).collect();
    format!(
        "@id(\"journey\") forbid(principal, action == Action::\"PassUnattended\", resource) unless {{
  !context.production && context.message == Message::\"return.manifest\" && resource == context.message &&
  principal == Country::\"MX\" && context.purpose == Purpose::\"return_reception\" &&
  context.sender == {{country: Country::\"MX\", role: Role::\"migration_enforcement\"}} &&
  context.recipient == {{country: Country::\"GT\", role: Role::\"returns_reception\"}} &&
  context.basis == Basis::\"legal_obligation\" && context has agreement && !(context has consent) &&
  context.agreement.status == Standing::\"in_force\" && !(context.agreement has categories) &&
  context.originator == Country::\"MX\" && context.peer == PeerStatus::\"active\" && !context.expired &&
  context.approvals.isEmpty() && !context.recordLevel && !context.published && !(context has minCell) &&
  context.requested == [Category::\"id.core\", Category::\"return.logistics\", Category::\"language\"] &&
  context.no.contains(Fact::\"restricted\") && context.left == context.requested && context.subject.kind == Kind::\"adult\" &&
  context.subject.age == AgeBand::\"18-59\" &&
  context.subject.nationalities == [Country::\"{nationality}\"] &&
  context.subject has residence && context.subject.residence == Country::\"MX\" &&
  context.subject has risk && context.subject.risk.isEmpty() &&
  {} && {}
}};",
        step.join(" && "),
        flags.join(" && ")
    )
}

/// Every prohibition that stands before a message leaves, as one question: those of `Pass` asked along with the holds.
fn leaving(shipped: &Shipped, without: &[String], nationality: &str) -> PolicySet {
    let stays = |id: &String| !without.contains(id);
    let mut all = set(shipped.chapter("PassUnattended").filter(|clause| stays(&clause.id)));
    for clause in shipped.chapter("Pass").filter(|clause| !clause.permits() && stays(&clause.id)) {
        let text = clause.policy.to_string();
        let (head, rest) = text.split_once("principal, ").expect("a policy names its principal");
        let (_, tail) = rest.split_once(", resource").expect("a policy names its resource");
        let text = format!("{head}principal, action == Action::\"PassUnattended\", resource{tail}");
        let id = PolicyId::new(format!("{} before", clause.id));
        all.add(Policy::parse(Some(id), &text).expect("it reads")).expect("its name is its own");
    }
    let journey = Policy::parse(Some(PolicyId::new("journey")), journey(nationality)).expect("it reads");
    all.add(journey).expect("its name is its own");
    all
}

/// The submission whose facts are those of the solver's request.
fn submission(context: &Value, nationality: &str) -> Value {
    let ids = |name: &str| -> Vec<String> {
        let facts = context.get(name).and_then(Value::as_array).into_iter().flatten();
        facts.filter_map(|fact| fact.pointer("/__entity/id")?.as_str().map(str::to_owned)).collect()
    };
    let (yes, no) = (ids("yes"), ids("no"));
    let known = |flag: &Flag| {
        let said = |facts: &[String]| facts.iter().any(|fact| fact == flag.code());
        if said(&yes) {
            "yes"
        } else if said(&no) {
            "no"
        } else {
            "unknown"
        }
    };
    let flags: BTreeMap<&str, &str> = Flag::ALL.iter().map(|flag| (flag.code(), known(flag))).collect();
    let protection = context.pointer("/subject/protection/__entity/id").cloned().expect("a protection");
    let mut row = adult_row(1);
    row["subject"] = json!({
        "kind": "adult", "age": 32, "nationality": nationality, "residence": "MX", "risk_countries": [],
        "protection": protection, "flags": flags,
    });
    row["sections"]["id.core"]["nationalities"] = json!([nationality]);
    row
}

/// What the solver finds once this invariant's keepers are gone.
fn counterexample(shipped: &Shipped, invariant: &Invariant, nationality: &str) -> Value {
    let mut prover = Prover::start(&shipped.schema).expect("cvc5 is installed");
    let env = shipped.environment("PassUnattended");
    let forbidden = set([&invariant.clause]);
    match prover.never(&leaving(shipped, &invariant.keepers, nationality), &forbidden, &env) {
        Ok(Answer::Refuted(found)) => {
            let context = found.request.context().expect("a model has a context");
            context.to_json_value().expect("a context is JSON")
        }
        Ok(Answer::Proved) => panic!("{}: it stands without its keepers", invariant.clause.id),
        Err(why) => panic!("{}: {why}", invariant.clause.id),
    }
}

/// A file's text with one policy that bites on expired messages alone: on this journey it is as if it were gone, and yet
/// the set is one that officers can put in force.
fn weakened(text: &str, id: &str) -> String {
    let Some((before, policy)) = text.split_once(&format!("@id(\"{id}\")")) else { return text.to_owned() };
    let (head, rest) = policy.split_once("when {").expect("a prohibition says when");
    let (_, after) = rest.split_once("\n};").expect("a policy ends");
    format!("{before}@id(\"{id}\"){head}when {{\n  context.expired\n}};{after}")
}

/// The shipped folder with these policies weakened; the worked cases that miss them are left out.
fn broken(shipped: &Shipped, gone: &[String]) -> Folder {
    let mut files = BTreeMap::new();
    for (path, bytes) in &shipped.files {
        if path.starts_with("cases/") {
            continue;
        }
        let mut text = String::from_utf8(bytes.clone()).expect("policies are UTF-8");
        if path.starts_with("rules/") {
            text = gone.iter().fold(text, |text, id| weakened(&text, id));
        }
        files.insert(path.clone(), text);
    }
    Folder::of(files).expect("a set of policies")
}

#[test]
fn what_the_solver_finds_leaves_a_gateway_without_the_keeper_and_not_the_one_that_ships() {
    let shipped = Shipped::load();
    let claims = invariants(&shipped.files);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for (name, rule, nationality) in BROKEN {
        let invariant = claims.iter().find(|claim| claim.clause.id == name).expect("the invariant ships");
        let context = counterexample(&shipped, invariant, nationality);
        let row = submission(&context, nationality);
        let (kept, left) = runtime.block_on(async {
            let federation = Federation::of(&["GT", "MX"], AGENCIES).await.expect("a federation");
            let inm = federation.client("MX", "INM").expect("a client");
            let ask = async || -> Value {
                let answer = post(&inm, "/v1/messages", &row).await.expect("an answer");
                answer.json().expect("a verdict")
            };
            let kept = ask().await;
            federation
                .activate("MX", broken(&shipped, &invariant.keepers))
                .await
                .expect("it is put in force");
            let left = ask().await;
            if let Some(id) = left["message_id"].as_str() {
                let path = format!("/v1/messages/{id}");
                let arrived = |seen: &Value| seen["message"]["state"] == "accepted";
                federation.until(&inm, &path, arrived).await.expect("it arrives");
            }
            (kept, left)
        });
        assert_eq!(kept["verdict"], "held", "{name}: {kept}");
        assert_eq!(kept["rule"]["id"], rule, "{name}: {kept}");
        assert!(left["message_id"].is_string(), "{name}: {left} for {context}");
    }
}
