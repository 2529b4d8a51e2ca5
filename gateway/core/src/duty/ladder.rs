//! How long an alert may stay held or unanswered, and who is woken up meanwhile: data, by message type.
//!
//! Not here: who is on duty (`roster`). INVARIANT: every ladder of an answer wakes the receiving authority's officer at once
//! and somebody on the sending side before the term ends; every ladder of a held alert wakes those who may release it at
//! once and the operators before its term ends.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::delivery::Side;
use crate::ids::MessageType;

/// The file of a policy set that holds the terms.
pub const DEADLINES: &str = "deadlines.json";

/// Most rungs of one ladder.
const MAX_RUNGS: usize = 16;

/// Longest term, minutes: a month.
const MAX_MINUTES: u32 = 43_200;

/// The member of the file that holds the terms of held alerts; every other one is a message type, but for `national` and
/// the next.
const HELD: &str = "held";

/// The member that holds the terms within which a peer's receipt has to prove an end.
const PROVEN: &str = "proven";

/// Whom a rung wakes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wake {
    /// The officer on duty of the agency concerned.
    Officer,
    /// Their deputy.
    Deputy,
    /// Their supervisor.
    Supervisor,
    /// The operator of this node.
    Operator,
}

impl Wake {
    /// The one woken, as a metric label and as it is shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Officer => "officer",
            Self::Deputy => "deputy",
            Self::Supervisor => "supervisor",
            Self::Operator => "operator",
        }
    }
}

/// One step of an escalation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rung {
    /// Minutes of silence after which it is climbed.
    pub after_minutes: u32,
    /// On which side.
    pub side: Side,
    /// Who is woken up.
    pub wake: Wake,
}

/// The clocks of one type of alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    /// Minutes within which an officer answers.
    #[serde(rename = "reply_minutes")]
    pub answer_minutes: u32,
    /// Minutes within which somebody first acts; `None` where nothing was promised.
    #[serde(rename = "first_action_minutes", default, skip_serializing_if = "Option::is_none")]
    pub act_minutes: Option<u32>,
    /// Hours for which a broadcast is shown; `None` for what is no broadcast.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_hours: Option<u32>,
    /// Minutes within which an answer taken by telephone is signed by the one who gave it.
    #[serde(default = "a_day")]
    pub countersign_minutes: u32,
    /// The escalation, in the order of its minutes.
    pub ladder: Vec<Rung>,
}

const fn a_day() -> u32 {
    1_440
}

/// The terms of alerts that policy holds, of several types at once.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HeldTerm {
    types: Vec<MessageType>,
    /// Minutes within which somebody decides.
    decide_minutes: u32,
    ladder: Vec<HeldRung>,
}

/// One step of its escalation; it is the sending side's alone.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HeldRung {
    after_minutes: u32,
    wake: Wake,
}

impl HeldTerm {
    fn term(&self) -> Term {
        let rung =
            |rung: &HeldRung| Rung { after_minutes: rung.after_minutes, side: Side::Sender, wake: rung.wake };
        Term {
            answer_minutes: self.decide_minutes,
            act_minutes: None,
            display_hours: None,
            countersign_minutes: a_day(),
            ladder: self.ladder.iter().map(rung).collect(),
        }
    }
}

/// The terms of what a peer's receipt has to prove, of several types at once.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProvenTerm {
    types: Vec<MessageType>,
    /// Minutes within which the receipt comes.
    within_minutes: u32,
}

/// Why terms are not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LadderError {
    /// The file is not a JSON object of terms by message type.
    #[error("deadlines are not a JSON object by message type")]
    Form,
    /// The terms of one type are not of their form.
    #[error("terms of `{0}` are not of their form")]
    Term(String),
    /// A ladder leaves somebody asleep.
    #[error("ladder of `{message_type}`: {defect}")]
    Ladder {
        /// Of which type.
        message_type: String,
        /// What is wrong with it.
        defect: &'static str,
    },
}

/// The terms of every type of alert that somebody has to answer, or to release where policy holds it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ladders {
    answered: BTreeMap<MessageType, Term>,
    held: BTreeMap<MessageType, Term>,
    proven: BTreeMap<MessageType, Term>,
}

impl Ladders {
    /// Reads the terms of a policy set; types without a ladder have no clock that somebody must stop.
    ///
    /// # Errors
    /// When the file or one ladder in it is not sound: a set with half an escalation is not put in force.
    pub fn load(deadlines: &[u8]) -> Result<Self, LadderError> {
        let value = crate::json::parse(deadlines, crate::json::MAX_DEPTH).map_err(|_| LadderError::Form)?;
        let Value::Object(mut types) = value else { return Err(LadderError::Form) };
        let mut ladders = Self {
            held: held(types.remove(HELD))?,
            proven: proven(types.remove(PROVEN))?,
            ..Self::default()
        };
        for (name, terms) in types {
            if terms.get("ladder").is_none() {
                continue;
            }
            let message_type: MessageType = name.parse().map_err(|_| LadderError::Term(name.clone()))?;
            let term: Term = serde_json::from_value(terms).map_err(|_| LadderError::Term(name.clone()))?;
            let term = sound(&name, term, Side::Receiver)?;
            ladders.answered.insert(message_type, term);
        }
        Ok(ladders)
    }

    /// The terms of a type, when an alert of it has to be answered.
    #[must_use]
    pub fn of(&self, message_type: &MessageType) -> Option<&Term> {
        self.answered.get(message_type)
    }

    /// The terms within which a held message of a type is decided on, when somebody is called over it.
    #[must_use]
    pub fn held(&self, message_type: &MessageType) -> Option<&Term> {
        self.held.get(message_type)
    }

    /// The terms within which the peer's receipt proves a message of a type, when people are told that it does not.
    #[must_use]
    pub fn proven(&self, message_type: &MessageType) -> Option<&Term> {
        self.proven.get(message_type)
    }

    /// Every type that has to be answered, with its terms.
    pub fn iter(&self) -> impl Iterator<Item = (&MessageType, &Term)> {
        self.answered.iter()
    }
}

fn groups<T: DeserializeOwned>(name: &str, groups: Option<Value>) -> Result<Vec<T>, LadderError> {
    let groups = groups.unwrap_or_else(|| Value::Array(Vec::new()));
    serde_json::from_value(groups).map_err(|_| LadderError::Term(name.to_owned()))
}

fn proven(found: Option<Value>) -> Result<BTreeMap<MessageType, Term>, LadderError> {
    let mut terms = BTreeMap::new();
    for ProvenTerm { types, within_minutes } in groups(PROVEN, found)? {
        if !(1..=MAX_MINUTES).contains(&within_minutes) {
            return Err(LadderError::Term(PROVEN.to_owned()));
        }
        let term = Term {
            answer_minutes: within_minutes,
            act_minutes: None,
            display_hours: None,
            countersign_minutes: a_day(),
            ladder: Vec::new(),
        };
        terms.extend(types.into_iter().map(|message_type| (message_type, term.clone())));
    }
    Ok(terms)
}

fn held(found: Option<Value>) -> Result<BTreeMap<MessageType, Term>, LadderError> {
    let mut terms = BTreeMap::new();
    for group in groups::<HeldTerm>(HELD, found)? {
        let term = sound(HELD, group.term(), Side::Sender)?;
        terms.extend(group.types.into_iter().map(|message_type| (message_type, term.clone())));
    }
    Ok(terms)
}

/// The term in the order of its minutes, when it leaves nobody asleep whose turn begins on this side.
fn sound(name: &str, mut term: Term, first: Side) -> Result<Term, LadderError> {
    if let Some(defect) = defect(&term, first) {
        return Err(LadderError::Ladder { message_type: name.to_owned(), defect });
    }
    term.ladder.sort_by_key(|rung| rung.after_minutes);
    Ok(term)
}

fn defect(term: &Term, first: Side) -> Option<&'static str> {
    let at_once = |rung: &Rung| rung.after_minutes == 0 && rung.side == first && rung.wake == Wake::Officer;
    let minutes = [term.answer_minutes, term.act_minutes.unwrap_or(1), term.countersign_minutes];
    let minutes = minutes.into_iter().chain(term.display_hours);
    if minutes.clone().any(|minutes| !(1..=MAX_MINUTES).contains(&minutes)) {
        Some("a term is not between one minute and a month")
    } else if term.ladder.len() > MAX_RUNGS {
        Some("it has too many rungs")
    } else if term.ladder.iter().any(|rung| rung.after_minutes >= term.answer_minutes) {
        Some("a rung comes after the term")
    } else if !term.ladder.iter().any(at_once) {
        Some("the officer whose turn it is is not woken up at once")
    } else if !term.ladder.iter().any(|rung| rung.side == Side::Sender) {
        Some("nobody on the sending side is woken up")
    } else if first == Side::Sender && !term.ladder.iter().any(|rung| rung.wake == Wake::Operator) {
        Some("no operator hears of what is held")
    } else {
        None
    }
}
