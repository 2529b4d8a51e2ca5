//! The worked cases about children, tracing, trafficking and life in danger, submitted to a real gateway with a real peer.
//!
//! Not here: what a rule is for (`policies/cases`). A case asks for categories only; a message of its type needs further ones,
//! so those are added, and what becomes of them is not compared. Approvals and determinations are real acts, consents real
//! records.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

use puente_core::consent::TYP_RECORD;
use puente_core::policy::{Approval, Flag};
use puente_node::client::AgencyClient;
use puente_test_support::{Federation, consent_record, post};

use crate::officer::Officer;

const GROUPS: [&str; 5] = ["child", "tracing", "trafficking", "vital", "emergency"];

const ONE_COUNTRY: &str = "both ends are in one country: it never reaches another gateway";
const ANOTHER_GAVE_IT: &str =
    "rests on a consent that somebody gave for another: judged on records of their own, in `consents`";

/// What cannot be said to a gateway in this form, and why.
const ELSEWHERE: &[(&str, &str)] = &[
    ("PM-049", ANOTHER_GAVE_IT),
    ("PM-051", ONE_COUNTRY),
    ("PM-052", ANOTHER_GAVE_IT),
    ("PM-053", ANOTHER_GAVE_IT),
    ("PM-054", ONE_COUNTRY),
    ("PM-060", ONE_COUNTRY),
    ("PM-062", ANOTHER_GAVE_IT),
    ("PM-094", ONE_COUNTRY),
    ("PB-007", ANOTHER_GAVE_IT),
    ("PB-008", ANOTHER_GAVE_IT),
    ("PB-025", ANOTHER_GAVE_IT),
    ("PB-026", ANOTHER_GAVE_IT),
    ("PB-029", ANOTHER_GAVE_IT),
];

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn read(path: &Path) -> Result<Value> {
    Ok(serde_json::from_slice(&std::fs::read(path).with_context(|| path.display().to_string())?)?)
}

fn cases() -> Result<Vec<Value>> {
    let mut found = Vec::new();
    for file in ["matrix", "beyond"] {
        let file = read(&root(&format!("policies/cases/{file}.json")))?;
        let of_ours = |case: &&Value| GROUPS.iter().any(|group| case["group"] == *group);
        found.extend(file["cases"].as_array().context("no cases")?.iter().filter(of_ours).cloned());
    }
    Ok(found)
}

fn text<'a>(case: &'a Value, pointer: &str) -> &'a str {
    case.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} of {case}"))
}

fn names(list: &Value) -> BTreeSet<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The reserved facts that a case states of somebody and that its sender is not the authority for, each with that authority.
fn to_determine(case: &Value) -> Result<Vec<(Flag, String)>> {
    let stated = names(&case["subject"]["flags"]);
    let reserved: BTreeMap<Flag, Value> =
        serde_json::from_value(read(&root("policies/determinations.json"))?)?;
    let authority = |(fact, terms): (Flag, Value)| {
        let roles = names(&terms["roles"]);
        let needed = stated.contains(fact.code()) && !roles.contains(text(case, "/sender/role"));
        roles.into_iter().next().filter(|_| needed).map(|role| (fact, role))
    };
    Ok(reserved.into_iter().filter_map(authority).collect())
}

/// The agency of a role, in any country.
fn agency(role: &str) -> String {
    role.to_uppercase().replace('_', "-")
}

/// Valid content of every category that any example has, those of the type itself first.
struct Examples(BTreeMap<(String, String), Value>);

impl Examples {
    fn read() -> Result<Self> {
        let mut found = BTreeMap::new();
        for (path, bytes) in puente_node::home::read_tree(&root("schemas/messages"))? {
            let mut parts = path.split('/');
            let (Some(message_type), Some(name)) = (parts.next(), path.rsplit('/').next()) else { continue };
            if !(path.contains("/examples/valid") && name.ends_with(".json")) {
                continue;
            }
            let example: Value = serde_json::from_slice(&bytes)?;
            for (category, section) in example["sections"].as_object().into_iter().flatten() {
                found.entry((message_type.to_owned(), category.clone())).or_insert_with(|| section.clone());
            }
        }
        Ok(Self(found))
    }

    /// The section of a category in a message of a type; one that the type does not have may say anything.
    fn section(&self, message_type: &str, category: &str) -> Value {
        let own = self.0.get(&(message_type.to_owned(), category.to_owned()));
        let any = || self.0.iter().find(|((_, of), _)| of == category).map(|(_, section)| section);
        let mut section = own.or_else(any).cloned().unwrap_or_else(|| json!({}));
        // Attachments travel apart; what is decided is the category.
        if let Some(members) = section.as_object_mut() {
            members.remove("attachment");
            members.remove("attachments");
        }
        section
    }
}

fn required(message_type: &str) -> Result<BTreeSet<String>> {
    let descriptor = read(&root(&format!("schemas/messages/{message_type}/1/descriptor.json")))?;
    let categories = descriptor["categories"].as_object().context("no categories")?;
    Ok(categories.iter().filter(|(_, one)| one["required"] == true).map(|(name, _)| name.clone()).collect())
}

fn stated(value: &Value) -> Value {
    match value {
        Value::Bool(yes) => json!(if *yes { "yes" } else { "no" }),
        other => other.clone(),
    }
}

/// The person as a submission states her: beside a list of flags, one that is not listed is a stated no.
fn subject(case: &Value) -> Value {
    let mut subject: Map<String, Value> = case["subject"].as_object().unwrap().clone();
    subject.retain(|_, value| !value.is_null());
    if let Some(listed) = subject.remove("flags") {
        let listed = names(&listed);
        let flags = Flag::ALL.iter().map(|flag| {
            (flag.code().to_owned(), json!(if listed.contains(flag.code()) { "yes" } else { "no" }))
        });
        subject.insert("flags".to_owned(), Value::Object(flags.collect()));
    }
    if let (None, Some(own)) = (subject.get("residence"), subject.get("nationality").cloned()) {
        subject.insert("residence".to_owned(), own);
    }
    Value::Object(subject)
}

struct World {
    federation: Federation,
    examples: Examples,
}

impl World {
    async fn of(cases: &[Value]) -> Result<Self> {
        let ends = cases.iter().flat_map(|case| ["sender", "recipient"].map(|end| &case[end]));
        let mut parties: BTreeSet<(&str, String)> =
            ends.map(|end| (text(end, "/country"), text(end, "/role").to_owned())).collect();
        for case in cases {
            let authorities = to_determine(case)?.into_iter();
            parties.extend(authorities.map(|(_, role)| (text(case, "/sender/country"), role)));
        }
        let named: Vec<(&str, String, &str)> =
            parties.iter().map(|(country, role)| (*country, agency(role), role.as_str())).collect();
        let agencies: Vec<(&str, &str, &str)> =
            named.iter().map(|(country, agency, role)| (*country, agency.as_str(), *role)).collect();
        let countries: BTreeSet<&str> = parties.iter().map(|(country, _)| *country).collect();
        let countries: Vec<&str> = countries.into_iter().collect();
        Ok(Self { federation: Federation::of(&countries, &agencies).await?, examples: Examples::read()? })
    }

    fn end(&self, case: &Value, end: &str) -> Result<AgencyClient> {
        let role = text(case, &format!("/{end}/role"));
        self.federation.client(text(case, &format!("/{end}/country")), &agency(role))
    }

    /// An officer of one end, named after the case.
    fn officer<'a>(&'a self, case: &'a Value, end: &str, agency: &'a str) -> Result<Officer<'a>> {
        Officer::of(&self.federation, text(case, &format!("/{end}/country")), agency, text(case, "/id"))
    }

    fn message(&self, case: &Value) -> Result<Value> {
        let message_type = text(case, "/message_type");
        let mut categories = names(&case["requested_categories"]);
        categories.extend(required(message_type)?);
        let sections: Map<String, Value> = categories
            .iter()
            .map(|category| (category.clone(), self.examples.section(message_type, category)))
            .collect();
        let facts: Map<String, Value> = case["facts"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), stated(value)))
            .collect();
        let (from, to) = (text(case, "/sender/country"), text(case, "/recipient/country"));
        let mut basis = json!({"type": case["legal_basis"]["type"]});
        if case["legal_basis"]["agreement"].is_object() {
            // The local arrangement of these two countries.
            basis["agreement"] =
                json!(if from == "US" { format!("LRA-US-{to}") } else { format!("{from}-{to}") });
        }
        Ok(json!({
            "type": message_type, "purpose": case["purpose"], "legal_basis": basis,
            "recipient": {"country": to, "role": case["recipient"]["role"]},
            "subject_id": case["id"], "subject": subject(case), "facts": facts, "sections": sections,
        }))
    }

    /// Hands in the consent that the person herself gave, for exactly this message; answers its id.
    async fn consent(&self, case: &Value, message: &Value) -> Result<Value> {
        let (country, agency) = (text(case, "/sender/country"), agency(text(case, "/sender/role")));
        let mut record = consent_record(&agency);
        let number: u32 = text(case, "/id").bytes().fold(0, |sum, byte| sum * 31 % 65_521 + u32::from(byte));
        record["record_id"] = json!(format!("01940000-0000-7000-8000-{number:012x}"));
        record["jurisdiction"] = json!(country);
        record["storage"] = json!([country]);
        record["principal"]["ref"] = case["id"].clone();
        record["giver"] = json!({"kind": "subject", "party": case["id"]});
        let categories: Vec<&String> = message["sections"].as_object().unwrap().keys().collect();
        record["processes"] = json!([{"purpose": case["purpose"], "categories": categories,
            "recipients": [case["recipient"]["country"]], "retention_days": 365}]);
        let signed = self.federation.sign(country, &agency, TYP_RECORD, &record)?;
        let added: Value =
            post(&self.end(case, "sender")?, "/v1/consents", &json!({"record": signed})).await?.json()?;
        anyhow::ensure!(added["consent_id"].is_string(), "{}: {added}", case["id"]);
        Ok(added["consent_id"].clone())
    }

    /// What authorities of the sender's country determined of the person before.
    async fn determine(&self, case: &Value) -> Result<()> {
        let mut by_authority: BTreeMap<String, Vec<Flag>> = BTreeMap::new();
        for (fact, role) in to_determine(case)? {
            by_authority.entry(role).or_default().push(fact);
        }
        for (role, facts) in by_authority {
            let authority = agency(&role);
            let officer = self.officer(case, "sender", &authority)?;
            for fact in facts {
                let (_, made) = officer.determine(text(case, "/id"), fact, true).await?;
                anyhow::ensure!(made["stands"] == true, "{}: {made}", case["id"]);
            }
        }
        Ok(())
    }

    /// Submits a case and gives it the approvals that it has; the last verdict on it.
    async fn verdict(&self, case: &Value) -> Result<Value> {
        self.determine(case).await?;
        let mut message = self.message(case)?;
        if message["legal_basis"]["type"] == "consent" {
            message["legal_basis"]["consent_id"] = self.consent(case, &message).await?;
        }
        let sender = self.end(case, "sender")?;
        let verdict: Value = post(&sender, "/v1/messages", &message).await?.json()?;
        let approvals = names(&case["approvals"]);
        if verdict["verdict"] != "held" || approvals.is_empty() {
            return Ok(verdict);
        }
        let path = format!("/v1/approvals/{}", text(&verdict, "/approval_id"));
        let row = sender.get(&path).await?.json::<Value>()?["approval"].clone();
        if approvals.contains("recipient_child_protection") {
            self.other_authority_accepts(case, &message, &row).await?;
        }
        let own = agency(text(case, "/sender/role"));
        let officer = self.officer(case, "sender", &own)?;
        let approval = if approvals.contains("missing_child_authority") {
            Approval::MissingChildAuthority
        } else {
            Approval::SenderChildProtection
        };
        let said = officer.say(officer.says(&row, approval, 24)?).await?;
        anyhow::ensure!(said["state"] == "granted", "{}: {said}", case["id"]);
        Ok(said["verdict"].clone())
    }

    /// The other authority's own word in the thread, signed by its officer there.
    async fn other_authority_accepts(&self, case: &Value, message: &Value, row: &Value) -> Result<()> {
        let there = agency(text(case, "/recipient/role"));
        let officer = self.officer(case, "recipient", &there)?;
        let accepts = "child.case.transfer.accept";
        let body = json!({
            "type": accepts, "purpose": case["purpose"], "legal_basis": {"type": "best_interests"},
            "recipient": {"country": case["sender"]["country"], "role": case["sender"]["role"]},
            "case": row["case"], "subject": message["subject"],
            "sections": {"ops.metadata": self.examples.section(accepts, "ops.metadata")},
        });
        let held: Value = post(&officer.client()?, "/v1/messages", &body).await?.json()?;
        let theirs = officer.client()?.get(&format!("/v1/approvals/{}", text(&held, "/approval_id"))).await?;
        let theirs = theirs.json::<Value>()?["approval"].clone();
        let said = officer.say(officer.says(&theirs, Approval::SenderChildProtection, 24)?).await?;
        anyhow::ensure!(said["state"] == "granted", "{said}");
        let came = |inbox: &Value| inbox.to_string().contains(accepts);
        self.federation.until(&self.end(case, "sender")?, "/v1/inbox?wait=1", came).await?;
        Ok(())
    }

    /// What of the case is not as expected; empty when all is.
    async fn differences(&self, case: &Value) -> Result<Vec<String>> {
        let verdict = self.verdict(case).await?;
        let expected = &case["expected"];
        let as_verdicts: &[&str] = match text(expected, "/decision") {
            "deny" => &["refused"],
            "needs_approval" => &["held"],
            _ => &["accepted", "redacted"],
        };
        let mut differences = Vec::new();
        let got = verdict["verdict"].as_str().unwrap_or_default();
        if !as_verdicts.contains(&got) || verdict["rule"]["id"] != expected["rule"] {
            differences.push(format!("expected {} by {}: {verdict}", expected["decision"], expected["rule"]));
        }
        if got != "accepted" && got != "redacted" {
            return Ok(differences);
        }
        let requested = names(&case["requested_categories"]);
        let removed: BTreeSet<String> = verdict["removed"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|removal| removal["category"].as_str())
            .map(str::to_owned)
            .collect();
        let of_the_case: BTreeSet<String> = removed.intersection(&requested).cloned().collect();
        if of_the_case != names(&expected["remove"]) {
            differences.push(format!("removed {of_the_case:?}, not {}", expected["remove"]));
        }
        let came = self.delivered(case, &verdict).await?;
        let delivered: BTreeSet<String> = came.intersection(&requested).cloned().collect();
        if delivered != names(&expected["deliver"]) {
            differences.push(format!("delivered {delivered:?}, not {}", expected["deliver"]));
        }
        if came.iter().any(|category| removed.contains(category)) {
            differences.push(format!("what was removed came: {came:?}"));
        }
        Ok(differences)
    }

    /// The categories of what the other side reads.
    async fn delivered(&self, case: &Value, verdict: &Value) -> Result<BTreeSet<String>> {
        let there = self.end(case, "recipient")?;
        let path = format!("/v1/messages/{}/content", text(verdict, "/message_id"));
        let content = self.federation.until(&there, &path, |content| content["sections"].is_object()).await?;
        Ok(content["sections"].as_object().context("no sections")?.keys().cloned().collect())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_worked_case_that_can_be_said_to_a_gateway_is_decided_and_delivered_as_it_is_worked()
-> Result<()> {
    let (elsewhere, over_the_wire): (Vec<Value>, Vec<Value>) =
        cases()?.into_iter().partition(|case| ELSEWHERE.iter().any(|(id, _)| case["id"] == *id));
    assert_eq!(elsewhere.len(), ELSEWHERE.len(), "every case that is left out is one");
    for (case, (id, why)) in
        elsewhere.iter().flat_map(|case| ELSEWHERE.iter().map(move |left_out| (case, left_out)))
    {
        if case["id"] == *id && *why == ONE_COUNTRY {
            assert_eq!(case["sender"]["country"], case["recipient"]["country"], "{id}");
        }
    }
    let world = World::of(&over_the_wire).await?;
    let mut wrong = Vec::new();
    for case in &over_the_wire {
        let id = text(case, "/id");
        match world.differences(case).await {
            Ok(differences) => wrong.extend(differences.into_iter().map(|one| format!("{id}: {one}"))),
            Err(error) => wrong.push(format!("{id}: {error:#}")),
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), over_the_wire.len(), wrong.join("\n"));
    Ok(())
}
