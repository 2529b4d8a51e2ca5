//! The policies as they ship: schema, rules and their files, read from `policies/`.
//!
//! Not the engine's reader: a policy here keeps its own text and its place. INVARIANT: nothing is proved about a copy.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cedar_policy::{ActionConstraint, Effect, Policy, PolicyId, PolicySet, RequestEnv, Schema};

/// The files of `policies/` by path, as the engine loads them.
pub type Files = BTreeMap<String, Vec<u8>>;

/// One policy of a file.
#[derive(Clone)]
pub struct Clause {
    /// Its `@id`.
    pub id: String,
    /// The file it stands in, under `policies/`.
    pub file: String,
    /// The policy, named by its `@id`.
    pub policy: Policy,
    /// The actions it speaks to.
    pub actions: Vec<String>,
}

/// The shipped policies.
pub struct Shipped {
    /// The schema.
    pub schema: Schema,
    /// Every policy of `rules/` and `national/`, in the order of the files.
    pub clauses: Vec<Clause>,
    /// Every file.
    pub files: Files,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies")
}

/// Every file under `policies/`.
pub fn files() -> Files {
    fn walk(root: &Path, folder: &Path, into: &mut Files) {
        for entry in std::fs::read_dir(folder).expect("the folder of policies can be read") {
            let path = entry.expect("its entries can be read").path();
            if path.is_dir() {
                walk(root, &path, into);
            } else if let Some(name) = path.strip_prefix(root).ok().and_then(Path::to_str) {
                into.insert(name.to_owned(), std::fs::read(&path).expect("its files can be read"));
            }
        }
    }
    let root = root();
    let mut files = Files::new();
    walk(&root, &root, &mut files);
    files
}

/// The policies of every Cedar file below `folder`.
pub fn clauses(files: &Files, folder: &str) -> Vec<Clause> {
    let cedar = files.iter().filter(|(path, _)| path.starts_with(folder) && path.ends_with(".cedar"));
    cedar.flat_map(|(path, bytes)| of_file(path, bytes)).collect()
}

fn of_file(path: &str, bytes: &[u8]) -> Vec<Clause> {
    let text = std::str::from_utf8(bytes).expect("policies are UTF-8");
    let set: PolicySet = text.parse().unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut found: Vec<_> = set.policies().map(|policy| clause(path, policy)).collect();
    found.sort_by_key(|clause| text.find(&format!("@id(\"{}\")", clause.id)));
    found
}

fn clause(path: &str, policy: &Policy) -> Clause {
    let id = policy.annotation("id").unwrap_or_else(|| panic!("{path}: a policy lacks `@id`")).to_owned();
    let actions = match policy.action_constraint() {
        ActionConstraint::Any => panic!("{path}: `{id}` names no action"),
        ActionConstraint::Eq(action) => vec![action],
        ActionConstraint::In(actions) => actions,
    };
    let actions = actions.iter().map(|action| action.id().unescaped().to_owned()).collect();
    Clause { policy: policy.new_id(PolicyId::new(&id)), file: path.to_owned(), id, actions }
}

/// These policies as one set.
pub fn set<'c>(clauses: impl IntoIterator<Item = &'c Clause>) -> PolicySet {
    PolicySet::from_policies(clauses.into_iter().map(|clause| clause.policy.clone()))
        .expect("no two policies have one `@id`")
}

impl Clause {
    /// Whether it permits.
    pub fn permits(&self) -> bool {
        self.policy.effect() == Effect::Permit
    }

    /// Whether it speaks to an action.
    pub fn speaks_to(&self, action: &str) -> bool {
        self.actions.iter().any(|own| own == action)
    }
}

impl Shipped {
    /// Reads them.
    pub fn load() -> Self {
        let files = files();
        let text = std::str::from_utf8(&files["schema.cedarschema"]).expect("the schema is UTF-8");
        let schema = Schema::from_cedarschema_str(text).unwrap_or_else(|error| panic!("{error}")).0;
        let mut clauses = clauses(&files, "rules/");
        clauses.extend(self::clauses(&files, "national/"));
        Self { schema, clauses, files }
    }

    /// The policies that the engine asks for an action.
    pub fn chapter<'s>(&'s self, action: &'s str) -> impl Iterator<Item = &'s Clause> {
        self.clauses.iter().filter(move |clause| clause.speaks_to(action))
    }

    /// The shape of every request of an action.
    pub fn environment(&self, action: &str) -> RequestEnv {
        let found = self.schema.request_envs().find(|env| env.action().id().unescaped() == action);
        found.unwrap_or_else(|| panic!("the schema has no action `{action}`"))
    }
}
