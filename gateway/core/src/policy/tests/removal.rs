//! A fact no longer stated never releases more: every fact of every worked case is taken away in turn.
//!
//! Not the rules of one fact. INVARIANT: a fact that `SendFacts` gains is taken away here too, or the list is a lie.

use super::*;

type Change<'c> = &'c dyn Fn(&mut SendFacts);

/// The same facts with one stated fact no longer stated, in every way there is.
fn with_one_fact_removed(facts: &SendFacts) -> Vec<(String, SendFacts)> {
    let mut variants = Vec::new();
    let mut vary = |name: &str, change: Change| {
        let mut variant = facts.clone();
        change(&mut variant);
        variants.push((name.to_owned(), variant));
    };
    person(&mut vary);
    basis(&mut vary);
    step(&mut vary);
    variants
}

fn person(vary: &mut impl FnMut(&str, Change)) {
    for flag in Flag::ALL {
        vary(flag.code(), &|f| f.subject.flags.retain(|known, _| known != flag));
    }
    vary("flags", &|f| f.subject.flags.clear());
    vary("kind", &|f| f.subject.kind = Kind::Unknown);
    vary("age", &|f| f.subject.age = None);
    vary("nationality", &|f| f.subject.nationality = None);
    vary("residence", &|f| f.subject.residence = None);
    vary("risk_countries", &|f| f.subject.risk_countries = None);
    vary("protection", &|f| f.subject.protection = Protection::Unknown);
}

/// The same facts without one of the three that make the feared set.
pub(super) fn of_the_feared_set(facts: &SendFacts) -> Vec<(&'static str, SendFacts)> {
    let without = |name, change: fn(&mut Subject)| {
        let mut variant = facts.clone();
        change(&mut variant.subject);
        (name, variant)
    };
    vec![
        without("nationality", |s| s.nationality = None),
        without("residence", |s| s.residence = None),
        without("risk_countries", |s| s.risk_countries = None),
    ]
}

fn basis(vary: &mut impl FnMut(&str, Change)) {
    vary("basis", &|f| f.basis.basis = BasisType::None);
    vary("agreement", &|f| f.basis.agreement = None);
    let mut agreement = |name: &str, change: &dyn Fn(&mut AgreementClaim)| {
        vary(name, &|f| f.basis.agreement.iter_mut().for_each(change));
    };
    agreement("agreement.standing", &|a| a.standing = Standing::Absent);
    agreement("agreement.covers_biometrics", &|a| a.covers_biometrics = None);
    // Beside best interests a consent is an addition, and without one the message rests on another basis.
    vary("consent", &|f| {
        if f.basis.basis == BasisType::Consent {
            f.basis.consent = None;
        }
    });
    let mut consent = |name: &str, change: &dyn Fn(&mut Consent)| {
        vary(name, &|f| f.basis.consent.iter_mut().for_each(change));
    };
    consent("status", &|c| c.status = ConsentStatus::Unknown);
    consent("expires_at", &|c| c.expires_at = None);
    consent("purposes", &|c| c.purposes = Scope::Unstated);
    consent("recipients", &|c| c.recipients = Scope::Unstated);
    consent("categories", &|c| c.categories = Scope::Unstated);
    consent("given_by", &|c| c.given_by = GivenBy::Unknown);
    consent("assent", &|c| c.assent = None);
    consent("understood", &|c| c.understood = None);
    consent("conditional", &|c| c.conditional = None);
    consent("blanket", &|c| c.blanket = None);
    consent("evidence", &|c| c.evidence = None);
}

fn step(vary: &mut impl FnMut(&str, Change)) {
    vary("approvals", &|f| f.approvals.clear());
    for approval in
        [Approval::SenderChildProtection, Approval::RecipientChildProtection, Approval::MissingChildAuthority]
    {
        vary(approval.code(), &|f| f.approvals.retain(|given| *given != approval));
    }
    vary("released_holds", &|f| f.released_holds.clear());
    vary("notice_hours", &|f| f.stated.notice_hours = None);
    vary("sla_hours", &|f| f.stated.sla_hours = None);
    vary("planned_local_hour", &|f| f.stated.planned_local_hour = None);
    vary("mandatory_notification", &|f| f.stated.mandatory_notification = Known::Unknown);
    vary("identity_proven", &|f| f.stated.identity_proven = Known::Unknown);
    vary("originator_authorises", &|f| f.stated.originator_authorises = Known::Unknown);
    vary("court_order", &|f| f.stated.court_order = Known::Unknown);
    vary("adequacy_equivalent", &|f| f.stated.adequacy_equivalent = Known::Unknown);
    vary("sender_requires_adequacy", &|f| f.stated.sender_requires_adequacy = Known::Unknown);
    vary("legal_hold", &|f| f.stated.legal_hold = Known::Unknown);
}

#[test]
fn a_fact_no_longer_stated_never_releases_more() {
    let engine = engine();
    let mut wrong = Vec::new();
    for (id, facts) in worked() {
        let before = engine.send(&facts);
        for (removed, variant) in with_one_fact_removed(&facts) {
            let after = engine.send(&variant);
            if !is_no_more(&after, &before) {
                let (before, after) = ((before.outcome, &before.rule), (after.outcome, &after.rule));
                wrong.push(format!("{id} without {removed}: {before:?} became {after:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
