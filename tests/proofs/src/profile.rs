//! The profiles as Cedar conditions: "a request about this very message type, as `profiles.json` has it".
//!
//! Not the engine's reading of profiles. The basis is one of the profile's. INVARIANT: every attribute and every group of the type is pinned, so that the
//! solver cannot find a message type that no profile describes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::shipped::Files;

/// Families that no profile has and that rules speak of.
const FORBIDDEN_FAMILIES: [&str; 2] = ["query", "search"];

/// What a profile says, as far as a rule may ask.
pub struct Profile {
    /// The message type.
    pub message: String,
    /// The categories it may carry at most.
    pub categories: Vec<String>,
    /// The roles that may receive it.
    pub recipients: Vec<String>,
    condition: String,
}

fn words(value: &Value) -> Vec<String> {
    let words = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    words.map(str::to_owned).collect()
}

fn list(kind: &str, words: &[String]) -> String {
    let named: Vec<_> = words.iter().map(|word| format!("{kind}::\"{word}\"")).collect();
    format!("[{}]", named.join(", "))
}

fn groups(message: &str, profile: &Value) -> BTreeSet<String> {
    let family = message.split('.').next().unwrap_or(message).to_owned();
    words(&profile["groups"]).into_iter().chain([family]).collect()
}

/// Every profile that ships.
pub fn profiles(files: &Files) -> Vec<Profile> {
    let all: BTreeMap<String, Value> =
        serde_json::from_slice(&files["profiles.json"]).expect("profiles.json is an object");
    let mut every: BTreeSet<String> = FORBIDDEN_FAMILIES.iter().map(|&family| family.to_owned()).collect();
    every.extend(all.iter().flat_map(|(message, profile)| groups(message, profile)));
    all.iter().map(|(message, profile)| Profile::read(message, profile, &every)).collect()
}

impl Profile {
    fn read(message: &str, profile: &Value, every: &BTreeSet<String>) -> Self {
        let own = groups(message, profile);
        let adopted = profile["status"] == "adopted";
        let mut conditions = vec![format!("context.message == Message::\"{message}\"")];
        for (attribute, kind, key) in [
            ("senders", "Role", "senders"),
            ("recipients", "Role", "recipients"),
            ("maxCategories", "Category", "max_categories"),
            ("bases", "Basis", "bases"),
            ("purposes", "Purpose", "purposes"),
        ] {
            conditions.push(format!("context.message.{attribute} == {}", list(kind, &words(&profile[key]))));
        }
        for (attribute, holds) in [
            ("message.personal", profile["personal"] == true),
            ("message.approval", profile["approval"] == true),
            ("message.adopted", adopted),
            ("production", adopted),
        ] {
            conditions.push(format!("context.{attribute} == {holds}"));
        }
        for group in every {
            let not = if own.contains(group) { "" } else { "!" };
            conditions.push(format!("{not}(context.message in Group::\"{group}\")"));
        }
        conditions.push("context.message.bases.contains(context.basis)".to_owned());
        conditions.push("principal == context.sender.country".to_owned());
        Self {
            message: message.to_owned(),
            categories: words(&profile["max_categories"]),
            recipients: words(&profile["recipients"]),
            condition: conditions.join(" &&\n  "),
        }
    }

    /// A policy that matches every request of `action` about this type under a further condition.
    pub fn situation(&self, action: &str, further: &str) -> String {
        let resource = if action == "Disclose" { "true" } else { "resource == context.message" };
        format!(
            "permit(principal, action == Action::\"{action}\", resource) when {{\n  {} &&\n  {resource} &&\n  {further}\n}};",
            self.condition
        )
    }
}
