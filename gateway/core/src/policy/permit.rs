//! The right to release certain categories of one message: made by a decision and by nothing else.

use std::collections::BTreeSet;

use crate::ids::Category;

/// What one permitting decision allows to leave.
///
/// INVARIANT: only a decision whose outcome permits makes one, and it never covers a removed category.
#[derive(Debug, Clone)]
pub struct Permit {
    deliver: BTreeSet<Category>,
}

impl Permit {
    pub(super) const fn new(deliver: BTreeSet<Category>) -> Self {
        Self { deliver }
    }

    /// Whether this category may leave.
    #[must_use]
    pub fn covers(&self, category: &Category) -> bool {
        self.deliver.contains(category)
    }
}
