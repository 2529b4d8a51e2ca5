//! What the decision function promises, against the published policies.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::Path;

use super::*;

const MATRIX: &[u8] = include_bytes!("../../../../policies/cases/matrix.json");

fn files() -> BTreeMap<String, Vec<u8>> {
    fn walk(root: &Path, dir: &Path, into: &mut BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, into);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                into.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let mut found = BTreeMap::new();
    walk(&root, &root, &mut found);
    found
}

fn engine() -> PolicyEngine {
    PolicyEngine::load(files()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_worked_case_is_decided_as_published() {
    let reports = cases::run(&engine(), MATRIX).unwrap();
    let failed: Vec<_> = reports.iter().filter(|report| !report.passed).collect();
    assert!(failed.is_empty(), "{} of {} failed: {failed:#?}", failed.len(), reports.len());
    assert_eq!(reports.len(), 78);
}
