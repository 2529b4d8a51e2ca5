//! How problems and rules are told to the sender's own side, Spanish and English.

use puente_core::policy::{PolicyEngine, RuleId};
use puente_core::problem::{Kind, Problem};

use crate::domestic::submit::form::{Finding, Outcome, Reason, Verdict};

/// A problem as a finding at its field.
#[must_use]
pub fn problem_finding(problem: &Problem) -> Finding {
    finding(problem.kind, problem.field.clone().unwrap_or_default())
}

/// A finding of this kind at this place.
pub(super) fn finding(kind: &Kind, field: impl Into<String>) -> Finding {
    Finding {
        code: kind.code.to_owned(),
        field: field.into(),
        es: kind.es.to_owned(),
        en: kind.en.to_owned(),
    }
}

/// A rule with its reasons.
pub(super) fn reason(policy: &PolicyEngine, rule: &RuleId) -> Reason {
    let (es, en) = policy.rule(rule.as_str()).map_or_else(
        || ("Falla al decidir: se niega.".to_owned(), "Failure while deciding: refused.".to_owned()),
        |known| (known.es.clone(), known.en.clone()),
    );
    Reason { id: rule.as_str().to_owned(), es, en }
}

/// The HTTP status of a single submission's answer: 202 for what was taken, 403 or 422 for what was not.
#[must_use]
pub const fn verdict_status(verdict: &Verdict) -> u16 {
    match verdict.verdict {
        Outcome::Accepted | Outcome::Redacted | Outcome::Held => 202,
        Outcome::Refused => 403,
        Outcome::Malformed => 422,
        Outcome::Duplicate => 409,
    }
}
