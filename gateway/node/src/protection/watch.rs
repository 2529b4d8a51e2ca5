//! What follows from the clock: silences about stopped rows, and holds that reach their end.
//!
//! Restart-safe: what is due is a query to the store. INVARIANT: an alarm is counted once it is durable, and told once.

use jiff::Timestamp;

use puente_core::delivery::{Event, EventKind, Write};
use puente_core::ids::HoldId;
use puente_core::problem::Problem;
use puente_core::protection::{Authority, HoldRow, StopRow};

use crate::node::{Node, store_problem};
use crate::protection::stops::event;

/// Most rows looked at in one call.
const AT_ONCE: u32 = 200;

/// Tells the authorities what is due; answers how many stopped rows alarmed.
///
/// # Errors
/// When the store fails; what was not told is told at the next call.
pub async fn watch(node: &Node) -> Result<usize, Problem> {
    let now_ms = node.clock.now_ms();
    let due = node.store.stops_alarming(now_ms, AT_ONCE).await.map_err(|error| store_problem(&error))?;
    let count = due.len();
    for StopRow { mut stop, revision, record, .. } in due {
        let alarms = stop.handle_time(now_ms);
        let mut writes: Vec<Write> = alarms
            .iter()
            .map(|alarm| {
                Write::Event(event(
                    EventKind::ProtectionAlarm,
                    &stop.authority,
                    &stop,
                    alarm.as_str(),
                    now_ms,
                ))
            })
            .collect();
        writes.push(Write::StopChanged(StopRow::changed(stop, revision, record)));
        node.commit(writes).await.map_err(|error| store_problem(&error))?;
        for alarm in alarms {
            node.metrics.protection_alarm(alarm.as_str());
        }
    }
    let now = Timestamp::from_millisecond(now_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    for (hold, authority) in node.holds.end(now) {
        end(node, hold, authority, now_ms).await?;
    }
    Ok(count)
}

async fn end(node: &Node, hold: HoldId, authority: Authority, now_ms: i64) -> Result<(), Problem> {
    let row = node.store.hold(hold).await.map_err(|error| store_problem(&error))?;
    let Some(row) = row.filter(|row| row.ended_ms.is_none()) else { return Ok(()) };
    let told = Event {
        kind: EventKind::HoldEnded,
        agency: Some(authority.agency),
        role: authority.role,
        message: None,
        approval: None,
        message_type: None,
        state: "ended".to_owned(),
        at_ms: now_ms,
    };
    let row = HoldRow { revision: row.revision + 1, ended_ms: Some(now_ms), ..row };
    node.commit(vec![Write::HoldChanged(row), Write::Event(told)])
        .await
        .map_err(|error| store_problem(&error))?;
    Ok(())
}
