//! The rows of the duty: the clock of an alert, and each person called over it.
//!
//! Instants are milliseconds since the Unix epoch. INVARIANT: a row holds the name of a contact in its roster, never an
//! address; the address is looked up when somebody is called.

use serde::{Deserialize, Serialize};

use super::ladder::Wake;
use super::notice::Call;
use super::watch::Watch;
use crate::ids::{AgencyId, MessageId, SummonsId};

/// One alert on one side, with what officers signed about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchRow {
    /// Where it stands.
    pub watch: Watch,
    /// Counts its changes; 1 when it is opened.
    pub revision: i64,
    /// Officers' statements, compact JWS, oldest first (*at rest*).
    pub statements: Vec<String>,
}

impl WatchRow {
    /// The row of a watch that begins.
    #[must_use]
    pub const fn opened(watch: Watch) -> Self {
        Self { watch, revision: 1, statements: Vec::new() }
    }

    /// The row once the watch has moved on, with what was signed now.
    #[must_use]
    pub fn moved(mut self, signed: Option<&str>) -> Self {
        self.revision += 1;
        self.statements.extend(signed.map(str::to_owned));
        self
    }
}

/// A way to reach a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Mail.
    Mail,
    /// The node's HTTP hook: SMS, voice, pager.
    Hook,
}

impl Channel {
    /// The channel as a metric label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Hook => "hook",
        }
    }
}

/// Where a summons stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SummonsState {
    /// To be handed to its channel, or tried again.
    Waits,
    /// The channel has taken it.
    Handed,
    /// Nobody needs it any more: the alert was answered first.
    Spared,
    /// The channel did not take it in all its attempts, or the contact is gone.
    Failed,
}

impl SummonsState {
    /// The state as it is shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waits => "waits",
            Self::Handed => "handed",
            Self::Spared => "spared",
            Self::Failed => "failed",
        }
    }
}

/// One person called by one channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summons {
    /// Names it.
    pub summons: SummonsId,
    /// Over which alert.
    pub message: MessageId,
    /// In whose roster the contact stands; `None` for this node's operators.
    pub agency: Option<AgencyId>,
    /// The contact's name there, or an operator's number.
    pub contact: String,
    /// By which channel.
    pub channel: Channel,
    /// As what the person is called.
    pub wake: Wake,
    /// Why.
    pub call: Call,
    /// The hour that the notice names.
    pub until_ms: i64,
    /// When it was made.
    pub made_ms: i64,
    /// When it is tried next; `None` once it is over.
    pub due_ms: Option<i64>,
    /// Attempts so far.
    pub attempts: u32,
    /// Where it stands.
    pub state: SummonsState,
    /// When that was reached.
    pub at_ms: i64,
}
