//! The reference configuration: every setting with its default and what it means.
//!
//! INVARIANT: the text parses to the defaults, and every setting of the structs is in it; a test says so.

use crate::config::Config;

/// One setting: section, name, what it means.
const MEANINGS: &[(&str, &str, &str)] = &[
    ("", "country", "This country, ISO 3166-1 alpha-2. Required."),
    ("", "realm", "production, training or conformance; each refuses the others. Required."),
    ("listen", "domestic", "Domestic face: the country's own systems, mTLS."),
    ("listen", "federation", "Federation face: the other members' gateways, mTLS."),
    ("listen", "operations", "Health and metrics, plain HTTP: keep it on loopback or a management network."),
    ("limits", "domestic_body_bytes", "Largest request body on the domestic face, bytes."),
    ("limits", "federation_body_bytes", "Largest request body on the federation face, bytes."),
    ("limits", "batch_messages", "Most messages in one submitted batch."),
    ("limits", "list_rows", "Most rows in one list."),
    ("limits", "attachment_bytes", "Largest attachment, bytes."),
    (
        "limits",
        "unnamed_attachment_bytes",
        "Most bytes of attachments that one agency may have put and not yet named in a message; more are answered 429.",
    ),
    (
        "limits",
        "concurrent_requests",
        "Requests in progress at once on each face, a quarter of them for one client; more are answered 503 with Retry-After.",
    ),
    ("limits", "connections", "Connections at once on each face."),
    ("limits", "delivery_messages", "Most messages in one delivery to a peer."),
    (
        "limits",
        "questions_per_hour",
        "Most rows that one agency may ask about in an hour without sending them (dry run); more are answered 429.",
    ),
    (
        "limits",
        "event_streams",
        "Streams of events open at once, a quarter of them for one agency; more are answered 429.",
    ),
    ("times", "body_seconds", "A body that does not arrive within this many seconds is given up."),
    ("times", "handshake_seconds", "A TLS handshake that does not end within this many seconds is given up."),
    ("times", "idle_seconds", "A connection without a request for this many seconds is closed."),
    (
        "times",
        "connection_age_seconds",
        "A connection older than this many seconds is closed after its current request.",
    ),
    ("times", "long_poll_seconds", "Longest wait of a long-poll, seconds."),
    ("times", "approval_seconds", "A held row lapses after this many seconds without two officers."),
    (
        "times",
        "referral_seconds",
        "A referred row alarms when its authority has not reviewed it after this many seconds.",
    ),
    (
        "times",
        "refusal_before_departure_seconds",
        "A refused row alarms when its sender has not answered this many seconds before the transport leaves.",
    ),
    ("times", "refusal_seconds", "The same where no departure is known: seconds after the refusal."),
    ("times", "idempotency_hours", "An answer to an idempotency key is kept for this many hours."),
    (
        "policy",
        "activating_role",
        "Officers of agencies with this role may put policies in force, two of them together.",
    ),
    (
        "policy",
        "change_seconds",
        "A proposed set of policies lapses after this many seconds without two officers.",
    ),
    ("duty", "zone", "The zone in whose hours the operators are spoken to."),
    (
        "duty",
        "operators_mail",
        "Mail addresses of this node's operators: called when a duty roster names nobody.",
    ),
    ("duty", "operators_hook", "Addresses of this node's operators for the hook: telephone numbers, pagers."),
    ("duty", "mail_host", "The mail server that takes notices; empty for none."),
    ("duty", "mail_port", "Its port."),
    ("duty", "mail_security", "tls, starttls, or none for a server on loopback."),
    ("duty", "mail_from", "The address that notices come from."),
    ("duty", "mail_user", "The name to log in with; empty for none."),
    ("duty", "mail_password_file", "The file that holds the password; never in this file."),
    (
        "duty",
        "hook_url",
        "Where notices for people without mail are posted, signed (RFC 9421): a gateway to SMS, voice or pagers, https; empty for none.",
    ),
    (
        "duty",
        "hook_networks",
        "The networks that it may lie in; private ranges, loopback and link-local only by a network within them.",
    ),
    (
        "duty",
        "ca_file",
        "The certificate authorities, PEM, that the servers of the channels are verified with.",
    ),
    ("times", "drain_seconds", "On shutdown, requests in progress have this many seconds to end."),
    ("retention", "notice_days", "The agency is told this many days before a message's content is erased."),
    (
        "retention",
        "orphan_chunk_hours",
        "Attachment chunks that no message names are erased after this many hours; more than an approval may take.",
    ),
    ("retention", "draft_days", "What was submitted and held is erased this many days after it was decided."),
    (
        "retention",
        "key_backup_days",
        "Copies of the key store live this many days at most; erasures are confirmed with that date.",
    ),
    (
        "webhooks",
        "networks",
        "Networks whose addresses webhooks may call, such as \"10.20.0.0/16\"; none is called that is not listed, and private ranges, loopback and link-local only by a network within them.",
    ),
    (
        "webhooks",
        "answer_seconds",
        "Connecting to a receiver may take so many seconds, and so may its answer.",
    ),
    ("webhooks", "attempts", "An event that its receiver refused so often becomes a dead letter."),
    (
        "webhooks",
        "failing_hours",
        "A receiver in trouble (5xx, no answer) has moreover to be so for this many hours.",
    ),
    (
        "webhooks",
        "unreachable_hours",
        "A webhook whose receiver was not reached for this many hours is paused.",
    ),
    (
        "retention",
        "record_years",
        "Metadata, receipts, decisions and approvals go after this many years; leaves of the log stay.",
    ),
];

/// The text of a configuration with the meaning of each setting above it.
///
/// # Errors
/// When the configuration cannot be written as TOML.
pub fn reference(config: &Config) -> Result<String, toml::ser::Error> {
    let plain = toml::to_string(config)?;
    let mut text =
        String::from("# Puente: configuration of a node. Every setting is shown with its default.\n");
    let mut section = "";
    for line in plain.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = MEANINGS.iter().map(|(s, _, _)| *s).find(|s| *s == name).unwrap_or_default();
        } else if let Some((name, _)) = line.split_once(" = ")
            && let Some((_, _, meaning)) = MEANINGS.iter().find(|(s, n, _)| *s == section && *n == name)
        {
            text.push_str(&format!("\n# {meaning}\n"));
        }
        text.push_str(line);
        text.push('\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use puente_core::ids::Realm;

    #[test]
    fn the_reference_file_is_generated_from_the_structs() {
        let config = Config::new("MX".parse().unwrap(), Realm::Training);
        let text = reference(&config).unwrap();
        assert_eq!(Config::parse(&text).unwrap(), config);
        for (_, name, meaning) in MEANINGS {
            assert!(text.contains(&format!("# {meaning}\n{name} = ")), "{name}");
        }
        let settings = text.lines().filter(|line| line.contains(" = ")).count();
        assert_eq!(settings, MEANINGS.len(), "a setting has no meaning written down");
        let file = include_str!("../../../../ops/config/reference.toml");
        assert_eq!(file, text, "run `puente init --print-reference > ops/config/reference.toml`");
    }

    #[test]
    fn unknown_names_are_refused() {
        assert!(Config::parse("country = \"MX\"\nrealm = \"training\"\ncolour = 1\n").is_err());
    }
}
