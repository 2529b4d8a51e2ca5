//! Until when a message's content is kept, on either side of the border.
//!
//! Not here: erasing it (`retention`). INVARIANT: never longer than the header allows, nor than the profile does.

use puente_core::delivery::{Keeping, SubjectTag};
use puente_core::envelope::Header;
use puente_core::policy::PolicyEngine;

/// Content accepted at `accepted_ms`, announced to its agency `notice_days` before its end.
#[must_use]
pub fn keeping(
    policy: &PolicyEngine,
    header: &Header,
    subject: SubjectTag,
    accepted_ms: i64,
    notice_days: u32,
) -> Keeping {
    let allowed = header.handling.retention_days;
    let days = policy.profile(&header.message_type).map_or(allowed, |most| most.retention_days.min(allowed));
    Keeping::for_days(subject, accepted_ms, days, notice_days)
        .with_attachments(header.attachments.iter().map(|attachment| attachment.root))
}
