//! How long an alert may stay unanswered, and who is woken up meanwhile: data, by message type.
//!
//! Not here: who is on duty (`roster`). INVARIANT: every ladder wakes the receiving authority's officer at once and
//! somebody on the sending side before the term ends.

use std::collections::BTreeMap;

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
    /// Minutes within which an answer taken by telephone is signed by the one who gave it.
    #[serde(default = "a_day")]
    pub countersign_minutes: u32,
    /// The escalation, in the order of its minutes.
    pub ladder: Vec<Rung>,
}

const fn a_day() -> u32 {
    1_440
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

/// The terms of every type of alert that somebody has to answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ladders(BTreeMap<MessageType, Term>);

impl Ladders {
    /// Reads the terms of a policy set; types without a ladder have no clock that somebody must stop.
    ///
    /// # Errors
    /// When the file or one ladder in it is not sound: a set with half an escalation is not put in force.
    pub fn load(deadlines: &[u8]) -> Result<Self, LadderError> {
        let value = crate::json::parse(deadlines, crate::json::MAX_DEPTH).map_err(|_| LadderError::Form)?;
        let Value::Object(types) = value else { return Err(LadderError::Form) };
        let mut ladders = BTreeMap::new();
        for (name, terms) in types {
            if terms.get("ladder").is_none() {
                continue;
            }
            let message_type: MessageType = name.parse().map_err(|_| LadderError::Term(name.clone()))?;
            let mut term: Term =
                serde_json::from_value(terms).map_err(|_| LadderError::Term(name.clone()))?;
            if let Some(defect) = defect(&term) {
                return Err(LadderError::Ladder { message_type: name, defect });
            }
            term.ladder.sort_by_key(|rung| rung.after_minutes);
            ladders.insert(message_type, term);
        }
        Ok(Self(ladders))
    }

    /// The terms of a type, when an alert of it has to be answered.
    #[must_use]
    pub fn of(&self, message_type: &MessageType) -> Option<&Term> {
        self.0.get(message_type)
    }

    /// Every type with its terms.
    pub fn iter(&self) -> impl Iterator<Item = (&MessageType, &Term)> {
        self.0.iter()
    }
}

fn defect(term: &Term) -> Option<&'static str> {
    let at_once =
        |rung: &Rung| rung.after_minutes == 0 && rung.side == Side::Receiver && rung.wake == Wake::Officer;
    let minutes = [term.answer_minutes, term.act_minutes.unwrap_or(1), term.countersign_minutes];
    if minutes.iter().any(|minutes| !(1..=MAX_MINUTES).contains(minutes)) {
        Some("a term is not between one minute and a month")
    } else if term.ladder.len() > MAX_RUNGS {
        Some("it has too many rungs")
    } else if term.ladder.iter().any(|rung| rung.after_minutes >= term.answer_minutes) {
        Some("a rung comes after the term")
    } else if !term.ladder.iter().any(at_once) {
        Some("the receiving officer is not woken up at once")
    } else if !term.ladder.iter().any(|rung| rung.side == Side::Sender) {
        Some("nobody on the sending side is woken up")
    } else {
        None
    }
}
