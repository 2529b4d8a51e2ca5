//! Everything that is wrong with a set of policies at once, each with its place and what to do.
//!
//! Not here: the worked cases (`cases`), and loading, which stops at the first defect (`engine`). INVARIANT:
//! a set without defects loads.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::Schema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::agreement::Agreements;
use super::engine::{self, PolicyEngine};
use super::files::{self, PolicyError};
use super::profile::{Profile, Profiles};
use super::rule::{Release, RuleId, Rules, Stage};
use super::rulebook::{Obligations, Rulebook};
use super::vocabulary::{FORBIDDEN_FAMILIES, Vocabulary};
use crate::ids::MessageType;

/// One thing to mend.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Defect {
    /// Path under `policies/`.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// What to do, in Spanish.
    pub es: &'static str,
    /// What to do, in English.
    pub en: &'static str,
}

/// What to do about a kind of defect: Spanish, English.
type Mend = (&'static str, &'static str);

const READ: Mend = ("Reponga el archivo o corrija esa línea.", "Put the file back, or mend that line.");
const POLICY: Mend = (
    "Corrija la política que abre en esa línea; no se aplica mientras tanto.",
    "Mend the policy that opens at that line; until then none of the set is applied.",
);
const RULE: Mend = (
    "Complete la regla en rules.json, o quítela si nadie la usa.",
    "Complete the rule in rules.json, or remove it when nothing uses it.",
);
const PROFILE: Mend = (
    "Use roles, categorías y bases del esquema; lo que no se nombra no se permite.",
    "Use roles, categories and bases of the schema; what is not named is not permitted.",
);
const AGREEMENT: Mend = (
    "Corrija el acuerdo: dos partes distintas, fechas en orden y tipos con perfil.",
    "Mend the agreement: two distinct parties, dates in order, types that have a profile.",
);
const NAME: Mend = (
    "Revise la ortografía: una regla sobre un nombre que no existe nunca se aplica.",
    "Check the spelling: a rule about a name that does not exist never bites.",
);
const PLACE: Mend =
    ("Mueva o renombre el archivo: aquí nadie lo lee.", "Move or rename the file: nothing reads it here.");

struct Inspection<'a> {
    files: &'a BTreeMap<String, Vec<u8>>,
    found: BTreeSet<Defect>,
}

/// Every defect of a set, by (file, line); files are (path under `policies/`, bytes).
#[must_use]
pub fn defects(files: &BTreeMap<String, Vec<u8>>) -> Vec<Defect> {
    let mut inspection = Inspection { files, found: BTreeSet::new() };
    inspection.places();
    let schema = inspection.schema();
    let mut rules: Rules = inspection.json("rules.json").unwrap_or_default();
    if files.contains_key("national/rules.json") {
        rules.extend(inspection.json::<Rules>("national/rules.json").unwrap_or_default());
    }
    let profiles: Profiles = inspection.json("profiles.json").unwrap_or_default();
    let obligations: Obligations = inspection.json("obligations.json").unwrap_or_default();
    inspection.obligations(&obligations);
    if let Some(schema) = schema {
        let book = inspection.policies(&rules, &obligations, &schema);
        inspection.rules(&rules, &book);
        inspection.profiles(&profiles, &schema);
    }
    inspection.names(&profiles);
    inspection.agreements(&profiles);
    if inspection.found.is_empty() {
        inspection.whole();
    }
    inspection.found.into_iter().collect()
}

/// The line on which a JSON member of this name opens; 1 when there is none.
fn line_of(text: &str, member: &str) -> usize {
    let opening = format!("\"{member}\"");
    text.lines().position(|line| line.contains(&opening)).map_or(1, |index| index + 1)
}

impl Inspection<'_> {
    fn report(&mut self, file: &str, line: usize, what: impl Into<String>, (es, en): Mend) {
        self.found.insert(Defect { file: file.to_owned(), line, what: what.into(), es, en });
    }

    fn text(&self, path: &str) -> &str {
        files::text(self.files, path).ok().flatten().unwrap_or_default()
    }

    fn refuse(&mut self, error: PolicyError, mend: Mend) {
        match error {
            PolicyError::Missing(file) => self.report(file, 1, "file is missing", mend),
            PolicyError::File { file, line, why } => self.report(&file, line.max(1), why, mend),
            PolicyError::Disagree(why) => self.report("rules.json", 1, why, mend),
        }
    }

    fn json<T: DeserializeOwned>(&mut self, path: &'static str) -> Option<T> {
        files::json(self.files, path).map_err(|error| self.refuse(error, READ)).ok()
    }

    /// What stands where nothing reads it looks in force and is not.
    fn places(&mut self) {
        let ends = |path: &str, end: &str| std::path::Path::new(path).extension().is_some_and(|e| e == end);
        for path in self.files.keys() {
            let unread = (path.starts_with("rules/") && !ends(path, "cedar"))
                || (path.starts_with("national/") && !ends(path, "cedar") && path != "national/rules.json")
                || (path.starts_with("agreements/") && !ends(path, "json"))
                || (ends(path, "cedar") && !path.contains('/'));
            if unread {
                let (es, en) = PLACE;
                let what = "nothing reads this file".to_owned();
                self.found.insert(Defect { file: path.clone(), line: 1, what, es, en });
            }
        }
    }

    fn schema(&mut self) -> Option<Schema> {
        let source = match files::text(self.files, "schema.cedarschema") {
            Ok(Some(source)) => source,
            Ok(None) => {
                self.report("schema.cedarschema", 1, "file is missing", READ);
                return None;
            }
            Err(error) => {
                self.refuse(error, READ);
                return None;
            }
        };
        match Schema::from_cedarschema_str(source) {
            Ok((schema, _)) => Some(schema),
            Err(error) => {
                self.report("schema.cedarschema", 1, error.to_string(), READ);
                None
            }
        }
    }

    fn obligations(&mut self, obligations: &Obligations) {
        for (code, texts) in obligations {
            if ["es", "en"].iter().any(|language| texts.get(*language).is_none_or(String::is_empty)) {
                let line = line_of(self.text("obligations.json"), code);
                self.report("obligations.json", line, format!("obligation `{code}` lacks a text"), READ);
            }
        }
    }

    fn policies(&mut self, rules: &Rules, obligations: &Obligations, schema: &Schema) -> Rulebook {
        let mut book = Rulebook::default();
        let files = self.files;
        for path in files.keys().filter(|path| files::is_rule_file(path)) {
            let source = match files::text(files, path) {
                Ok(source) => source.unwrap_or_default(),
                Err(error) => {
                    self.refuse(error, READ);
                    continue;
                }
            };
            let known = |code: &str| obligations.contains_key(code);
            for rejected in book.read(source, path.starts_with("national/"), rules, known, schema) {
                self.report(path, rejected.line, rejected.why, POLICY);
            }
        }
        for action in book.silent_actions() {
            self.report("rules.json", 1, format!("no policy permits `{action}`"), POLICY);
        }
        book
    }

    fn rules(&mut self, rules: &Rules, book: &Rulebook) {
        let used: BTreeSet<RuleId> = book.texts().into_values().map(|(rule, _)| rule).collect();
        let mut places: BTreeMap<(Stage, u32), &RuleId> = BTreeMap::new();
        for (id, rule) in rules {
            let national = !self.text("rules.json").contains(&format!("\"{id}\""));
            let file = if national { "national/rules.json" } else { "rules.json" };
            let line = line_of(self.text(file), id.as_str());
            let mut wrong = |what: String| self.report(file, line, what, RULE);
            if rule.es.is_empty() || rule.en.is_empty() {
                wrong(format!("rule `{id}` lacks a reason"));
            }
            if rule.grounding.is_empty() {
                wrong(format!("rule `{id}` has no grounding"));
            }
            if !used.contains(id) && !engine::OF_THE_ENGINE.contains(&id.as_str()) {
                wrong(format!("rule `{id}` has no policy"));
            }
            if let Some(other) = places.insert(rule.order(), id) {
                wrong(format!("rules `{other}` and `{id}` have the same stage and rank"));
            }
            if rule.release == Release::Officers && !book.holds(id) {
                wrong(format!("rule `{id}` is released by officers and holds nothing"));
            }
        }
    }

    fn profiles(&mut self, profiles: &Profiles, schema: &Schema) {
        for (message, profile) in profiles {
            let alone = Profiles::from([(message.clone(), profile.clone())]);
            let wrong = match Vocabulary::build(&alone, schema) {
                Err(why) => Some(why),
                Ok(_) => incomplete(message, profile),
            };
            if let Some(what) = wrong {
                let line = line_of(self.text("profiles.json"), message.as_str());
                self.report("profiles.json", line, what, PROFILE);
            }
        }
    }

    /// Messages and groups are not enumerated in the schema, so that Cedar takes a misspelt one for another.
    fn names(&mut self, profiles: &Profiles) {
        let families = profiles.keys().map(|message| message.family());
        let groups = profiles.values().flat_map(|profile| profile.groups.iter().map(String::as_str));
        let groups: BTreeSet<&str> = families.chain(groups).chain(FORBIDDEN_FAMILIES).collect();
        let files = self.files;
        for path in files.keys().filter(|path| files::is_rule_file(path)) {
            for (index, line) in self.text(path).to_owned().lines().enumerate() {
                for name in quoted_after(line, "Message::\"").filter(|name| !is_profiled(profiles, name)) {
                    self.report(path, index + 1, format!("message type `{name}` has no profile"), NAME);
                }
                for name in quoted_after(line, "Group::\"").filter(|name| !groups.contains(name)) {
                    self.report(path, index + 1, format!("group `{name}` is of no profile"), NAME);
                }
            }
        }
    }

    fn agreements(&mut self, profiles: &Profiles) {
        let files = self.files;
        let mut ids = BTreeMap::new();
        for (path, bytes) in files.iter().filter(|(path, _)| path.starts_with("agreements/")) {
            let read = match Agreements::load([(path.clone(), bytes.clone())]) {
                Ok(read) => read,
                Err(error) => {
                    self.refuse(error, AGREEMENT);
                    continue;
                }
            };
            for (id, held) in read.all() {
                if let Some(other) = ids.insert(id.clone(), path) {
                    self.report(path, 1, format!("`{other}` is another agreement `{id}`"), AGREEMENT);
                }
                for (member, what) in held.agreement.faults(profiles) {
                    let line = line_of(self.text(path), member);
                    self.report(path, line, what, AGREEMENT);
                }
            }
        }
    }

    /// What only the set as a whole can get wrong.
    fn whole(&mut self) {
        let all = self.files.iter().map(|(path, bytes)| (path.clone(), bytes.clone()));
        if let Err(error) = PolicyEngine::load(all.clone()) {
            self.refuse(error, POLICY);
        }
        if let Err(error) = Agreements::load(all) {
            self.refuse(error, AGREEMENT);
        }
    }
}

fn incomplete(message: &MessageType, profile: &Profile) -> Option<String> {
    let lacks = [
        ("senders", profile.senders.is_empty()),
        ("recipients", profile.recipients.is_empty()),
        ("bases", profile.bases.is_empty()),
        ("purposes", profile.purposes.is_empty()),
        ("source", profile.source.is_empty()),
        ("retention_days", profile.retention_days == 0),
    ];
    let (name, _) = lacks.into_iter().find(|(_, lacking)| *lacking)?;
    Some(format!("profile of `{message}` has no `{name}`"))
}

fn is_profiled(profiles: &Profiles, name: &str) -> bool {
    name.parse::<MessageType>().is_ok_and(|message| profiles.contains_key(&message))
}

/// The names that stand in quotes after an opening such as `Message::"`, outside comments.
fn quoted_after<'a>(line: &'a str, opening: &'a str) -> impl Iterator<Item = &'a str> {
    let code = line.split("//").next().unwrap_or_default();
    code.split(opening).skip(1).filter_map(|rest| rest.split('"').next())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::policy::tests::files;

    fn with(change: impl FnOnce(&mut BTreeMap<String, Vec<u8>>)) -> Vec<String> {
        let mut files = files();
        change(&mut files);
        let told = |defect: Defect| format!("{}:{} {}", defect.file, defect.line, defect.what);
        defects(&files).into_iter().map(told).collect()
    }

    fn edit(files: &mut BTreeMap<String, Vec<u8>>, path: &str, from: &str, to: &str) {
        let text = String::from_utf8(files.remove(path).unwrap()).unwrap();
        assert!(text.contains(from), "{path} lacks {from}");
        files.insert(path.to_owned(), text.replacen(from, to, 1).into_bytes());
    }

    #[test]
    fn the_shipped_policies_have_no_defect() {
        assert_eq!(defects(&files()), []);
    }

    #[test]
    fn every_defect_is_named_and_not_the_first_alone() {
        let told = with(|files| {
            edit(files, "rules/firewall.cedar", "@stage(\"1-absolute\")", "@stage(\"2-basis\")");
            edit(files, "rules/transport.cedar", "PeerStatus::\"active\"", "PeerStatus::\"activ\"");
            edit(files, "agreements/MX-GT.json", "2030-12-31", "1999-12-31");
            files.insert("national/more.cedar".to_owned(), b"permit(principal, action, resource);".to_vec());
        });
        for place in [
            "agreements/MX-GT.json:8 ",
            "national/more.cedar:1 ",
            "rules/firewall.cedar:3 ",
            "rules/transport.cedar:3 ",
        ] {
            assert!(told.iter().any(|what| what.starts_with(place)), "{place}: {told:#?}");
        }
    }

    #[test]
    fn a_national_permit_is_named_with_its_line() {
        let permit = "// Ours.\n@id(\"n\") @rule(\"R-OK\") @stage(\"1-default\") @rank(\"20\") @ends(\"send\")\n\
                      permit(principal, action == Action::\"Pass\", resource);\n";
        let told =
            with(|files| drop(files.insert("national/a.cedar".to_owned(), permit.as_bytes().to_vec())));
        assert_eq!(told, ["national/a.cedar:2 a national policy may only forbid"]);
    }

    #[test]
    fn a_rule_about_a_type_that_does_not_exist_is_a_defect() {
        let told = with(|files| {
            edit(files, "rules/approval.cedar", "Message::\"rights.erase\"", "Message::\"rights.erased\"");
        });
        assert_eq!(told.len(), 1, "{told:#?}");
        assert!(told[0].ends_with("message type `rights.erased` has no profile"), "{told:#?}");
    }

    #[test]
    fn a_file_in_a_wrong_place_or_a_rule_without_policy_is_a_defect() {
        let told = with(|files| {
            let policy = files.remove("rules/firewall.cedar").unwrap();
            files.insert("rules/firewall.ceder".to_owned(), policy);
        });
        assert!(told.contains(&"rules/firewall.ceder:1 nothing reads this file".to_owned()), "{told:#?}");
        assert!(told.iter().any(|what| what.ends_with("rule `R-FW-01` has no policy")), "{told:#?}");
    }

    #[test]
    fn a_role_outside_the_schema_is_named_on_the_line_of_its_profile() {
        let told = with(|files| {
            edit(
                files,
                "profiles.json",
                "\"senders\": [\"migration_enforcement\", \"child_protection\"]",
                "\"senders\": [\"police\"]",
            );
        });
        assert_eq!(told.len(), 1, "{told:#?}");
        assert!(told[0].starts_with("profiles.json:2 "), "{told:#?}");
    }
}
