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
    /// A held alert has to be released or refused.
    Decide,
    /// Nobody has decided on a held alert.
    Undecided,
    /// A held alert was not sent, and will not be.
    NotSent,
    /// A broadcast may still be shown though it is over.
    NotEnded,
}

impl Call {
    /// Whether it asks for something that may have been done before the call is made.
    #[must_use]
    pub const fn is_request(self) -> bool {
        matches!(self, Self::Answer | Self::Decide)
    }
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
        Call::Decide => (
            format!("alerta retenida, decidir antes de las {hour}"),
            format!("alert held, decide before {hour}"),
        ),
        Call::Undecided => (
            format!("alerta retenida sin decisión desde las {hour}"),
            format!("alert held without a decision since {hour}"),
        ),
        Call::NotSent => (
            format!("alerta retenida que no se envió, {hour}"),
            format!("held alert that was not sent, {hour}"),
        ),
        Call::NotEnded => (
            format!("difusión sin fin comprobado desde las {hour}"),
            format!("broadcast without a proven end since {hour}"),
        ),
    };
    let (inbox_es, inbox_en) = match call {
        Call::Answer | Call::Act | Call::Silence | Call::NotEnded => {
            ("su bandeja de alertas", "your inbox of alerts")
        }
        Call::Decide | Call::Undecided | Call::NotSent => ("sus aprobaciones", "your approvals"),
    };
    let (marked, mark) = if drill { ("SIMULACRO, ", "DRILL, ") } else { ("", "") };
    Notice {
        line: format!("Puente: {marked}{es}"),
        text: format!("Puente: {marked}{es}. Abra {inbox_es}.\nPuente: {mark}{en}. Open {inbox_en}.\n"),
    }
}
