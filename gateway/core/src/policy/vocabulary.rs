//! The names of the Cedar schema, parsed once, and the message entities built from the profiles.
//!
//! Not here: facts of one message. Invariant: a type without a profile maps to an entity of its family
//! that nobody may send.

use std::collections::{BTreeSet, HashMap, HashSet};

use cedar_policy::{Entities, Entity, EntityId, EntityTypeName, EntityUid, RestrictedExpression, Schema};

use super::profile::{Profile, ProfileStatus, Profiles};
use crate::ids::MessageType;

/// Families that no profile may have, and which rules speak of.
pub(super) const FORBIDDEN_FAMILIES: [&str; 2] = ["query", "search"];

macro_rules! kinds {
    ($($field:ident = $name:literal),* $(,)?) => {
        /// The entity types of the schema.
        pub(super) struct Vocabulary { $(pub(super) $field: EntityTypeName,)* messages: HashMap<String, EntityUid>, absent: HashMap<String, EntityUid> }

        impl Vocabulary {
            fn named() -> Option<Self> {
                Some(Self { $($field: $name.parse().ok()?,)* messages: HashMap::new(), absent: HashMap::new() })
            }
        }
    };
}

kinds! {
    category = "Category", role = "Role", basis = "Basis", kind = "Kind", protection = "Protection",
    age = "AgeBand", standing = "Standing", peer = "PeerStatus", consent = "ConsentStatus", giver = "Giver",
    approval = "Approval", fact = "Fact", country = "Country", purpose = "Purpose", group = "Group",
    message = "Message", action = "Action",
}

/// An entity's uid.
pub(super) fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

/// An entity as an expression.
pub(super) fn one(kind: &EntityTypeName, id: &str) -> RestrictedExpression {
    RestrictedExpression::new_entity_uid(uid(kind, id))
}

/// A set of entities as an expression.
pub(super) fn set<'a>(kind: &EntityTypeName, ids: impl IntoIterator<Item = &'a str>) -> RestrictedExpression {
    RestrictedExpression::new_set(ids.into_iter().map(|id| one(kind, id)))
}

impl Vocabulary {
    /// Names and entities for these profiles, checked against the schema.
    pub(super) fn build(profiles: &Profiles, schema: &Schema) -> Result<(Self, Entities), String> {
        let mut words = Self::named().ok_or("a name of the schema cannot be parsed")?;
        let mut entities = Vec::new();
        let mut groups: BTreeSet<String> =
            FORBIDDEN_FAMILIES.iter().map(|&family| family.to_owned()).collect();
        for (message, profile) in profiles {
            groups.extend(profile.groups.iter().cloned());
            groups.insert(message.family().to_owned());
            let parents = profile.groups.iter().map(String::as_str).chain([message.family()]);
            let parents = parents.map(|group| uid(&words.group, group)).collect();
            let id = uid(&words.message, message.as_str());
            entities.push(words.message_entity(id.clone(), Some(profile), parents)?);
            words.messages.insert(message.as_str().to_owned(), id);
        }
        // The empty name stands for every family without a profile; the slash keeps it from being a type.
        for family in groups.iter().map(String::as_str).chain([""]) {
            let id = uid(&words.message, &format!("{family}/absent"));
            let parents =
                if family.is_empty() { HashSet::new() } else { HashSet::from([uid(&words.group, family)]) };
            entities.push(words.message_entity(id.clone(), None, parents)?);
            words.absent.insert(family.to_owned(), id);
        }
        entities.extend(
            groups.iter().map(|group| Entity::new_no_attrs(uid(&words.group, group), HashSet::new())),
        );
        let entities = Entities::from_entities(entities, Some(schema)).map_err(|error| error.to_string())?;
        Ok((words, entities))
    }

    /// The entity that stands for a message type.
    pub(super) fn message_uid(&self, message: &MessageType) -> EntityUid {
        self.messages
            .get(message.as_str())
            .or_else(|| self.absent.get(message.family()))
            .or_else(|| self.absent.get(""))
            .cloned()
            .unwrap_or_else(|| uid(&self.message, "/absent"))
    }

    fn message_entity(
        &self,
        id: EntityUid,
        profile: Option<&Profile>,
        parents: HashSet<EntityUid>,
    ) -> Result<Entity, String> {
        fn words<T>(of: Option<&BTreeSet<T>>, text: fn(&T) -> &str) -> Vec<&str> {
            of.into_iter().flatten().map(text).collect()
        }
        let roles = |of| set(&self.role, words(of, crate::ids::Role::as_str));
        let attributes = [
            ("senders", roles(profile.map(|p| &p.senders))),
            ("recipients", roles(profile.map(|p| &p.recipients))),
            (
                "maxCategories",
                set(&self.category, words(profile.map(|p| &p.max_categories), crate::ids::Category::as_str)),
            ),
            ("bases", set(&self.basis, words(profile.map(|p| &p.bases), String::as_str))),
            (
                "purposes",
                set(&self.purpose, words(profile.map(|p| &p.purposes), crate::ids::Purpose::as_str)),
            ),
            ("personal", RestrictedExpression::new_bool(profile.is_none_or(|p| p.personal))),
            ("approval", RestrictedExpression::new_bool(profile.is_some_and(|p| p.approval))),
            (
                "adopted",
                RestrictedExpression::new_bool(profile.is_some_and(|p| p.status == ProfileStatus::Adopted)),
            ),
            (
                "retentionDays",
                RestrictedExpression::new_long(profile.map_or(0, |p| i64::from(p.retention_days))),
            ),
        ];
        let attributes = attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Entity::new(id, attributes, parents).map_err(|error| error.to_string())
    }
}
