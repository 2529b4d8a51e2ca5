//! One event as everybody outside reads it: CloudEvents 1.0 in JSON, thin: ids, a state and a link.
//!
//! Not here: which way it goes out (long-poll, stream, webhook), nor who may read it. INVARIANT: there is this one form,
//! and nothing in it is content; whoever wants that follows the link with a certificate of its own.

use jiff::Timestamp;
use serde::Serialize;

use crate::delivery::record::{Event, EventKind};
use crate::ids::{AgencyId, ApprovalId, CountryCode, MessageId, MessageType, Realm, Role};

/// The media type of one event in the structured mode of the HTTP binding.
pub const CLOUD_EVENT_MEDIA: &str = "application/cloudevents+json";

/// An event in the form of CloudEvents 1.0 section 3 (JSON format section 3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CloudEvent {
    specversion: &'static str,
    /// The durable cursor: unique within `source`, and larger than that of every event before it.
    id: String,
    source: String,
    #[serde(rename = "type")]
    kind: String,
    time: String,
    datacontenttype: &'static str,
    data: Told,
}

/// What the event says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Told {
    agency: Option<AgencyId>,
    role: Role,
    message: Option<MessageId>,
    approval: Option<ApprovalId>,
    message_type: Option<MessageType>,
    state: String,
    link: Option<String>,
}

impl CloudEvent {
    /// The event at this cursor, as the gateway of this realm and country tells it.
    #[must_use]
    pub fn of(realm: Realm, country: &CountryCode, cursor: i64, event: Event) -> Self {
        let time = Timestamp::from_millisecond(event.at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        Self {
            specversion: "1.0",
            id: cursor.to_string(),
            source: format!("urn:puente:{realm}:{country}:gateway"),
            kind: format!("puente.{}", event.kind.as_str()),
            time: time.to_string(),
            datacontenttype: "application/json",
            data: Told {
                link: link(&event),
                agency: event.agency,
                role: event.role,
                message: event.message,
                approval: event.approval,
                message_type: event.message_type,
                state: event.state,
            },
        }
    }

    /// The cursor, as text.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// Where on the domestic face the rest is read; what names no id points to the list in which it waits.
fn link(event: &Event) -> Option<String> {
    match event.kind {
        EventKind::MessageReceived => event.message.map(|id| format!("/v1/messages/{id}/content")),
        EventKind::MessageState => event.message.map(|id| format!("/v1/messages/{id}")),
        EventKind::ApprovalOpened | EventKind::ApprovalClosed => {
            event.approval.map(|id| format!("/v1/approvals/{id}"))
        }
        EventKind::ReferralOpened => Some("/v1/referrals".to_owned()),
        EventKind::RefusalOpened => Some("/v1/refusals".to_owned()),
        EventKind::RefusalClosed | EventKind::ProtectionAlarm | EventKind::HoldEnded => None,
        EventKind::AlertState => {
            let held = event.approval.map(|approval| MessageId(approval.0));
            event.message.or(held).map(|id| format!("/v1/alerts/{id}"))
        }
        EventKind::CaseState | EventKind::CaseAlarm => Some("/v1/cases".to_owned()),
        EventKind::NoticeState => Some("/v1/notices".to_owned()),
        EventKind::WebhookState => Some("/v1/webhooks".to_owned()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn an_event_is_told_as_cloud_events_1_0_says_and_names_no_content() {
        let event = Event {
            kind: EventKind::MessageReceived,
            agency: Some("IGM".parse().unwrap()),
            role: "returns_reception".parse().unwrap(),
            message: Some(MessageId(Uuid::from_u128(7))),
            approval: None,
            message_type: Some("return.manifest".parse().unwrap()),
            state: "accepted".to_owned(),
            at_ms: 1_795_618_800_250,
        };
        let told = CloudEvent::of(Realm::Training, &"GT".parse().unwrap(), 42, event);
        let expected: Value = json!({
            "specversion": "1.0", "id": "42", "source": "urn:puente:training:GT:gateway",
            "type": "puente.message_received", "time": "2026-11-25T15:00:00.25Z",
            "datacontenttype": "application/json",
            "data": {
                "agency": "IGM", "role": "returns_reception", "approval": null, "message_type": "return.manifest",
                "message": "00000000-0000-0000-0000-000000000007", "state": "accepted",
                "link": "/v1/messages/00000000-0000-0000-0000-000000000007/content"
            }
        });
        assert_eq!(serde_json::to_value(told).unwrap(), expected);
    }
}
