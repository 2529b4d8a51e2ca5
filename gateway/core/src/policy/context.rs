//! The Cedar context of a question, built without JSON.
//!
//! Not here: decisions. `None` means the engine failed. Invariant: what is unstated is an absent attribute or in neither fact set.

use std::collections::BTreeSet;

use cedar_policy::{Context, RestrictedExpression};

use super::question::{Header, Person, Receiving, Sending, kind_code, protection_code};
use super::vocabulary::{Vocabulary, one, set};
use crate::ids::{Category, CountryCode, Purpose};

type Pairs = Vec<(String, RestrictedExpression)>;

fn pair(name: &str, value: RestrictedExpression) -> (String, RestrictedExpression) {
    (name.to_owned(), value)
}

fn record(pairs: Pairs) -> RestrictedExpression {
    // Only a name given twice can fail here; an empty record then makes every rule that reads it err, and refuse.
    RestrictedExpression::new_record(pairs)
        .unwrap_or_else(|_| RestrictedExpression::new_set(std::iter::empty()))
}

fn flag(value: bool) -> RestrictedExpression {
    RestrictedExpression::new_bool(value)
}

fn header(words: &Vocabulary, header: &Header) -> Pairs {
    let party = |party: &super::Party| {
        record(vec![
            pair("country", one(&words.country, party.country.as_str())),
            pair("role", one(&words.role, party.role.as_str())),
        ])
    };
    let mut pairs = vec![
        pair("production", flag(header.production)),
        pair("message", RestrictedExpression::new_entity_uid(words.message_uid(&header.message))),
        pair("purpose", one(&words.purpose, header.purpose.as_str())),
        pair("sender", party(&header.sender)),
        pair("recipient", party(&header.recipient)),
        pair("basis", one(&words.basis, header.basis.code())),
        pair("peer", one(&words.peer, header.peer.code())),
        pair("expired", flag(header.expired)),
        pair("originator", one(&words.country, header.originator.as_str())),
        pair("yes", set(&words.fact, header.yes.iter().copied())),
        pair("no", set(&words.fact, header.no.iter().copied())),
    ];
    if let Some(agreement) = &header.agreement {
        let mut inner = vec![pair("status", one(&words.standing, agreement.standing.code()))];
        inner.extend(agreement.biometrics.map(|covered| pair("biometrics", flag(covered))));
        if let Some(categories) = &agreement.categories {
            inner.push(pair("categories", set(&words.category, categories.iter().map(Category::as_str))));
        }
        pairs.push(pair("agreement", record(inner)));
    }
    if let Some(consent) = &header.consent {
        let mut inner = vec![
            pair("status", one(&words.consent, consent.status.code())),
            pair("givenBy", one(&words.giver, consent.given_by.code())),
        ];
        if let Some(purposes) = &consent.purposes {
            inner.push(pair("purposes", set(&words.purpose, purposes.iter().map(Purpose::as_str))));
        }
        if let Some(recipients) = &consent.recipients {
            inner.push(pair("recipients", set(&words.country, recipients.iter().map(CountryCode::as_str))));
        }
        if let Some(categories) = &consent.categories {
            inner.push(pair("categories", set(&words.category, categories.iter().map(Category::as_str))));
        }
        pairs.push(pair("consent", record(inner)));
    }
    pairs
}

fn subject(words: &Vocabulary, person: &Person) -> RestrictedExpression {
    let countries = |of: &BTreeSet<CountryCode>| set(&words.country, of.iter().map(CountryCode::as_str));
    let mut pairs = vec![
        pair("kind", one(&words.kind, kind_code(person.kind))),
        pair("age", one(&words.age, person.age)),
        pair("nationalities", countries(&person.nationalities)),
        pair("protection", one(&words.protection, protection_code(person.protection))),
    ];
    pairs.extend(person.residence.as_ref().map(|of| pair("residence", one(&words.country, of.as_str()))));
    pairs.extend(person.risk.as_ref().map(|of| pair("risk", countries(of))));
    record(pairs)
}

/// The context of `Pass`, `PassWhole` and `Disclose`.
pub(super) fn sending(words: &Vocabulary, question: &Sending) -> Option<Context> {
    let mut pairs = header(words, &question.header);
    pairs.extend([
        pair("subject", subject(words, &question.person)),
        pair("approvals", set(&words.approval, question.approvals.iter().map(|approval| approval.code()))),
        pair("recordLevel", flag(question.record_level)),
        pair("published", flag(question.published)),
    ]);
    if let Some(count) = question.min_cell {
        pairs.push(pair("minCell", RestrictedExpression::new_long(i64::from(count))));
    }
    Context::from_pairs(pairs).ok()
}

/// The context of `PassUnattended` and `Oblige`: what is left, and what was decided so far.
pub(super) fn leaving(
    words: &Vocabulary,
    sending: Context,
    requested: &BTreeSet<Category>,
    left: &BTreeSet<Category>,
    rule: &str,
    refused: bool,
) -> Option<Context> {
    sending
        .merge([
            pair("requested", set(&words.category, requested.iter().map(Category::as_str))),
            pair("left", set(&words.category, left.iter().map(Category::as_str))),
            pair("rule", RestrictedExpression::new_string(rule.to_owned())),
            pair("refused", flag(refused)),
        ])
        .ok()
}

/// The context of `Accept`.
pub(super) fn receiving(words: &Vocabulary, question: &Receiving) -> Option<Context> {
    let mut pairs = header(words, &question.header);
    pairs.extend([
        pair("labels", set(&words.category, question.header.categories.iter().map(Category::as_str))),
        pair("consentWithdrawn", flag(question.consent_withdrawn)),
        pair("retentionDays", RestrictedExpression::new_long(i64::from(question.retention_days))),
    ]);
    Context::from_pairs(pairs).ok()
}
