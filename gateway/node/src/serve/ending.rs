//! When a connection is to end, as told to answers that would otherwise go on for ever.
//!
//! Not here: ending it (`serve`). INVARIANT: it is reached at the latest when the connection is gone.

use tokio::sync::watch;

/// The end of one connection: by age, by shutdown, or because it broke.
#[derive(Debug, Clone)]
pub struct Ending(watch::Receiver<bool>);

impl Ending {
    /// An end, and what announces it when true is sent or it is dropped.
    pub(super) fn pair() -> (watch::Sender<bool>, Self) {
        let (announce, told) = watch::channel(false);
        (announce, Self(told))
    }

    /// Whether it has come.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }

    /// Resolves when it comes.
    pub async fn reached(&mut self) {
        // An error says that the connection is gone.
        let _ = self.0.wait_for(|ended| *ended).await;
    }
}
