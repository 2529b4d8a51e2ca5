//! The submission as the domestic API takes it, and what became of it: one message about at most one person.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use puente_core::envelope::{IssuerClaims, RecipientRef, disclosed};
use puente_core::ids::{
    AgreementId, CaseId, Category, ConsentId, MessageId, MessageType, OperationId, Purpose, Role,
};
use puente_core::personal::Personal;
use puente_core::policy::{BasisType, StatedFacts, Subject};

/// The legal basis as submitted; an agreement's standing is looked up here, never stated.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BasisForm {
    /// Which kind.
    #[serde(rename = "type")]
    pub basis: BasisType,
    /// The agreement it rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement: Option<AgreementId>,
    /// The recorded consent it rests on; what it says is looked up here, never stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent_id: Option<ConsentId>,
}

/// One submitted message.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submission {
    /// The row of the sender's list, for the answer; it never leaves the node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<u32>,
    /// Message type.
    #[serde(rename = "type")]
    pub message_type: MessageType,
    /// Version of the type; the newest when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// The role in which the agency acts, when it holds several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Whom it is for.
    pub recipient: RecipientRef,
    /// The thread; a new one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<CaseId>,
    /// The return operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationId>,
    /// The message of the same thread that takes effect before this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<MessageId>,
    /// The message that this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<MessageId>,
    /// The message in whose place it comes, because its recipient has lost the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<MessageId>,
    /// Purpose.
    pub purpose: Purpose,
    /// Legal basis.
    pub legal_basis: BasisForm,
    /// The agency's own reference for the person; only a pairwise pseudonym of it leaves the node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_id: Option<Personal<String>>,
    /// What policy needs to know of the person; never leaves the node.
    #[serde(default)]
    pub subject: Subject,
    /// What policy needs to know of the step.
    #[serde(default)]
    pub facts: StatedFacts,
    /// Content by category; may be left out when `signed` discloses it.
    pub sections: BTreeMap<Category, Personal<Value>>,
    /// What an agency that signs by itself signed: an SD-JWT with every disclosure (RFC 9901 section 4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<Personal<String>>,
}

impl Submission {
    /// Reads a submission from JSON that was strictly read; the sections, most of its bytes, are moved and not
    /// built a second time. Without `sections` the content is what `signed` discloses, still unverified.
    ///
    /// # Errors
    /// When a field is missing, unknown or of another form.
    pub fn from_json(mut item: Value) -> Result<Self, serde_json::Error> {
        if let (None, Some(signed)) = (item.get("sections"), item.get("signed")) {
            let sections = signed.as_str().and_then(disclosed);
            let sections = sections.ok_or_else(|| serde_json::Error::custom("`signed` is no SD-JWT"))?;
            item["sections"] = Value::Object(Map::new());
            return Ok(Self { sections, ..serde_json::from_value(item)? });
        }
        let sections = match item.get_mut("sections") {
            Some(Value::Object(sections)) => std::mem::take(sections),
            // Another form, or none: the reader below says so.
            _ => Map::new(),
        };
        let mut submission: Self = serde_json::from_value(item)?;
        for (category, section) in sections {
            let category = category.parse().map_err(serde_json::Error::custom)?;
            submission.sections.insert(category, Personal::new(section));
        }
        Ok(submission)
    }
}

/// What would or did become of one submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The row of the sender's list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<u32>,
    /// accepted, redacted, held, refused, malformed or duplicate.
    pub verdict: Outcome,
    /// The message, when one was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// The thread it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<CaseId>,
    /// The approval that it waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_id: Option<puente_core::ids::ApprovalId>,
    /// The refusal that the sender has to answer, or that waits for an authority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal_id: Option<puente_core::ids::StopId>,
    /// The authority to refer to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refer_to: Option<puente_core::ids::AgencyId>,
    /// The steps that a child's case allows instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<MessageType>,
    /// The determining rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Reason>,
    /// Categories removed, each with its rule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<Removal>,
    /// Obligations that come with the permit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub obligations: Vec<String>,
    /// What is wrong, cell by cell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Finding>,
    /// What should be looked at; never a reason to refuse.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Finding>,
    /// What the agency has to sign for it to leave so: in a dry run of an agency that signs by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign: Option<Box<ToSign>>,
}

/// What an agency signs, as its gateway will demand it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToSign {
    /// `typ` of the JWT.
    pub typ: String,
    /// Its claims; only `sections._sd` is still empty.
    pub claims: IssuerClaims,
    /// How many digests `sections._sd` must hold, decoys among them.
    pub digests: usize,
    /// Seconds since the epoch until which it is taken.
    pub until: i64,
}

/// The verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Goes as submitted.
    Accepted,
    /// Goes without some categories.
    Redacted,
    /// Waits for two officers.
    Held,
    /// A rule refuses it.
    Refused,
    /// It is not a message of its type.
    Malformed,
    /// It repeats another row of the same list.
    Duplicate,
}

impl Outcome {
    /// The verdict as a metric label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Redacted => "redacted",
            Self::Held => "held",
            Self::Refused => "refused",
            Self::Malformed => "malformed",
            Self::Duplicate => "duplicate",
        }
    }
}

/// A rule with its reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Rule id.
    pub id: String,
    /// Reason, in Spanish.
    pub es: String,
    /// Reason, in English.
    pub en: String,
}

/// A category that is removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// Which.
    pub category: Category,
    /// Why.
    pub rule: Reason,
}

/// Something wrong or worth a look, at a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable code.
    pub code: String,
    /// Cell, column or JSON Pointer.
    pub field: String,
    /// What and what to do, in Spanish.
    pub es: String,
    /// What and what to do, in English.
    pub en: String,
}

impl Verdict {
    /// A verdict with nothing else to say yet.
    #[must_use]
    pub const fn new(row: Option<u32>, verdict: Outcome) -> Self {
        Self {
            row,
            verdict,
            message_id: None,
            case: None,
            approval_id: None,
            refusal_id: None,
            refer_to: None,
            allowed: Vec::new(),
            rule: None,
            removed: Vec::new(),
            obligations: Vec::new(),
            problems: Vec::new(),
            warnings: Vec::new(),
            sign: None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn item() -> Value {
        json!({
            "type": "return.manifest",
            "recipient": {"country": "GT", "role": "returns_reception"},
            "purpose": "return_reception",
            "legal_basis": {"type": "legal_obligation", "agreement": "MX-GT"},
            "sections": {"language": {"languages": ["mam", "es"]}, "doc.travel": {"kind": "none"}},
        })
    }

    #[test]
    fn moved_sections_are_the_ones_that_a_reader_would_build() {
        let moved = Submission::from_json(item()).unwrap();
        let built: Submission = serde_json::from_value(item()).unwrap();
        assert_eq!(serde_json::to_value(&moved).unwrap(), serde_json::to_value(&built).unwrap());
    }

    #[test]
    fn a_submission_cannot_state_the_standing_of_its_agreement() {
        let mut claimed = item();
        claimed["legal_basis"]["agreement"] = json!({"id": "MX-GT", "standing": "in_force"});
        assert!(Submission::from_json(claimed).is_err());
    }

    #[test]
    fn sections_that_are_missing_or_of_another_form_are_refused_as_before() {
        for sections in [Value::Null, json!([]), json!({"Not A Category": {}})] {
            let mut other = item();
            *other.get_mut("sections").unwrap() = sections;
            assert!(Submission::from_json(other).is_err());
        }
        let mut none = item();
        none.as_object_mut().unwrap().remove("sections");
        assert!(Submission::from_json(none).unwrap_err().to_string().starts_with("missing field"));
        assert!(Submission::from_json(json!(7)).is_err());
    }
}
