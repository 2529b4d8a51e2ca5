//! Notices by HTTP: one signed POST each (RFC 9421) to the operator's gateway to SMS, voice or pagers.
//!
//! INVARIANT: only 2xx is taken, and the body names the address, the notice and nothing of the alert.

use bytes::Bytes;
use serde_json::json;

use puente_core::delivery::{CallOutcome, WebhookTarget};
use puente_core::duty::Notice;
use puente_core::ids::SummonsId;
use puente_core::personal::Personal;
use puente_core::problem;

use crate::config::Duty;
use crate::duty::call::{NotTaken, WaysError};
use crate::webhook::{Caller, Endpoint};

/// The gateway that takes notices.
pub(super) struct Hook(WebhookTarget);

impl Hook {
    /// The gateway of the configuration; none where no address is given.
    pub(super) fn new(config: &Duty) -> Result<Option<Self>, WaysError> {
        let wrong = |what: &str| WaysError::Hook(what.to_owned());
        if config.hook_url.is_empty() {
            return Ok(None);
        }
        let endpoint =
            Endpoint::parse(&config.hook_url).ok_or_else(|| wrong("`hook_url` is not an https address"))?;
        let authority =
            std::fs::read_to_string(&config.ca_file).map_err(|_| wrong("`ca_file` cannot be read"))?;
        Ok(Some(Self(WebhookTarget {
            url: endpoint.uri().to_string(),
            authority: Some(authority),
            pin: None,
            present_certificate: false,
            kinds: Vec::new(),
            message_types: Vec::new(),
        })))
    }

    /// Hands one notice to the gateway; the same id again is the same notice.
    pub(super) async fn send(
        &self,
        caller: &Caller,
        id: SummonsId,
        address: &Personal<String>,
        notice: &Notice,
        now_s: i64,
    ) -> Result<(), NotTaken> {
        let body = json!({"id": id, "to": address.reveal(), "line": notice.line, "text": notice.text});
        let body = Bytes::from(body.to_string());
        match caller.post(&self.0, "application/json", body, now_s).await {
            CallOutcome::Taken => Ok(()),
            CallOutcome::Unreached(kind) | CallOutcome::Failed(kind) | CallOutcome::Refused(kind) => {
                Err(NotTaken(kind.code.to_owned()))
            }
            CallOutcome::Gone => Err(NotTaken(problem::WEBHOOK_GONE.code.to_owned())),
        }
    }

    /// Whether the gateway can be connected to.
    pub(super) async fn answers(&self, caller: &Caller) -> bool {
        caller.reaches(&self.0).await
    }
}
