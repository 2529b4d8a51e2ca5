//! The messages that the demonstration's agencies write, as the domestic API takes them.
//!
//! Not here: rows of a list; the gateway makes those itself. INVARIANT: every hour is that of the port.

use anyhow::Context as _;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde_json::{Value, json};

use puente_core::consent::SCHEMA_VERSION;
use puente_core::ids::{AgencyId, ConsentId, CountryCode, Digest, OperationId, Realm};
use puente_node::clock::{Clock as _, SystemClock};
use puente_node::setup::built_in_policies;

/// The agreement between the two states, as `policies/agreements` names it.
pub const AGREEMENT: &str = "MX-GT";

/// Where the people come from and where they arrive.
pub const ORIGIN: &str = "Tapachula, Chiapas";
/// The port of entry.
pub const PORT: &str = "Tecún Umán, San Marcos";
/// Its zone.
pub const ZONE: &str = "America/Guatemala";
/// The hour of arrival for which the list was made: ages are reckoned at its date (`ops/demo/make.py`).
pub const ETA: &str = "2026-11-25T10:00:00-06:00[America/Guatemala]";
/// The vehicle.
pub const VEHICLE: &str = "Bus 14";

/// Now, at the port.
pub fn now_at_port() -> anyhow::Result<Zoned> {
    let now = Timestamp::from_millisecond(SystemClock::default().now_ms())?;
    Ok(now.to_zoned(TimeZone::get(ZONE)?))
}

/// An instant as sections state it: with offset, without the zone's name.
pub fn rfc3339(at: &Zoned) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// The operation and how it travels.
pub fn logistics(operation: OperationId) -> anyhow::Result<Value> {
    let eta: Zoned = ETA.parse().context("hour of arrival")?;
    Ok(json!({
        "operation": operation, "mode": "land", "origin": ORIGIN, "port_of_entry": PORT,
        "eta": rfc3339(&eta), "zone": ZONE, "vehicle": VEHICLE, "escort": "enforcement",
    }))
}

/// The basis of everything that belongs to a return.
pub fn under_agreement() -> Value {
    json!({"type": "legal_obligation", "agreement": AGREEMENT})
}

/// A message about nobody, to reception.
pub fn to_reception(message_type: &str, operation: OperationId, sections: &Value) -> Value {
    json!({
        "type": message_type,
        "recipient": {"country": "GT", "role": "returns_reception"},
        "operation": operation,
        "purpose": "return_reception",
        "legal_basis": under_agreement(),
        "subject": {"kind": "none"},
        "sections": sections,
    })
}

/// An adult national of Guatemala whom the screening authority has heard, and nothing was expressed.
pub fn screened_adult() -> Value {
    json!({
        "kind": "adult", "age": 32, "nationality": "GT", "residence": "GT", "risk_countries": [], "protection": "none_expressed",
        "flags": {"age_disputed": "no", "stateless_risk": "no", "open_family_link_in_custody": "no"},
    })
}

/// The record of a consent, given an hour ago for a year at the consulate's counter, for papers from Guatemala.
pub fn consent_record(
    id: ConsentId,
    agency: &AgencyId,
    country: &CountryCode,
    subject: &str,
) -> anyhow::Result<Value> {
    let given = now_at_port()?.checked_sub(jiff::Span::new().hours(1))?;
    let until = given.checked_add(jiff::Span::new().days(365))?;
    let policies = built_in_policies();
    let text = policies.iter().find(|(path, _)| path == "consent/es.txt").context("the approved text")?;
    Ok(json!({
        "schema_version": SCHEMA_VERSION, "realm": Realm::Training, "record_id": id,
        "jurisdiction": country, "agency": agency,
        "principal": {"ref": subject, "birth_date": "1994-03-17", "zone": ZONE},
        "storage": [country], "withdrawal_method": "De palabra o por escrito en cualquier consulado",
        "shown": {"language": "es", "digest": Digest::of(&text.1)}, "language": "es-GT",
        "read_aloud": true, "understood_check": true,
        "processes": [{
            "purpose": "regularisation", "categories": ["id.core", "doc.civil", "ops.metadata"],
            "recipients": ["GT"], "retention_days": 365,
        }],
        "giver": {"kind": "subject", "party": subject}, "conditional": false, "in_detention": false,
        "evidence": [{"kind": "signature", "hash": Digest::of(b"signed at the counter")}],
        "event": {"state": "given", "occurred_at": given, "captured": "screen"},
        "recorded_at": given.timestamp(), "valid_until": until.timestamp(),
    }))
}

/// The basis of a message that rests on a recorded consent.
pub fn under_consent(id: &Value) -> Value {
    json!({"type": "consent", "consent_id": id})
}
