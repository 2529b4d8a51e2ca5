//! Calling people: what is due is handed to its channel, tried again until it is taken, and spared once it is not needed.
//!
//! Not here: who is called (`people`). INVARIANT: a notice names an hour and nothing else; the address is looked up at
//! the moment of the call and is never stored, logged or counted.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::task::JoinSet;

use puente_core::delivery::{RetrySchedule, Write, next_attempt};
use puente_core::duty::{Channel, Notice, Summons, SummonsState, notice};
use puente_core::ids::Realm;
use puente_core::personal::Personal;
use puente_core::problem::Problem;

use crate::config::Duty;
use crate::duty::hook::Hook;
use crate::duty::mail::Mailer;
use crate::node::{Node, store_problem};
use crate::telemetry::Metrics;
use crate::webhook::Caller;

/// Most calls under way at once.
const AT_ONCE: u32 = 16;

/// A channel that does not answer within this is tried again.
const PATIENCE: Duration = Duration::from_secs(15);

/// After so many attempts, some hours, nobody is called this way any more.
const MAX_ATTEMPTS: u32 = 100;

/// Why a channel is not there.
#[derive(Debug, thiserror::Error)]
pub enum WaysError {
    /// The settings of mail do not fit together.
    #[error("mail cannot be set up: {0}")]
    Mail(String),
    /// The settings of the hook do not fit together.
    #[error("the hook cannot be set up: {0}")]
    Hook(String),
}

/// A channel did not take a notice; the cause names no address.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct NotTaken(pub(super) String);

/// The channels of this node.
pub struct Ways {
    mail: Option<Mailer>,
    hook: Option<Hook>,
    caller: Option<Caller>,
}

impl Ways {
    /// The channels as configured.
    ///
    /// # Errors
    /// When a setting is wrong or a file it names cannot be read.
    pub fn new(config: &Duty) -> Result<Self, WaysError> {
        Ok(Self { mail: Mailer::new(config)?, hook: Hook::new(config)?, caller: None })
    }

    /// The same, with who posts to the hook.
    #[must_use]
    pub fn calling(self, caller: Caller) -> Self {
        Self { caller: Some(caller), ..self }
    }

    /// Whether a channel is configured.
    #[must_use]
    pub const fn has(&self, channel: Channel) -> bool {
        match channel {
            Channel::Mail => self.mail.is_some(),
            Channel::Hook => self.hook.is_some(),
        }
    }

    /// Asks the server of each channel whether it would take a notice now.
    pub async fn measure(&self, metrics: &Metrics) {
        if let Some(mail) = &self.mail {
            let up = tokio::time::timeout(PATIENCE, mail.answers()).await.unwrap_or(false);
            metrics.duty_channel(Channel::Mail.as_str(), up);
        }
        if let (Some(hook), Some(caller)) = (&self.hook, &self.caller) {
            metrics.duty_channel(Channel::Hook.as_str(), hook.answers(caller).await);
        }
    }

    async fn hand(
        &self,
        summons: &Summons,
        address: &Personal<String>,
        notice: &Notice,
        now_s: i64,
    ) -> Result<(), NotTaken> {
        let handed = async {
            match (summons.channel, &self.mail, &self.hook, &self.caller) {
                (Channel::Mail, Some(mail), _, _) => mail.send(address, notice).await,
                (Channel::Hook, _, Some(hook), Some(caller)) => {
                    hook.send(caller, summons.summons, address, notice, now_s).await
                }
                _ => Err(NotTaken("the channel is not configured".to_owned())),
            }
        };
        tokio::time::timeout(PATIENCE, handed)
            .await
            .unwrap_or_else(|_| Err(NotTaken("no answer within the time".to_owned())))
    }
}

/// Tries every call that is due; answers how many were tried.
///
/// # Errors
/// When the store fails; what was handed over meanwhile is handed over again.
pub async fn call_due(node: &Arc<Node>, ways: &Arc<Ways>) -> Result<usize, Problem> {
    let now_ms = node.clock.now_ms();
    let due = node.store.summonses_due(now_ms, AT_ONCE).await.map_err(|error| store_problem(&error))?;
    let count = due.len();
    let mut calls = JoinSet::new();
    for summons in due {
        let (node, ways) = (Arc::clone(node), Arc::clone(ways));
        calls.spawn(async move { call(&node, &ways, summons).await });
    }
    while let Some(called) = calls.join_next().await {
        called.map_err(|_| Problem::new(&puente_core::problem::INTERNAL))??;
    }
    Ok(count)
}

async fn call(node: &Node, ways: &Ways, mut summons: Summons) -> Result<(), Problem> {
    let state = if spared(node, &summons).await? {
        SummonsState::Spared
    } else {
        match address(node, &summons) {
            None => SummonsState::Failed,
            Some((address, zone)) => {
                let until = Timestamp::from_millisecond(summons.until_ms).unwrap_or(Timestamp::UNIX_EPOCH);
                let told = notice(summons.call, until, &zone, node.realm() != Realm::Production);
                summons.attempts += 1;
                match ways.hand(&summons, &address, &told, node.clock.now_s()).await {
                    Ok(()) => SummonsState::Handed,
                    Err(_) if summons.attempts >= MAX_ATTEMPTS => SummonsState::Failed,
                    Err(error) => {
                        tracing::warn!(channel = summons.channel.as_str(), %error, "a call was not taken");
                        SummonsState::Waits
                    }
                }
            }
        }
    };
    let at_ms = node.clock.now_ms();
    summons.state = state;
    summons.at_ms = at_ms;
    summons.due_ms = (state == SummonsState::Waits)
        .then(|| next_attempt(RetrySchedule::PROBE, at_ms, summons.attempts, node.fresh_random()));
    node.metrics.summons(summons.channel.as_str(), state);
    node.commit(vec![Write::SummonsChanged(summons)]).await.map_err(|error| store_problem(&error))?;
    Ok(())
}

/// Whether what is asked for was done, or came to nothing, before this call was taken.
async fn spared(node: &Node, summons: &Summons) -> Result<bool, Problem> {
    if !summons.call.is_request() {
        return Ok(false);
    }
    let row = node.store.watch(summons.message).await.map_err(|error| store_problem(&error))?;
    Ok(row.is_some_and(|row| !row.watch.is_unanswered() || row.watch.is_settled()))
}

/// Where the contact is reached now, and in whose hours the notice speaks.
fn address(node: &Node, summons: &Summons) -> Option<(Personal<String>, TimeZone)> {
    let of = |contact: &puente_core::duty::Contact| match summons.channel {
        Channel::Mail => contact.mail.clone(),
        Channel::Hook => contact.hook.clone(),
    };
    match &summons.agency {
        Some(agency) => {
            let rosters = node.rosters.get();
            let roster = rosters.of(agency)?;
            Some((of(roster.contact(&summons.contact)?)?, roster.zone().clone()))
        }
        None => {
            let contacts = node.config.duty.contacts();
            let operator = contacts.get(summons.contact.parse::<usize>().ok()?)?;
            Some((of(operator)?, TimeZone::get(&node.config.duty.zone).unwrap_or(TimeZone::UTC)))
        }
    }
}
