//! An agreement binds once every party has signed the same text, and outside training not before.

use puente_core::policy::{Agreements, Standing};

use super::*;
use crate::policy::Trust;
use crate::setup::agreement;

const PLAIN: &str = r#"{"id": "X", "parties": ["MX", "GT"], "in_force_from": "2005-06-28T00:00:00Z", "in_force_to": null,
    "covers": {"messages": ["return.manifest"], "categories": null, "directions": "both"}, "biometrics": false,
    "source": "test"}"#;

/// Where it stands between Mexico and Guatemala for a node of this realm.
fn standing(home: &Home, realm: Realm, bytes: &[u8]) -> Standing {
    let agreements = Agreements::load([("agreements/x.json".to_owned(), bytes.to_vec())]).unwrap();
    let config = Config::read(&home.config()).unwrap();
    let membership = load::membership(home, &config, None).unwrap();
    let binding = Trust { membership: &membership, realm, clock: &clock() }.admit(&agreements);
    let now = jiff::Timestamp::from_millisecond(NOW_MS).unwrap();
    let (mx, gt) = ("MX".parse().unwrap(), "GT".parse().unwrap());
    binding.status(&"X".parse().unwrap(), &mx, &gt, &"return.manifest".parse().unwrap(), now)
}

fn bytes(document: &SignedDocument) -> Vec<u8> {
    serde_json::to_vec(document).unwrap()
}

#[test]
fn only_what_every_party_signed_binds_outside_training() {
    let folder = tempfile::tempdir().unwrap();
    let homes = federation(folder.path(), &["GT", "HN", "MX"]);
    let [gt, hn, mx] = [0, 1, 2].map(|at| &homes[at].1);
    assert_eq!(standing(mx, Realm::Training, PLAIN.as_bytes()), Standing::InForce);
    assert_eq!(standing(mx, Realm::Production, PLAIN.as_bytes()), Standing::Absent);
    let one = agreement::sign(mx, PLAIN.as_bytes()).unwrap();
    let stranger = agreement::sign(hn, &bytes(&one)).unwrap();
    let both = agreement::sign(gt, &bytes(&one)).unwrap();
    for realm in [Realm::Training, Realm::Production] {
        assert_eq!(standing(gt, realm, &bytes(&one)), Standing::Absent);
        assert_eq!(standing(gt, realm, &bytes(&stranger)), Standing::Absent);
        assert_eq!(standing(gt, realm, &bytes(&both)), Standing::InForce);
        let mut altered = both.clone();
        altered.payload = puente_core::envelope::base64url(PLAIN.replace("false", "true").as_bytes());
        assert_eq!(standing(gt, realm, &bytes(&altered)), Standing::Absent);
    }
}
