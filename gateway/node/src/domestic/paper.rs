//! The list of an operation for people without a screen: printed, and its arrivals as a file.
//!
//! Not here: the list itself (`operations`) and its forms (`lists`). INVARIANT: whoever is on the list is on the paper: a row
//! that does not open here stands there with the reason.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::header;
use jiff::{Timestamp, tz::TimeZone};
use serde::Deserialize;
use serde_json::Value;

use puente_core::ids::MessageId;
use puente_core::personal::Personal;
use puente_core::problem::{self, Problem};

use crate::domestic::corrections::{AMENDMENT, ROW, Standing, Unopened, fold};
use crate::domestic::handing::hand_over_all;
use crate::domestic::operations::{messages_of, operation_id, received};
use crate::lists::arrivals::{self, Arrival};
use crate::lists::print::{PrintedOperation, PrintedRow, print as print_list};
use crate::node::Node;
use crate::register::KnownAgency;
use crate::serve::{self, ProblemReply};

type Reply = Result<Response, ProblemReply>;

/// Query of a print.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Print {
    /// How often it was printed before: more than none marks a reprint.
    #[serde(default)]
    earlier_prints: u32,
}

/// `GET /v1/operations/{id}/print`: the list as it came in, for paper.
pub async fn print(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    Path(id): Path<String>,
    ask: serve::Ask<Print>,
) -> Reply {
    let ask = serve::asked(ask)?;
    let all = messages_of(&node, &caller, operation_id(&id)?).await?;
    let version = u32::try_from(all.len()).unwrap_or(u32::MAX);
    let mut rows = Vec::new();
    let (mut logistics, mut sealed) = (None, None);
    for listed in fold(hand_over_all(&node, received(all, &[ROW, AMENDMENT])).await?) {
        let number = u32::try_from(rows.len() + 1).unwrap_or(u32::MAX);
        let why = listed.as_ref().err().map(|unopened| unopened.why.clone());
        sealed = sealed.or(why.filter(|why| why.kind.code == problem::SEAL_HELD_BY_AGENCY.code));
        rows.push(match listed {
            Ok(standing) => {
                logistics = logistics.or_else(|| standing.section("return.logistics").cloned());
                printed(number, &standing)
            }
            Err(unopened) => unreadable(number, &unopened),
        });
    }
    // Of a list that is sealed as a whole there is nothing to print here.
    let logistics = logistics.ok_or_else(|| sealed.unwrap_or_else(|| Problem::new(&problem::NOT_FOUND)))?;
    let text = |name: &str| logistics.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let zone = TimeZone::get(&text("zone")).unwrap_or(TimeZone::UTC);
    let instant = text("eta").parse::<Timestamp>().unwrap_or_default();
    let now = Timestamp::from_millisecond(node.clock.now_ms()).unwrap_or_default();
    let html = print_list(&PrintedOperation {
        title: id,
        port: text("port_of_entry"),
        eta: instant.to_zoned(zone.clone()),
        version,
        printed_at: now.to_zoned(zone),
        earlier_prints: ask.earlier_prints,
        rows,
        training: node.realm() != puente_core::ids::Realm::Production,
    });
    Ok(([(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-store")], html)
        .into_response())
}

fn names_of(core: Option<&Value>) -> String {
    let part = |name: &str| core.and_then(|core| core.get(name)).and_then(Value::as_str).unwrap_or_default();
    [part("first_surname"), part("second_surname"), part("given_names")]
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// What stands for the names of somebody whose message does not open here.
fn instead_of_names(why: &Problem) -> &'static str {
    if why.kind.code == problem::SEAL_HELD_BY_AGENCY.code {
        "SELLADO PARA LA AUTORIDAD / KEPT SEALED FOR THE AUTHORITY"
    } else {
        "ILEGIBLE / UNREADABLE"
    }
}

/// A row that does not open stands on the paper all the same: somebody is on that bus.
fn unreadable(number: u32, Unopened { row, why }: &Unopened) -> PrintedRow {
    PrintedRow {
        row: number,
        names: Personal::new(instead_of_names(why).to_owned()),
        particulars: Personal::new(row.message.to_string()),
        family: None,
        needs: Vec::new(),
        child_protection: row.role.as_str() == "child_protection",
    }
}

fn printed(number: u32, standing: &Standing) -> PrintedRow {
    let core = standing.section("id.core");
    let part = |name: &str| {
        core.and_then(|core| core.get(name)).map(|value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    };
    // On paper a row that was taken off stays, struck by these words: somebody may hold an earlier copy.
    let taken_off = standing.removed.then(|| "RETIRADO DE LA LISTA / TAKEN OFF THE LIST".to_owned());
    let changed = standing.changes.last().filter(|_| !standing.removed);
    let changed = changed.and_then(|change| Timestamp::from_second(change.at).ok());
    let changed = changed.map(|at| format!("Corregido / corrected {}", at.strftime("%Y-%m-%d %H:%M UTC")));
    let needs =
        standing.section("needs.services").and_then(|section| section.get("codes")).and_then(Value::as_array);
    PrintedRow {
        row: number,
        names: Personal::new(names_of(core)),
        particulars: Personal::new(
            [part("sex"), part("birth_date"), part("age")]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" · "),
        ),
        family: standing
            .section("family.links")
            .and_then(|links| links.get("group"))
            .and_then(Value::as_str)
            .map(str::to_owned),
        needs: taken_off
            .into_iter()
            .chain(changed)
            .chain(needs.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned))
            .collect(),
        child_protection: standing.row.role.as_str() == "child_protection",
    }
}

/// Query of the arrivals.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arrivals {
    #[serde(default)]
    format: Option<String>,
}

/// `GET /v1/operations/{id}/arrivals`: who arrived, as XLSX (default) or CSV.
pub async fn arrivals(
    State(node): State<Arc<Node>>,
    Extension(caller): Extension<KnownAgency>,
    Path(id): Path<String>,
    ask: serve::Ask<Arrivals>,
) -> Reply {
    let ask = serve::asked(ask)?;
    let all = messages_of(&node, &caller, operation_id(&id)?).await?;
    let numbers: BTreeMap<MessageId, Option<u32>> = all.iter().map(|row| (row.message, row.row)).collect();
    let mut list = Vec::new();
    for (row, opened) in hand_over_all(&node, received(all, &["return.arrival"])).await? {
        let inner = match opened {
            Ok((_, inner)) => inner,
            Err(why) => {
                list.push(Arrival {
                    row: row.in_reply_to.and_then(|to| numbers.get(&to).copied().flatten()),
                    names: Personal::new(instead_of_names(&why).to_owned()),
                    status: row.message.to_string(),
                    at: None,
                    captured: String::new(),
                });
                continue;
            }
        };
        let metadata = inner.section("ops.metadata");
        let text = |name: &str| {
            metadata.and_then(|m| m.get(name)).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let zone = TimeZone::get(&text("zone")).unwrap_or(TimeZone::UTC);
        list.push(Arrival {
            row: row.in_reply_to.and_then(|to| numbers.get(&to).copied().flatten()),
            names: Personal::new(names_of(inner.section("id.core"))),
            status: text("status"),
            at: text("at").parse::<Timestamp>().ok().map(|at| at.to_zoned(zone)),
            captured: text("captured"),
        });
    }
    let no_store = (header::CACHE_CONTROL, "no-store");
    if !matches!(ask.format.as_deref(), None | Some("csv" | "xlsx")) {
        return Err(Problem::new(&problem::FIELD_INVALID).at("format").into());
    }
    if ask.format.as_deref() == Some("csv") {
        return Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8"), no_store], arrivals::csv(&list))
            .into_response());
    }
    let media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    Ok(([(header::CONTENT_TYPE, media), no_store], arrivals::xlsx(&list)?).into_response())
}
