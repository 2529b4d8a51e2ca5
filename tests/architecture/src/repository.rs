//! The files of the repository, as git sees them.
//!
//! Not the build: what is ignored by git is not there. INVARIANT: paths are relative to the root and use `/`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::source::Source;

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every file that is tracked or would be, sorted.
pub fn files() -> Vec<String> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git lists the files of the repository");
    assert!(listed.status.success(), "git does not list the files: is this a clone?");
    let text = String::from_utf8(listed.stdout).expect("file names are UTF-8");
    let files: BTreeSet<_> =
        text.split('\0').filter(|file| root().join(file).is_file()).map(str::to_owned).collect();
    files.into_iter().filter(|file| !file.is_empty()).collect()
}

/// The text of a file, or nothing where it is not text.
pub fn text(file: &str) -> Option<String> {
    std::fs::read_to_string(root().join(file)).ok()
}

/// A manifest or other TOML file.
pub fn toml(file: &str) -> toml::Table {
    text(file)
        .unwrap_or_else(|| panic!("{file} is missing"))
        .parse()
        .unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Every member of the workspace: its folder, and its manifest.
pub fn members() -> Vec<(String, toml::Table)> {
    let workspace = toml("Cargo.toml");
    let members = workspace["workspace"]["members"].as_array().expect("the workspace names its members");
    let folders = members.iter().filter_map(|member| member.as_str());
    folders.map(|folder| (folder.to_owned(), toml(&format!("{folder}/Cargo.toml")))).collect()
}

/// The name of a member's crate.
pub fn crate_name(manifest: &toml::Table) -> String {
    manifest["package"]["name"].as_str().expect("a package has a name").to_owned()
}

/// Every Rust file of every member, with the modules that only tests see marked as tests.
pub fn sources() -> Vec<Source> {
    let members: Vec<_> =
        members().iter().map(|(folder, manifest)| (folder.clone(), crate_name(manifest))).collect();
    let rust = files().into_iter().filter(|file| file.ends_with(".rs"));
    let mut sources: Vec<_> = rust
        .filter_map(|file| {
            let (folder, name) =
                members.iter().find(|(folder, _)| file.starts_with(&format!("{folder}/")))?;
            let inside = file.strip_prefix(&format!("{folder}/"))?;
            let module = module_of(&name.replace('-', "_"), inside);
            Some(Source::new(file.clone(), text(&file)?, module))
        })
        .collect();
    let hidden: Vec<Vec<String>> = sources
        .iter()
        .flat_map(|source| {
            source
                .test_modules
                .iter()
                .map(|name| [source.module.as_slice(), std::slice::from_ref(name)].concat())
        })
        .collect();
    for source in &mut sources {
        let outside_src = !source.file.contains("/src/") || source.file.starts_with("tests/");
        if outside_src || hidden.iter().any(|module| source.module.starts_with(module)) {
            source.be_test();
        }
    }
    sources
}

/// `src/inbox/mod.rs` of `puente_node` is `puente_node`, `inbox`.
fn module_of(name: &str, inside: &str) -> Vec<String> {
    let path = inside.strip_prefix("src/").unwrap_or(inside).trim_end_matches(".rs");
    let segments = path.split('/').filter(|segment| !["mod", "lib", "main"].contains(segment));
    std::iter::once(name).chain(segments).map(str::to_owned).collect()
}

#[test]
fn the_repository_has_the_crates_of_the_design() {
    let names: BTreeSet<_> = members().iter().map(|(_, manifest)| crate_name(manifest)).collect();
    for expected in ["puente", "puente-core", "puente-node"] {
        assert!(names.contains(expected), "{expected} is missing");
    }
}

#[test]
fn a_module_is_told_from_its_file() {
    assert_eq!(module_of("puente_node", "src/domestic/mod.rs"), ["puente_node", "domestic"]);
    assert_eq!(module_of("puente_node", "src/lib.rs"), ["puente_node"]);
}
