//! Why a home cannot be set up, edited or loaded: which file, and what to do about it.

use std::path::{Path, PathBuf};

use puente_core::cases::PlanError;
use puente_core::catalogue::CatalogueError;
use puente_core::consent::TextsError;
use puente_core::duty::LadderError;
use puente_core::envelope::CryptoFailure;
use puente_core::ids::{AgencyId, CountryCode, KeyId, OfficerId, Realm, Role};
use puente_core::membership::MembershipError;
use puente_core::policy::PolicyError;

use crate::config::ConfigError;
use crate::duty::RostersError;
use crate::keys::pki::PkiError;
use crate::keys::tls::TlsError;
use crate::keys::{FileError, KeyError, KeyUse};
use crate::policy::SetError;
use crate::register::RegisterError;
use crate::store::OpenError;

/// Why setting up did not go on; what was written before stands.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Something lies where a new home would be.
    #[error("`{}` already exists: a home is set up once, choose another folder or move it away", .0.display())]
    Occupied(PathBuf),
    /// Another process edits this home.
    #[error("`{}` is being edited by another process: try again when it has ended", .0.display())]
    Busy(PathBuf),
    /// A file cannot be read or written.
    #[error("`{}`: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is not of its form.
    #[error("`{}` is not {expected}: restore it or make it again", path.display())]
    Form {
        /// Which.
        path: PathBuf,
        /// What it should be.
        expected: &'static str,
    },
    /// A key on disk is not the one that the directory names.
    #[error("`{}` is not the key that the directory names: restore it, or publish its successor", .0.display())]
    OtherKey(PathBuf),
    /// A private key cannot be used.
    #[error("`{}`: {source}", path.display())]
    Key {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: KeyError,
    },
    /// A private file that is no key pair cannot be used.
    #[error(transparent)]
    Private(#[from] FileError),
    /// The duty rosters cannot be read.
    #[error(transparent)]
    Rosters(#[from] RostersError),
    /// The terms of alerts are not sound.
    #[error("policies/deadlines.json: {0}")]
    Ladders(#[from] LadderError),
    /// Certificate and key do not belong together.
    #[error("certificate `{name}`: {source}")]
    Certificate {
        /// Which certificate.
        name: &'static str,
        /// Why.
        source: TlsError,
    },
    /// A certificate cannot be made or read.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// A document could not be signed.
    #[error(transparent)]
    Signing(#[from] CryptoFailure),
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The configuration cannot be written.
    #[error("configuration cannot be written as TOML")]
    Toml(#[from] toml::ser::Error),
    /// The policies cannot be used.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The texts that are shown to people are not those that were approved.
    #[error(transparent)]
    Texts(#[from] TextsError),
    /// The terms of children's cases cannot be used.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The folder of policies cannot be read.
    #[error(transparent)]
    Policies(#[from] SetError),
    /// The catalogue cannot be used.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// The membership cannot be trusted.
    #[error(transparent)]
    Membership(#[from] MembershipError),
    /// The register of agencies cannot be read.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// The store or its key cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// Policy knows no such role.
    #[error("role `{0}` is in no profile of `policies/profiles.json`")]
    UnknownRole(Role),
    /// An agency was to have no role, or more than any has.
    #[error("an agency holds 1 to {max} roles", max = super::agency::MAX_ROLES)]
    Roles,
    /// There is no such agency.
    #[error("agency `{0}` is not registered")]
    UnknownAgency(AgencyId),
    /// The agency was revoked; its id is not used again.
    #[error("agency `{0}` was revoked: register it under another id")]
    RevokedAgency(AgencyId),
    /// There is no such officer.
    #[error("officer `{0}` is not registered with agency `{1}`")]
    UnknownOfficer(OfficerId, AgencyId),
    /// The officer's id was given before; statements are recorded under it.
    #[error(
        "officer `{0}` already has a credential: revoke it and enrol the person under another officer id"
    )]
    KnownOfficer(OfficerId),
    /// The file holds no public key of this use.
    #[error("`{}` is not a public key as JWK {}, without private members", .0.display(), of_use(*.1))]
    PublicKey(PathBuf, KeyUse),
    /// The key stands in the directory already.
    #[error("key `{0}` stands in the directory already: a key has one holder and one use")]
    KnownKey(KeyId),
    /// The agency has no such key.
    #[error("agency `{1}` has no key `{0}` of its own")]
    UnknownKey(KeyId, AgencyId),
    /// An agency was to open for a role that it does not hold.
    #[error("agency `{0}` does not hold the role `{1}`")]
    RoleNotHeld(AgencyId, Role),
    /// An agency was to have more keys of one use than any has.
    #[error("an agency has at most {max} keys of one use, ended ones among them", max = super::agency_key::MAX_KEYS)]
    Keys,
    /// A home is of another country than it should be.
    #[error("`{}` is the home of `{found}`, not of `{expected}`", path.display())]
    Country {
        /// Which home.
        path: PathBuf,
        /// Whose it should be.
        expected: CountryCode,
        /// Whose it is.
        found: CountryCode,
    },
    /// A home is of another realm than it should be.
    #[error("`{}` is of realm `{found}`, not `{expected}`", path.display())]
    Realm {
        /// Which home.
        path: PathBuf,
        /// Which it should be.
        expected: Realm,
        /// Which it is.
        found: Realm,
    },
    /// A home already belongs to a federation.
    #[error("`{}` already trusts a federation: a new root replaces it only in a ceremony", .0.display())]
    Founded(PathBuf),
    /// A federation of nobody.
    #[error("a federation has at least one member, each country once")]
    Members,
    /// The instant or a span from it lies outside what certificates and documents can say.
    #[error("the clock shows an instant that cannot be used")]
    Clock,
}

/// What the public key of a use has to be.
const fn of_use(usage: KeyUse) -> &'static str {
    match usage {
        KeyUse::Sign => "for signatures, P-256 or Ed25519",
        KeyUse::Open => "to seal to, P-256 or X25519",
    }
}

impl SetupError {
    /// Says which file the system refused.
    pub(crate) fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::File { path: path.to_owned(), source }
    }

    /// Says which key file cannot be used.
    pub(super) fn key(path: &Path) -> impl FnOnce(KeyError) -> Self + '_ {
        move |source| Self::Key { path: path.to_owned(), source }
    }
}
