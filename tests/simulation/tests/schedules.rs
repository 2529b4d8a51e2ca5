//! Ten thousand schedules hold; and a bug of each kind that is planted is found by some of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use puente_test_simulation::{Fault, Setting, run};

/// Schedules of one run.
const SCHEDULES: u64 = 10_000;

/// Schedules within which a planted bug has to show.
const TO_FIND: u64 = 2_000;

/// Where the seeds start: another number tries other schedules.
const FIRST_SEED: u64 = 20_261_124;

#[test]
fn ten_thousand_schedules_lose_nothing_forget_nothing_and_converge() {
    let setting = Setting::published().unwrap();
    for seed in FIRST_SEED..FIRST_SEED + SCHEDULES {
        if let Err(finding) = run(&setting, seed, Fault::None) {
            panic!("{finding}");
        }
    }
}

#[test]
fn a_schedule_repeats_from_its_seed() {
    let setting = Setting::published().unwrap();
    for fault in Fault::PLANTED {
        for seed in 0..20 {
            assert_eq!(run(&setting, seed, fault), run(&setting, seed, fault), "{fault:?} {seed}");
        }
    }
}

#[test]
fn every_planted_bug_is_found() {
    let setting = Setting::published().unwrap();
    for fault in Fault::PLANTED {
        let found = (FIRST_SEED..FIRST_SEED + TO_FIND).find_map(|seed| run(&setting, seed, fault).err());
        assert!(found.is_some(), "{fault:?} is not found in {TO_FIND} schedules");
    }
}
