//! How many rows an agency may ask about without sending them: probing names must not be cheap.
//!
//! Every question counts, whether or not it meets a hold: a limit on hits would itself be an answer.

use std::collections::BTreeMap;

use puente_core::ids::AgencyId;
use puente_core::problem::{self, Problem};

/// Milliseconds in an hour.
const HOUR_MS: i64 = 3_600_000;

/// Questions of this hour by agency; as many entries as the country has agencies.
#[derive(Default)]
pub(super) struct Questions {
    asked: BTreeMap<AgencyId, (i64, u32)>,
}

impl Questions {
    /// Takes `rows` from what the agency has left of this hour.
    pub(super) fn take(
        &mut self,
        agency: &AgencyId,
        rows: usize,
        per_hour: u32,
        now_ms: i64,
    ) -> Result<(), Problem> {
        let hour = now_ms.div_euclid(HOUR_MS);
        let entry = self.asked.entry(agency.clone()).or_insert((hour, 0));
        if entry.0 != hour {
            *entry = (hour, 0);
        }
        let asked = entry.1.saturating_add(u32::try_from(rows).unwrap_or(u32::MAX));
        if asked > per_hour {
            return Err(
                Problem::new(&problem::RATE_LIMITED).because(format!("limit {per_hour} rows in an hour"))
            );
        }
        entry.1 = asked;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_agency_that_asked_too_much_waits_for_the_next_hour_and_hinders_no_other() {
        let mut questions = Questions::default();
        let (one, other) = ("INM".parse().unwrap(), "SRE".parse().unwrap());
        assert!(questions.take(&one, 135, 200, 0).is_ok());
        let refused = questions.take(&one, 66, 200, 10).unwrap_err();
        assert_eq!(refused.kind.code, "rate.limited");
        assert!(questions.take(&one, 65, 200, 10).is_ok());
        assert!(questions.take(&other, 200, 200, 10).is_ok());
        assert!(questions.take(&one, 1, 200, HOUR_MS - 1).is_err());
        assert!(questions.take(&one, 200, 200, HOUR_MS).is_ok());
    }
}
