//! What became of a person at the door, as the officer presses it, and the message that says so to the country that sent them.
//!
//! Not here: the list (`reception`). INVARIANT: the same press twice is said once; a press that differs is said again, for the
//! last word counts.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use puente_core::ids::{CountryCode, MessageId, OperationId};

use super::alert::{age_in, reply, set};
use super::door::Visit;
use super::opening::{Opened, content};
use super::page::form;
use super::reach::{Trouble, each, text};
use super::reception::is_row;
use super::words::Words;
use super::{Desk, Room};

/// Presses that a desk remembers: the people of many days.
const MAX_REMEMBERED: usize = 10_000;

/// What became of a person, as codes of `arrival_status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    /// Came.
    Arrived,
    /// Was not on board.
    NoShow,
    /// Is no national of this country.
    NotNational,
    /// Came and is on no list.
    Unlisted,
}

impl Status {
    /// In words.
    pub(super) const fn word(self, words: &Words) -> &'static str {
        match self {
            Self::Arrived => words.arrived,
            Self::NoShow => words.no_show,
            Self::NotNational => words.not_national,
            Self::Unlisted => words.unlisted,
        }
    }
}

#[derive(Default)]
struct Remembered {
    by_row: BTreeMap<String, (Status, i64)>,
    order: VecDeque<String>,
}

/// What was pressed at this desk, in memory only: the node holds what was sent, sealed to the other country.
#[derive(Default)]
pub(super) struct Arrivals(Mutex<Remembered>);

impl Arrivals {
    /// What was last pressed of a row, and when.
    pub(super) fn of(&self, row: &str) -> Option<(Status, i64)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).by_row.get(row).copied()
    }

    fn remember(&self, row: String, status: Status, at_ms: i64) {
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.by_row.insert(row.clone(), (status, at_ms)).is_none() {
            remembered.order.push_back(row);
        }
        if remembered.order.len() > MAX_REMEMBERED
            && let Some(oldest) = remembered.order.pop_front()
        {
            remembered.by_row.remove(&oldest);
        }
    }
}

#[derive(Deserialize)]
struct Press {
    row: MessageId,
    status: Status,
    /// Ticked when the person has expressed fear or asked for protection.
    fear: Option<String>,
}

/// `POST /operations/{id}/arrival`.
pub(super) async fn press(
    State(room): State<Arc<Room>>,
    visit: Visit,
    Path(id): Path<OperationId>,
    body: Body,
) -> Response {
    let page = format!("/operations/{id}");
    let done = async {
        let press: Press = form(&visit, body).await?;
        let row = press.row.to_string();
        if room.desk.arrivals.of(&row).is_none_or(|(status, _)| status != press.status) {
            let opened = content(&room.desk, &row).await?;
            room.desk.submit(&arrival(&room.desk, &opened, id, press.status, press.fear.is_some())).await?;
            room.desk.arrivals.remember(row.clone(), press.status, room.desk.now_ms());
        }
        Ok::<_, Trouble>(row)
    };
    match done.await {
        // Back to the row, where its state stands.
        Ok(row) => Redirect::to(&format!("{page}#row-{row}")).into_response(),
        Err(trouble) => room.next(&visit, &page, Err(trouble)),
    }
}

fn metadata(desk: &Desk, operation: OperationId, status: Status) -> Value {
    let now = desk.now();
    let at = now.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
    let mut metadata = json!({
        "status": status, "at": at, "recorded_at": at, "captured": "screen", "operation": operation,
    });
    // A zone of one word, such as UTC, is none of a place.
    let zone = desk.zone.iana_name().filter(|name| name.contains('/'));
    set(&mut metadata, [("zone", zone.map(|zone| json!(zone)))]);
    metadata
}

/// What the node needs to know of the person to decide whether the answer may leave.
fn person(desk: &Desk, core: Option<&Value>, fear: bool) -> Value {
    let age = core.and_then(|core| age_in(core, desk.now().date()));
    let kind = match age {
        Some(age) if age < 18 => "child",
        Some(_) => "adult",
        None => "unknown",
    };
    let nationality = core.and_then(|core| each(core, "nationalities").next()).cloned();
    let protection = if fear { "sought" } else { "none_expressed" };
    let mut person = json!({"kind": kind, "risk_countries": [], "protection": protection, "flags": {"age_disputed": "no"}});
    let stated = [
        ("age", age.map(|age| json!(age))),
        ("nationality", nationality.clone()),
        ("residence", nationality),
    ];
    set(&mut person, stated);
    person
}

fn arrival(desk: &Desk, row: &Opened, operation: OperationId, status: Status, fear: bool) -> Value {
    let mut arrival = reply(row, "return.arrival");
    let sections = json!({"ops.metadata": metadata(desk, operation, status)});
    let stated = [
        ("purpose", Some(json!("return_reconciliation"))),
        ("operation", Some(json!(operation))),
        ("subject", Some(person(desk, row.sections.get("id.core"), fear))),
        ("sections", Some(sections)),
    ];
    set(&mut arrival, stated);
    arrival
}

/// Somebody who is on no list, as they say of themselves.
#[derive(Deserialize)]
struct Unlisted {
    given_names: String,
    first_surname: String,
    #[serde(default)]
    second_surname: String,
    sex: String,
    age: u8,
    nationality: String,
    fear: Option<String>,
}

/// `POST /operations/{id}/unlisted`.
pub(super) async fn unlisted(
    State(room): State<Arc<Room>>,
    visit: Visit,
    Path(id): Path<OperationId>,
    body: Body,
) -> Response {
    let done = async {
        let unlisted: Unlisted = form(&visit, body).await?;
        let answer = room.desk.get(&format!("/v1/operations/{id}")).await?;
        let row = each(&answer, "messages").find(|message| is_row(message)).ok_or(Trouble::NotHere)?;
        let row = content(&room.desk, text(row, "message_id")).await?;
        room.desk.submit(&unlisted_arrival(&room.desk, &row, id, unlisted)?).await
    };
    let done = done.await.map(|_| -> fn(&Words) -> &'static str { |words| words.unlisted_done });
    room.next(&visit, &format!("/operations/{id}"), done)
}

/// To the country that sent the others: somebody came whom it did not announce.
fn unlisted_arrival(
    desk: &Desk,
    beside: &Opened,
    operation: OperationId,
    unlisted: Unlisted,
) -> Result<Value, Trouble> {
    let nationality: CountryCode =
        unlisted.nationality.trim().to_uppercase().parse().map_err(|_| Trouble::Form)?;
    let mut core = json!({
        "given_names": unlisted.given_names.trim(), "first_surname": unlisted.first_surname.trim(),
        "sex": unlisted.sex, "age": unlisted.age, "age_estimated": true, "nationalities": [nationality],
    });
    let second = unlisted.second_surname.trim();
    set(&mut core, [("second_surname", (!second.is_empty()).then(|| json!(second)))]);
    let subject = person(desk, Some(&core), unlisted.fear.is_some());
    let mut arrival = arrival(desk, beside, operation, Status::Unlisted, false);
    if let Value::Object(members) = &mut arrival {
        members.remove("in_reply_to");
        members.remove("case");
    }
    let sections = json!({"ops.metadata": metadata(desk, operation, Status::Unlisted), "id.core": core});
    set(&mut arrival, [("subject", Some(subject)), ("sections", Some(sections))]);
    Ok(arrival)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_press_of_a_row_is_remembered_and_the_oldest_row_goes_first() {
        let arrivals = Arrivals::default();
        arrivals.remember("a".to_owned(), Status::Arrived, 1);
        arrivals.remember("a".to_owned(), Status::NoShow, 2);
        assert_eq!(arrivals.of("a"), Some((Status::NoShow, 2)));
        for row in 0..MAX_REMEMBERED {
            arrivals.remember(format!("row-{row}"), Status::Arrived, 3);
        }
        assert_eq!((arrivals.of("a"), arrivals.of("row-0")), (None, Some((Status::Arrived, 3))));
    }
}
