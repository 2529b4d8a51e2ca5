//! Founding a federation from homes that lie on one machine: for demonstrations, drills and tests.
//!
//! Not here: ceremonies, in which each state signs on its own machine without a network, and the change of
//! members of a federation that stands. Whoever runs this holds every state's key at once, so what it makes
//! proves the form of the documents and nothing about the consent of the states.

use std::collections::BTreeSet;

use puente_core::envelope::{Sign, base64url};
use puente_core::ids::{CountryCode, Realm};
use puente_core::membership::{
    DelegatedKey, Member, Members, Root, SignedDocument, TYP_MEMBERS, TYP_ROOT, sign_document,
};

use crate::clock::Clock;
use crate::config::Config;
use crate::home::{Home, write_file};
use crate::keys::{KeyFile, KeyUse, Signer};
use crate::setup::instant::{self, AUTHORITY_DAYS, MEMBERS_DAYS, ROOT_DAYS};
use crate::setup::{SetupError, credential, directory};

/// Signs root and members list, by a majority of the members' keys, and carries them and every directory into
/// every home.
///
/// # Errors
/// `Members` for none or one twice, `Country` or `Realm` for a home of another, `Founded` for a home that has a
/// root already; otherwise what could not be read, signed or written.
pub fn found(homes: &[(CountryCode, Home)], realm: Realm, clock: &dyn Clock) -> Result<(), SetupError> {
    let distinct: BTreeSet<_> = homes.iter().map(|(country, _)| country).collect();
    if homes.is_empty() || distinct.len() != homes.len() {
        return Err(SetupError::Members);
    }
    for (country, home) in homes {
        expect_unfounded(country, home, realm)?;
    }
    let keys = homes
        .iter()
        .map(|(_, home)| credential::load_key(home, credential::MEMBERS, KeyUse::Sign))
        .collect::<Result<Vec<_>, _>>()?;
    let delegated: Vec<_> = keys.iter().map(delegate).collect();
    let majority = homes.len() / 2 + 1;
    let root = Root {
        realm,
        version: 1,
        expires: instant::ends(clock, ROOT_DAYS),
        root_keys: delegated.clone(),
        root_threshold: majority,
        members_keys: delegated,
        members_threshold: majority,
    };
    let members = Members {
        realm,
        version: 1,
        expires: instant::ends(clock, MEMBERS_DAYS),
        members: homes
            .iter()
            .map(|(country, home)| member(country, home, clock))
            .collect::<Result<_, _>>()?,
    };
    let signers = homes
        .iter()
        .zip(&keys)
        .map(|((_, home), key)| key.signer().map_err(SetupError::key(&home.key(credential::MEMBERS))))
        .collect::<Result<Vec<_>, _>>()?;
    let signers: Vec<&dyn Sign> = signers.iter().map(|signer: &Signer| signer as &dyn Sign).collect();
    let root = sign_document(TYP_ROOT, &root, &signers)?;
    let members = sign_document(TYP_MEMBERS, &members, &signers)?;
    for (_, home) in homes {
        write(home, "root.json", &root)?;
        write(home, "members.json", &members)?;
        for (_, other) in homes {
            directory::copy(other, home)?;
        }
    }
    Ok(())
}

fn expect_unfounded(country: &CountryCode, home: &Home, realm: Realm) -> Result<(), SetupError> {
    let config = Config::read(&home.config())?;
    let path = home.path().to_owned();
    if config.country != *country {
        return Err(SetupError::Country { path, expected: country.clone(), found: config.country });
    }
    if config.realm != realm {
        return Err(SetupError::Realm { path, expected: realm, found: config.realm });
    }
    if home.membership().join("root.json").exists() { Err(SetupError::Founded(path)) } else { Ok(()) }
}

fn delegate(key: &KeyFile) -> DelegatedKey {
    DelegatedKey { kid: key.key_id().clone(), jwk: key.public_jwk() }
}

fn member(country: &CountryCode, home: &Home, clock: &dyn Clock) -> Result<Member, SetupError> {
    let directory_key = credential::load_key(home, credential::DIRECTORY, KeyUse::Sign)?;
    let authority = credential::load_certificate(home, credential::FEDERATION_AUTHORITY)?;
    Ok(Member {
        country: country.clone(),
        directory_keys: vec![delegate(&directory_key)],
        directory_threshold: 1,
        authorities: vec![base64url(&authority)],
        valid_from: instant::begins(clock),
        valid_to: instant::ends(clock, AUTHORITY_DAYS),
    })
}

fn write(home: &Home, name: &str, document: &SignedDocument) -> Result<(), SetupError> {
    let path = home.membership().join(name);
    let bytes = serde_json::to_vec(document)
        .map_err(|_| SetupError::Form { path: path.clone(), expected: "a signed document" })?;
    write_file(&path, &bytes).map_err(SetupError::file(&path))
}
