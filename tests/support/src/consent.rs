//! Consent records and events as an agency would sign them: ordinary ones, which a test then spoils in one place.

use puente_core::ids::Digest;
use puente_node::clock::Clock;
use serde_json::{Value, json};

/// A consent of an adult, given in Mexico five days before a test begins, for papers from Guatemala and Honduras.
#[must_use]
pub fn consent_record(agency: &str) -> Value {
    let policies = puente_node::setup::built_in_policies();
    let text = policies.iter().find(|(path, _)| path == "consent/es.txt").map(|(_, bytes)| Digest::of(bytes));
    json!({
        "schema_version": "iso-27560-2023/puente-1", "realm": "training",
        "record_id": "01940000-0000-7000-8000-00000000c001", "jurisdiction": "MX", "agency": agency,
        "principal": {"ref": "exp-1", "birth_date": "1994-03-17", "zone": "America/Mexico_City"},
        "storage": ["MX"], "withdrawal_method": "De palabra o por escrito en cualquier oficina",
        "shown": {"language": "es", "digest": text}, "language": "es-GT", "read_aloud": true, "understood_check": true,
        "processes": [{"purpose": "regularisation", "categories": ["id.core", "doc.civil", "ops.metadata"],
                       "recipients": ["GT", "HN"], "retention_days": 365}],
        "giver": {"kind": "subject", "party": "exp-1"}, "conditional": false, "in_detention": false,
        "evidence": [{"kind": "signature", "hash": Digest::of(b"signature")}],
        "event": {"state": "given", "occurred_at": "2026-11-20T10:00:00-06:00[America/Mexico_City]", "captured": "screen"},
        "recorded_at": "2026-11-20T16:00:00Z", "valid_until": "2027-11-20T16:00:00Z",
    })
}

/// An event on a consent, said now.
#[must_use]
pub fn consent_event(consent: &str, after: Digest, state: &str, clock: &dyn Clock, more: Value) -> Value {
    let now = jiff::Timestamp::from_millisecond(clock.now_ms()).unwrap_or_default();
    let mut event = json!({
        "realm": "training", "record_id": consent, "after": after, "state": state,
        "occurred_at": format!("{now}[UTC]"), "captured": "screen", "recorded_at": now.to_string(),
    });
    if let (Some(event), Value::Object(more)) = (event.as_object_mut(), more) {
        event.extend(more);
    }
    event
}
