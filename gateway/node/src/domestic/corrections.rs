//! The rows of a list as they stand after their amendments, each with what it said before, when and by whom it was changed.
//!
//! Nothing is merged in the store: a row and its amendments stay messages of their own, and this is read from them. Not
//! here: who may read them (`operations`). INVARIANT: a row is changed by messages of its own sender's country only, and no
//! earlier value is lost.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use puente_core::delivery::MessageRow;
use puente_core::envelope::{VerifiedInner, VerifiedOuter};
use puente_core::ids::{AgencyId, CaseId, Category, CountryCode, MessageId};
use puente_core::personal::Personal;
use puente_core::problem::Problem;

/// The type of a row.
pub(super) const ROW: &str = "return.manifest";

/// The type that adds, corrects or removes one.
pub(super) const AMENDMENT: &str = "return.manifest.amend";

/// The category that says what an amendment does.
const LOGISTICS: &str = "return.logistics";

/// What it says of the amendment itself, and not of the journey.
const OF_THE_AMENDMENT: [&str; 2] = ["change", "reason"];

/// A message with its content, or why that does not open.
pub(super) type Handed = (MessageRow, Result<(VerifiedOuter, VerifiedInner), Problem>);

type Sections = BTreeMap<Category, Personal<Value>>;

/// One change of a row.
#[derive(Debug)]
pub(super) struct Change {
    /// The amendment.
    pub(super) message: MessageId,
    /// `add`, `edit` or `remove`.
    pub(super) change: String,
    reason: Option<String>,
    /// When it was said, seconds.
    pub(super) at: i64,
    country: CountryCode,
    agency: AgencyId,
    /// What each changed category said before; nothing where there was none.
    before: BTreeMap<Category, Option<Personal<Value>>>,
}

impl Change {
    /// The change with its author, its hour and the earlier values.
    pub(super) fn shown(&self) -> Value {
        json!({"change": self.change, "reason": self.reason, "at": self.at,
               "by": {"country": self.country, "agency": self.agency}, "before": self.before})
    }
}

/// A row as it stands.
#[derive(Debug)]
pub(super) struct Standing {
    /// The message that put it on the list.
    pub(super) row: MessageRow,
    /// Its content by now.
    pub(super) sections: Sections,
    /// Whether it was taken off the list.
    pub(super) removed: bool,
    /// What changed it, in the order in which it was said.
    pub(super) changes: Vec<Change>,
}

impl Standing {
    /// The content of one category by now.
    pub(super) fn section(&self, category: &str) -> Option<&Value> {
        self.sections.iter().find(|(name, _)| name.as_str() == category).map(|(_, value)| value.reveal())
    }
}

/// A row that does not open here, and is on the list all the same.
#[derive(Debug)]
pub(super) struct Unopened {
    /// The message that put it there.
    pub(super) row: MessageRow,
    /// Why it does not.
    pub(super) why: Problem,
}

/// A row that stands, or one that does not open.
pub(super) type Listed = Result<Standing, Unopened>;

struct Amendment {
    row: MessageRow,
    after: Option<MessageId>,
    change: Change,
    sections: Sections,
}

/// The rows in the order of the list, then those that were added; amendments that do not open change nothing.
pub(super) fn fold(handed: Vec<Handed>) -> Vec<Listed> {
    let (mut listed, mut amendments): (Vec<Listed>, Vec<Amendment>) = (Vec::new(), Vec::new());
    for (row, opened) in handed {
        let is_row = row.message_type.as_str() == ROW;
        match opened {
            Ok((_, inner)) if is_row => {
                let sections = inner.sections().clone();
                listed.push(Ok(Standing { row, sections, removed: false, changes: Vec::new() }));
            }
            Ok((outer, inner)) => amendments.push(read(row, &outer, &inner)),
            Err(why) if is_row => listed.push(Err(Unopened { row, why })),
            Err(_) => {}
        }
    }
    // A predecessor that came late must not undo what was said after it.
    amendments.sort_by_key(|amendment| (amendment.change.at, amendment.change.message));
    let mut places: BTreeMap<MessageId, usize> = BTreeMap::new();
    let mut cases: BTreeMap<(CountryCode, CaseId), Vec<usize>> = BTreeMap::new();
    for (place, standing) in listed.iter().enumerate() {
        if let Ok(Standing { row, .. }) = standing {
            places.insert(row.message, place);
            cases.entry((row.peer.clone(), row.case)).or_default().push(place);
        }
    }
    for amendment in amendments {
        let (message, case) = (amendment.row.message, (amendment.row.peer.clone(), amendment.row.case));
        let named = amendment.after.and_then(|after| places.get(&after).copied());
        let alone = match cases.get(&case).map(Vec::as_slice) {
            Some([only]) => Some(*only),
            _ => None,
        };
        let of_its_country = |place: &usize| {
            listed.get(*place).and_then(|row| row.as_ref().ok()).is_some_and(|row| row.row.peer == case.0)
        };
        match named.or(alone).filter(of_its_country) {
            Some(place) => {
                places.insert(message, place);
                if let Some(Ok(standing)) = listed.get_mut(place) {
                    apply(standing, amendment);
                }
            }
            None if amendment.change.change == "add" => {
                places.insert(message, listed.len());
                cases.entry(case).or_default().push(listed.len());
                listed.push(Ok(added(amendment)));
            }
            // Its row is not the caller's to see, or is gone.
            None => {}
        }
    }
    listed
}

fn read(row: MessageRow, outer: &VerifiedOuter, inner: &VerifiedInner) -> Amendment {
    let claims = outer.claims();
    let mut sections = inner.sections().clone();
    let said = |name: &str| inner.section(LOGISTICS)?.get(name).and_then(Value::as_str).map(str::to_owned);
    let change = Change {
        message: row.message,
        change: said("change").unwrap_or_default(),
        reason: said("reason"),
        at: claims.iat,
        country: claims.iss.clone(),
        agency: claims.puente.sender.agency.clone(),
        before: BTreeMap::new(),
    };
    for (_, section) in sections.iter_mut().filter(|(category, _)| category.as_str() == LOGISTICS) {
        *section = Personal::new(of_the_journey(section.reveal()));
    }
    Amendment { after: claims.puente.after, row, change, sections }
}

fn of_the_journey(logistics: &Value) -> Value {
    let Value::Object(members) = logistics else { return logistics.clone() };
    let kept = members.iter().filter(|(name, _)| !OF_THE_AMENDMENT.contains(&name.as_str()));
    Value::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>())
}

fn apply(standing: &mut Standing, amendment: Amendment) {
    let Amendment { mut change, sections, .. } = amendment;
    standing.removed = change.change == "remove";
    for (category, section) in sections {
        let before = standing.sections.insert(category.clone(), section.clone());
        if before.as_ref() != Some(&section) {
            change.before.insert(category, before);
        }
    }
    standing.changes.push(change);
}

fn added(amendment: Amendment) -> Standing {
    let Amendment { row, change, sections, .. } = amendment;
    Standing { row, sections, removed: false, changes: vec![change] }
}
