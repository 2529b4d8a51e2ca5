//! A missing-child broadcast: to whom it goes in each country, and which messages end it or answer it.
//!
//! Not here: its clock (`watch`) and its authorisation (policy). INVARIANT: in every country one authority gets it, and border
//! posts only beside that authority.

use crate::ids::Role;

/// The type of the broadcast.
pub const BROADCAST: &str = "missing_child.broadcast";
/// The type that ends it.
pub const CANCEL: &str = "missing_child.cancel";
/// The type by which somebody who saw the child tells the authority.
pub const SIGHTING: &str = "missing_child.sighting";

/// Roles of the authority that a country answers with, the first it has.
const AUTHORITIES: [&str; 3] = ["search_commission", "child_protection", "police_prosecutor"];
/// Roles that stand at a border.
const POSTS: [&str; 2] = ["returns_reception", "migration_enforcement"];

/// Whether border posts get it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The authority of each country alone.
    Authorities,
    /// Its border posts as well.
    AndPosts,
}

/// The roles of one country that get a broadcast, the authority first; none where it has no authority for it.
#[must_use]
pub fn recipients(reach: Reach, has: &dyn Fn(&Role) -> bool) -> Vec<Role> {
    let roles =
        |names: &[&str]| names.iter().filter_map(|name| name.parse::<Role>().ok()).collect::<Vec<_>>();
    let Some(authority) = roles(&AUTHORITIES).into_iter().find(has) else { return Vec::new() };
    let posts = match reach {
        Reach::Authorities => Vec::new(),
        Reach::AndPosts => roles(&POSTS),
    };
    std::iter::once(authority).chain(posts.into_iter().filter(has)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(reach: Reach, country: &[&str]) -> Vec<String> {
        let has = |role: &Role| country.contains(&role.as_str());
        recipients(reach, &has).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn one_authority_of_a_country_gets_it_and_posts_only_where_they_were_asked_for() {
        let country = ["police_prosecutor", "child_protection", "migration_enforcement"];
        assert_eq!(of(Reach::Authorities, &country), ["child_protection"]);
        assert_eq!(of(Reach::AndPosts, &country), ["child_protection", "migration_enforcement"]);
    }

    #[test]
    fn a_country_without_an_authority_gets_nothing_at_its_border_either() {
        assert_eq!(of(Reach::AndPosts, &["migration_enforcement"]), Vec::<String>::new());
    }
}
