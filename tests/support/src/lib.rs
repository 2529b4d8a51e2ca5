//! A federation in a struct, for tests: real nodes on loopback in this process, each with its own home.
//!
//! Not here: assertions. INVARIANT: no fixed port, no real clock inside a node (it moves when the test moves
//! it), and everything ends with the struct.

mod consent;
mod disk;
mod federation;
mod mail;
mod officers;
mod receiver;
mod row;
mod signing;

pub use consent::{consent_event, consent_record};
pub use disk::files;
pub use federation::{Federation, Heard, Member, Overheard, START_MS, post, received, signed};
pub use mail::{Mail, MailServer};
pub use officers::Officers;
pub use receiver::{Called, Manner, Receiver};
pub use row::{adult_row, notice, person};
pub use signing::{sign_message, signed_with, to_sign};
