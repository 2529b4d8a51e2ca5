//! Refuses a zip archive that unpacks to more than a spreadsheet may.
//!
//! Not here: reading the sheet. Invariant: what is declared is judged before anything is inflated, and what is
//! inflated is counted and thrown away before anything is kept.

use std::io::{Cursor, Read as _, copy, sink};

use puente_core::problem::{self, Problem};
use zip::ZipArchive;

/// Bytes of the file as sent: a list of 100,000 rows packs to about 10 MiB.
const MAX_PACKED: usize = 16 * 1024 * 1024;
/// Bytes of all entries unpacked.
const MAX_UNPACKED: u64 = 64 * 1024 * 1024;
/// Unpacked to packed: sheets of repeated words reach about 50.
const MAX_RATIO: u64 = 200;
/// Entries of one archive: a workbook has about a dozen, with many sheets a few hundred.
const MAX_ENTRIES: usize = 512;

/// Checks the archive whole.
///
/// # Errors
/// `sheet.unreadable` when it is no archive or is cut, `sheet.too_large` beyond a bound.
pub fn within_bounds(bytes: &[u8]) -> Result<(), Problem> {
    let too_large =
        || Problem::new(&problem::SHEET_TOO_LARGE).because("at most 64 MiB unpacked, 200 to 1, 512 parts");
    let unreadable =
        |()| Problem::new(&problem::SHEET_UNREADABLE).because("the file is cut or is not a workbook");
    if bytes.len() > MAX_PACKED {
        return Err(too_large());
    }
    let limit = MAX_UNPACKED.min((bytes.len() as u64).saturating_mul(MAX_RATIO));
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| unreadable(()))?;
    if archive.len() > MAX_ENTRIES {
        return Err(too_large());
    }
    let mut declared = 0_u64;
    for index in 0..archive.len() {
        declared = declared.saturating_add(archive.by_index_raw(index).map_err(|_| unreadable(()))?.size());
    }
    if declared > limit {
        return Err(too_large());
    }
    let mut actual = 0_u64;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(|_| unreadable(()))?;
        let left = limit.saturating_sub(actual).saturating_add(1);
        actual += copy(&mut entry.take(left), &mut sink()).map_err(|_| unreadable(()))?;
        if actual > limit {
            return Err(too_large());
        }
    }
    Ok(())
}
