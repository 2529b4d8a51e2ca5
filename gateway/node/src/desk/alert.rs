//! One alert: its card, all it says, and what an officer signs about it: that they take it, that they acted, that they were
//! told by telephone.
//!
//! Not here: the list (`inbox`). INVARIANT: what goes back to the other country rests on what the alert itself rests on, and
//! what is stated of the child is what the alert says, but for the one thing that the officer is asked.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use jiff::civil::{Date, DateTime};
use serde::Deserialize;
use serde_json::{Value, json};

use puente_core::approval::Captured;
use puente_core::duty::{Acted, TYP_ACTED, TYP_TAKEN, TYP_TELEPHONE, Taken, Telephoned};
use puente_core::ids::MessageId;
use puente_core::personal::Personal;

use crate::client::Decided;

use super::clock::hour;
use super::door::Visit;
use super::inbox::Standing;
use super::labels::{Labels, Section};
use super::opening::{Opened, content};
use super::page::{Frame, Place, form};
use super::reach::{Trouble, each, number, text};
use super::words::{Language, Words};
use super::{Desk, Room};

/// What an officer sees at a glance; without `Debug`, for it is content.
struct Card {
    lines: Vec<(&'static str, String)>,
    specialised: bool,
}

struct Called {
    at: String,
    as_what: &'static str,
    contact: String,
    state: &'static str,
}

#[derive(Template)]
#[template(path = "alert.html")]
struct AlertPage {
    frame: Frame,
    alert: Standing,
    now_ms: i64,
    opened_at: String,
    from: Option<String>,
    card: Option<Card>,
    by_node: bool,
    sections: Vec<Section>,
    calls: Vec<Called>,
    now: String,
}

/// `GET /alerts/{id}`.
pub(super) async fn show(State(room): State<Arc<Room>>, visit: Visit, Path(id): Path<MessageId>) -> Response {
    let page = alert(&room, &visit, id).await;
    room.show(&visit, Place::Inbox, page)
}

async fn alert(room: &Room, visit: &Visit, id: MessageId) -> Result<AlertPage, Trouble> {
    let (desk, language) = (&room.desk, visit.language);
    let labels = desk.labels().await?;
    let watched = desk.get(&format!("/v1/alerts/{id}")).await?;
    let alert = Standing::of(&watched, &labels, language, desk.now_ms());
    let opened = if alert.is_ours { Some(content(desk, &id.to_string()).await?) } else { None };
    let sections = opened.iter().flat_map(|opened| &opened.sections);
    let sections = sections.map(|(name, section)| labels.section(name, section, language)).collect();
    Ok(AlertPage {
        frame: room.frame(visit, Place::Inbox),
        alert,
        now_ms: desk.now_ms(),
        opened_at: number(&watched, "opened_ms").map(|at| hour(at, &desk.zone)).unwrap_or_default(),
        from: opened.as_ref().map(|opened| sender(opened, &labels, language)),
        card: opened.as_ref().map(|opened| card(opened, desk, &labels, language)),
        by_node: opened.as_ref().is_some_and(|opened| opened.by_node),
        sections,
        calls: each(&watched, "calls").map(|call| called(call, desk, language.words())).collect(),
        now: desk.now().strftime("%Y-%m-%dT%H:%M").to_string(),
    })
}

fn sender(opened: &Opened, labels: &Labels, language: Language) -> String {
    let role = labels.role(text(&opened.from, "role"), language);
    format!(
        "{} ({role}), {}",
        text(&opened.from, "agency"),
        labels.country(text(&opened.from, "country"), language)
    )
}

fn card(opened: &Opened, desk: &Desk, labels: &Labels, language: Language) -> Card {
    let words = language.words();
    let said = |category: &str, member: &str| {
        let value = opened.at(category, member);
        value.map(|value| labels.value(&format!("{category}/{member}"), value, language))
    };
    let or_not = |value: Option<String>| value.unwrap_or_else(|| words.not_stated.to_owned());
    let age = age_of(opened, desk.now().date()).map(|age| {
        let estimated = opened.at("id.core", "age_estimated") == Some(&Value::Bool(true));
        let estimated = if estimated { format!(" ({})", words.age_estimated) } else { String::new() };
        format!("{age} {}{estimated}", words.years)
    });
    let interpreter = opened.at("language", "interpreter_needed") == Some(&Value::Bool(true));
    let languages = said("language", "languages");
    let languages = match (languages, interpreter) {
        (Some(languages), true) => Some(format!("{languages} ({})", words.interpreter)),
        (languages, _) => languages,
    };
    let area: Vec<_> = ["area", "country"].into_iter().filter_map(|name| said("loc.area", name)).collect();
    Card {
        lines: vec![
            (words.age, or_not(age)),
            (words.sex, or_not(said("id.core", "sex"))),
            (words.languages, or_not(languages)),
            (words.status, or_not(said("family.links", "child_status"))),
            (words.area, or_not((!area.is_empty()).then(|| area.join(", ")))),
            (words.needs, or_not(said("needs.services", "codes"))),
        ],
        specialised: opened.at("protection.flag", "specialised_reception") == Some(&Value::Bool(true)),
    }
}

/// Whole years at this day, from the date of birth or as stated.
pub(super) fn age_of(opened: &Opened, today: Date) -> Option<i64> {
    let core = opened.sections.get("id.core")?;
    age_in(core, today)
}

/// As `age_of`, of the section itself.
pub(super) fn age_in(core: &Value, today: Date) -> Option<i64> {
    let born = core.get("birth_date").and_then(Value::as_str).and_then(|date| date.parse::<Date>().ok());
    born.map_or_else(
        || core.get("age").and_then(Value::as_i64),
        |born| {
            let before_birthday = (today.month(), today.day()) < (born.month(), born.day());
            Some(i64::from(today.year()) - i64::from(born.year()) - i64::from(before_birthday))
        },
    )
}

fn called(call: &Value, desk: &Desk, words: &Words) -> Called {
    Called {
        at: number(call, "made_ms").map(|at| hour(at, &desk.zone)).unwrap_or_default(),
        as_what: match text(call, "as") {
            "officer" => words.wake_officer,
            "deputy" => words.wake_deputy,
            "supervisor" => words.wake_supervisor,
            _ => words.wake_operator,
        },
        contact: text(call, "contact").to_owned(),
        state: match text(call, "state") {
            "waits" => words.call_waits,
            "handed" => words.call_handed,
            "spared" => words.call_spared,
            _ => words.call_failed,
        },
    }
}

/// What the officer knows of fear and protection; the node decides with it whether the answer may leave.
#[derive(Deserialize)]
struct Takes {
    phone: String,
    protection: Protection,
}

#[derive(Debug, Clone, Copy, Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
enum Protection {
    NoneExpressed,
    Sought,
    Unknown,
}

/// A telephone in the form of E.164.
fn telephone_in(text: &str) -> Result<String, Trouble> {
    let digits = text.trim().strip_prefix('+').ok_or(Trouble::Form)?;
    let is_number = (7..=15).contains(&digits.len())
        && !digits.starts_with('0')
        && digits.bytes().all(|sign| sign.is_ascii_digit());
    if is_number { Ok(format!("+{digits}")) } else { Err(Trouble::Form) }
}

/// `POST /alerts/{id}/take`.
pub(super) async fn take(
    State(room): State<Arc<Room>>,
    visit: Visit,
    Path(id): Path<MessageId>,
    body: Body,
) -> Response {
    let done = async {
        let takes: Takes = form(&visit, body).await?;
        let phone = telephone_in(&takes.phone)?;
        let opened = content(&room.desk, &id.to_string()).await?;
        let says = Taken { alert: id, phone: Some(Personal::new(phone.clone())) };
        let signed = room.desk.officer.acts(TYP_TAKEN, says, room.desk.at_screen())?;
        room.desk.submit(&acknowledgement(&room.desk, &opened, &phone, takes.protection, &signed)).await
    };
    let done = done.await.map(|_| -> fn(&Words) -> &'static str { |words| words.taken });
    room.next(&visit, &format!("/alerts/{id}"), done)
}

/// The answer that stops the clock on both sides.
fn acknowledgement(desk: &Desk, alert: &Opened, phone: &str, protection: Protection, signed: &str) -> Value {
    let mut answer = reply(alert, "child.alert.ack");
    let nationalities = alert.at("id.core", "nationalities").and_then(Value::as_array);
    let mut nationalities = nationalities.into_iter().flatten();
    let mut subject = json!({
        "kind": "child", "risk_countries": [], "protection": protection, "flags": {"age_disputed": "no"},
    });
    let stated = [
        ("age", age_of(alert, desk.now().date()).map(|age| json!(age))),
        ("nationality", nationalities.next().cloned()),
        ("other_nationalities", Some(nationalities.cloned().collect())),
    ];
    set(&mut subject, stated);
    let metadata = json!({
        "status": "taken", "office": desk.officer.agency, "officer": desk.officer.officer,
        "phone": phone, "statement": signed,
    });
    set(&mut answer, [("subject", Some(subject)), ("sections", Some(json!({"ops.metadata": metadata})))]);
    answer
}

/// A message back to whoever sent this one, in its thread, for its purpose and on its basis.
pub(super) fn reply(to: &Opened, message_type: &str) -> Value {
    let header = &to.header;
    let mut basis = header.get("legal_basis").cloned().unwrap_or_default();
    if text(&basis, "type") == "consent" {
        set(&mut basis, [("consent_id", to.consent.get("id").cloned())]);
    }
    let mut reply = json!({
        "type": message_type, "in_reply_to": to.id, "legal_basis": basis,
        "recipient": {"country": to.from.get("country"), "role": to.from.get("role"), "agency": to.from.get("agency")},
    });
    let role = header.get("recipient").and_then(|recipient| recipient.get("role"));
    let same = ["case", "purpose", "operation"].map(|name| (name, header.get(name).cloned()));
    set(&mut reply, [("role", role.cloned())].into_iter().chain(same));
    reply
}

/// Sets what there is of these members.
pub(super) fn set<'n>(object: &mut Value, members: impl IntoIterator<Item = (&'n str, Option<Value>)>) {
    if let Value::Object(object) = object {
        let present = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        object.extend(present);
    }
}

#[derive(Deserialize)]
struct Acts {
    action: String,
}

/// `POST /alerts/{id}/act`.
pub(super) async fn act(
    State(room): State<Arc<Room>>,
    visit: Visit,
    Path(id): Path<MessageId>,
    body: Body,
) -> Response {
    let done = async {
        let Acts { action } = form(&visit, body).await?;
        let signed = room.desk.officer.acts(TYP_ACTED, Acted { alert: id, action }, room.desk.at_screen())?;
        room.desk.say(&format!("/v1/alerts/{id}/action"), signed).await
    };
    let done = done.await.map(|_| -> fn(&Words) -> &'static str { |words| words.acted });
    room.next(&visit, &format!("/alerts/{id}"), done)
}

#[derive(Deserialize)]
struct Tells {
    officer: String,
    number: String,
    at: DateTime,
}

/// `POST /alerts/{id}/telephone`.
pub(super) async fn telephone(
    State(room): State<Arc<Room>>,
    visit: Visit,
    Path(id): Path<MessageId>,
    body: Body,
) -> Response {
    let done = async {
        let tells: Tells = form(&visit, body).await?;
        let number = telephone_in(&tells.number)?;
        let who = tells.officer.trim().to_owned();
        if who.is_empty() {
            return Err(Trouble::Form);
        }
        let says = Telephoned { alert: id, officer: Personal::new(who), number: Personal::new(number) };
        let at = tells.at.to_zoned(room.desk.zone.clone()).map_err(|_| Trouble::Form)?;
        let when = Decided { at, captured: Captured::Telephone };
        let signed = room.desk.officer.acts(TYP_TELEPHONE, says, when)?;
        room.desk.say(&format!("/v1/alerts/{id}/telephone"), signed).await
    };
    let done = done.await.map(|_| -> fn(&Words) -> &'static str { |words| words.telephoned });
    room.next(&visit, &format!("/alerts/{id}"), done)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_telephone_is_a_number_with_the_countrys_prefix() {
        assert_eq!(telephone_in(" +50224148888 ").unwrap(), "+50224148888");
        for wrong in ["", "24148888", "+0224148888", "+502 2414", "+1", "+502241488881234567", "+50224x48888"]
        {
            assert!(telephone_in(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_answer_rests_on_what_the_alert_rests_on() {
        let opened = Opened {
            id: "01940000-0000-7000-8000-000000000001".to_owned(),
            by_node: true,
            from: json!({"country": "MX", "agency": "PFPNNA", "role": "consular"}),
            header: json!({"case": "c", "purpose": "child_followup", "legal_basis": {"type": "consent"},
                           "recipient": {"role": "child_protection"}}),
            consent: json!({"id": "k"}),
            sections: serde_json::Map::new(),
        };
        let reply = reply(&opened, "child.alert.ack");
        assert_eq!(reply["legal_basis"], json!({"type": "consent", "consent_id": "k"}));
        assert_eq!(reply["recipient"], json!({"country": "MX", "agency": "PFPNNA", "role": "consular"}));
        assert_eq!(
            (&reply["purpose"], &reply["role"]),
            (&json!("child_followup"), &json!("child_protection"))
        );
        assert!(reply.get("operation").is_none());
    }

    #[test]
    fn years_are_whole_years() {
        let core = json!({"birth_date": "2008-11-26"});
        assert_eq!(age_in(&core, jiff::civil::date(2026, 11, 25)), Some(17));
        assert_eq!(age_in(&core, jiff::civil::date(2026, 11, 26)), Some(18));
        assert_eq!(age_in(&json!({"age": 9}), jiff::civil::date(2026, 1, 1)), Some(9));
    }
}
