//! Telling this country's side of each transfer what is new, and what has run out.
//!
//! Restart-safe: what there is to look at is a query to the store. INVARIANT: an alarm is counted once it is durable, and
//! told once.

use puente_core::cases::{Look, News, Told, ToldRow, TransferRow, clocks, look};
use puente_core::delivery::{Event, EventKind, MessageRow, Write};
use puente_core::problem::Problem;

use crate::cases::Held;
use crate::node::{Node, store_problem};
use crate::store::{Guard, StoreError, TransferFilter};

/// Most transfers looked at in one call.
const AT_ONCE: u32 = 200;

/// Tells what is due; answers how many transfers were looked at.
///
/// # Errors
/// When the store fails; what was not told is told at the next call.
pub async fn watch(node: &Node) -> Result<usize, Problem> {
    let due = TransferFilter::ToLookAt { now_ms: node.clock.now_ms() };
    let due = node.store.transfers(due, AT_ONCE).await.map_err(|error| store_problem(&error))?;
    let count = due.len();
    for row in due {
        look_at(node, &row).await?;
    }
    Ok(count)
}

async fn look_at(node: &Node, row: &TransferRow) -> Result<(), Problem> {
    let held = Held::read(node, row.transfer).await?;
    let now_s = node.clock.now_s();
    let plan = &node.rules.get().plan;
    let seen = match held.state.side(node.country()) {
        Some(side) => look(&held.state, side, &row.told, plan, now_s),
        // The offer has not come: there is nobody to tell.
        None => Look { news: Vec::new(), told: Told::clone(&row.told), again_s: None },
    };
    let running = clocks(&held.state, plan);
    let mut writes: Vec<Write> = held
        .offer()
        .into_iter()
        .flat_map(|offer| seen.news.iter().map(|news| Write::Event(event(offer, *news, now_s))))
        .collect();
    writes.push(Write::CaseTold(ToldRow {
        transfer: row.transfer,
        revision: row.revision,
        told: seen.told,
        look_ms: seen.again_s.map(milliseconds),
        clock_ms: running.first().map(|clock| milliseconds(clock.due_s)),
    }));
    match node.commit(writes).await {
        Ok(_durable) => {
            for news in &seen.news {
                if let News::Alarm(what) = news {
                    node.metrics.case_alarm(&what.to_string());
                }
            }
            Ok(())
        }
        // A step came meanwhile: it is looked at again.
        Err(StoreError::Conflict { what: Guard::Changed, .. }) => Ok(()),
        Err(error) => Err(store_problem(&error)),
    }
}

const fn milliseconds(seconds: i64) -> i64 {
    seconds.saturating_mul(1000)
}

/// A thin event to the agency of this country that is party to the transfer.
fn event(offer: &MessageRow, news: News, now_s: i64) -> Event {
    let (kind, state) = match news {
        News::Stage(stage) => (EventKind::CaseState, stage.as_str().to_owned()),
        News::Alarm(what) => (EventKind::CaseAlarm, what.to_string()),
    };
    Event {
        kind,
        agency: offer.agency.clone(),
        role: offer.role.clone(),
        message: Some(offer.message),
        approval: None,
        message_type: Some(offer.message_type.clone()),
        state,
        at_ms: milliseconds(now_s),
    }
}
