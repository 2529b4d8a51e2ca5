//! How long what is set up counts, and the instants at which it begins and ends.

use jiff::Timestamp;

use crate::clock::Clock;
use crate::keys::pki::Validity;
use crate::setup::SetupError;

/// Days of an authority: as long as its country takes part without a ceremony.
pub(super) const AUTHORITY_DAYS: u16 = 3653;
/// Days of a gateway's, server's or agency's certificate.
pub(super) const CERTIFICATE_DAYS: u16 = 397;
/// Days of a key of the directory: two renewals of the certificates, so that nothing ends on one day.
pub(super) const KEY_DAYS: u16 = 794;
/// Days of a directory; every change of it begins them anew.
pub(super) const DIRECTORY_DAYS: u16 = 365;
/// Days of the members list: the states sign it once a year.
pub(super) const MEMBERS_DAYS: u16 = 397;
/// Days of the root.
pub(super) const ROOT_DAYS: u16 = 1826;

/// How far a window begins before the instant it is made at, seconds: a peer's clock may be behind.
const BACKDATE_S: i64 = 300;

/// Seconds of a day.
pub(super) const DAY_S: i64 = 86_400;

/// The window of a certificate that begins now.
pub(super) fn validity(clock: &dyn Clock, days: u16) -> Result<Validity, SetupError> {
    let now = Timestamp::from_millisecond(clock.now_ms()).map_err(|_| SetupError::Clock)?;
    Ok(Validity::days(now, days)?)
}

/// The beginning of a window that counts from now, seconds since the epoch.
pub(super) fn begins(clock: &dyn Clock) -> i64 {
    clock.now_s().saturating_sub(BACKDATE_S)
}

/// The instant this many days from now, seconds since the epoch.
pub(super) fn ends(clock: &dyn Clock, days: u16) -> i64 {
    clock.now_s().saturating_add(i64::from(days).saturating_mul(DAY_S))
}
