//! What a person is told when woken up: that an alert waits and until when; no name, no country, no case.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// A notice without content, Spanish first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// One line for a subject or an SMS.
    pub line: String,
    /// The same, with what to do.
    pub text: String,
}

/// Why somebody is woken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// An alert has to be answered.
    Answer,
    /// Something has to be done.
    Act,
    /// No answer came, or will come.
    Silence,
}

/// The notice; the hour is that of the one who reads it.
#[must_use]
pub fn notice(call: Call, until: Timestamp, zone: &TimeZone, drill: bool) -> Notice {
    let hour = until.to_zoned(zone.clone()).strftime("%H:%M").to_string();
    let (es, en) = match call {
        Call::Answer => {
            (format!("alerta, responder antes de las {hour}"), format!("alert, answer before {hour}"))
        }
        Call::Act => (format!("alerta, actuar antes de las {hour}"), format!("alert, act before {hour}")),
        Call::Silence => (
            format!("alerta sin respuesta desde las {hour}"),
            format!("alert without an answer since {hour}"),
        ),
    };
    let (marked, mark) = if drill { ("SIMULACRO, ", "DRILL, ") } else { ("", "") };
    Notice {
        line: format!("Puente: {marked}{es}"),
        text: format!(
            "Puente: {marked}{es}. Abra su bandeja de alertas.\nPuente: {mark}{en}. Open your inbox of alerts.\n"
        ),
    }
}
