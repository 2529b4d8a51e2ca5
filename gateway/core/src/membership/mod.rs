//! Who is in the federation, with which keys, until when (PROTOCOL.md section 4).
//!
//! Delegation as in TUF: `root` names the keys that sign `members`; `members` names, per country, the keys
//! that sign its directory; a `directory` is a national act. Not here: ceremonies, `fresh`, suspension by
//! signature (their own issue). INVARIANT: a `Membership` holds only what verified, and every key of a
//! country was signed by that country.

mod adoption;
mod document;
mod entry;
mod error;
mod list;
mod lookup;
mod sealing;
mod sender;

pub use adoption::{ADOPTERS, Adopted, Adoption, TYP_ADOPTION};
pub use document::{Signatures, SignedDocument, TYP_DIRECTORY, TYP_MEMBERS, TYP_ROOT, sign_document};
pub use error::MembershipError;
pub use list::{
    Agency, AgencyKey, DelegatedKey, Directory, DirectoryKey, Gateway, KeyUse, Member, Members, Root,
};
pub use lookup::{Membership, MembershipFiles, VerifiedPeer};
pub use sender::SendersOf;
