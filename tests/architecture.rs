//! The floors of the house: nothing imports upward, and below the operator nothing knows that
//! Kubernetes exists (`ARCHITECTURE.md`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The floors from the top down. A module imports from floors below its own, or from itself.
const FLOORS: &[&[&str]] = &[
    &["cli"],
    &["operator", "local"],
    &["fleet"],
    &["poll"],
    &["provider", "callback", "event"],
    &["catalog"],
    &["api", "template", "network", "telemetry"],
    &["secrets"],
    &["category", "clock"],
];

/// Imports within one floor, each with its reason.
const SIDEWAYS: &[(&str, &str)] = &[
    // A notification is what a callback delivers.
    ("callback", "event"),
];

/// Who may import the Kubernetes client: the operator, and the contract for its types.
const KUBE: &[&str] = &["operator", "api", "cli"];

fn floor_of(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

/// Every file of `src/` with the module of the crate that it belongs to.
fn sources() -> Vec<(String, PathBuf)> {
    fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&root, &mut files);
    let module = |file: &PathBuf| {
        let first = file
            .strip_prefix(&root)
            .unwrap()
            .components()
            .next()
            .unwrap();
        first
            .as_os_str()
            .to_str()
            .unwrap()
            .trim_end_matches(".rs")
            .to_owned()
    };
    files
        .into_iter()
        .map(|file| (module(&file), file))
        .filter(|(module, _)| module != "lib" && module != "main")
        .collect()
}

/// The modules of the crate that a source names after `crate::`, in one path or in a group.
fn imports(source: &str) -> BTreeSet<String> {
    let code: String = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n");
    let mut found = BTreeSet::new();
    for (start, _) in code.match_indices("crate::") {
        if code[..start]
            .ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == '$')
        {
            continue;
        }
        let rest = &code[start + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => found.extend(top_level_names(group)),
            None => found.extend(name(rest)),
        }
    }
    found
}

fn name(text: &str) -> Option<String> {
    let end = text
        .find(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

fn top_level_names(group: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut depth = 0;
    let mut fresh = true;
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            _ if letter.is_whitespace() => {}
            _ if fresh && depth == 0 => {
                names.extend(name(&group[at..]));
                fresh = false;
            }
            _ => {}
        }
    }
    names
}

#[test]
fn every_module_has_a_floor() {
    let homeless: BTreeSet<_> = sources()
        .into_iter()
        .map(|(module, _)| module)
        .filter(|module| floor_of(module).is_none())
        .collect();
    assert!(homeless.is_empty(), "modules without a floor: {homeless:?}");
}

#[test]
fn nothing_imports_upward() {
    let mut wrong = Vec::new();
    for (module, file) in sources() {
        for import in imports(&fs::read_to_string(&file).unwrap()) {
            let (Some(own), Some(other)) = (floor_of(&module), floor_of(&import)) else {
                continue;
            };
            let allowed = import == module
                || other > own
                || SIDEWAYS.contains(&(module.as_str(), import.as_str()));
            if !allowed {
                wrong.push(format!("{} imports crate::{import}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn below_the_operator_nothing_knows_that_kubernetes_exists() {
    let mut wrong = Vec::new();
    for (module, file) in sources() {
        let source = fs::read_to_string(&file).unwrap();
        let uses = source.lines().any(|line| {
            let line = line.trim_start();
            !line.starts_with("//")
                && ["kube::", "k8s_openapi::"]
                    .iter()
                    .any(|name| line.contains(name))
        });
        if uses && !KUBE.contains(&module.as_str()) {
            wrong.push(file.display().to_string());
        }
    }
    assert!(
        wrong.is_empty(),
        "imports of a Kubernetes client: {}",
        wrong.join(", ")
    );
}

#[test]
fn the_reader_of_imports_sees_single_paths_and_groups() {
    let source = "use crate::clock::Clock;\nuse crate::{\n    api::{A, poll},\n    event::B,\n};\n// crate::operator\nlet x = crate::fleet::run();";
    let seen: Vec<_> = imports(source).into_iter().collect();
    assert_eq!(seen, ["api", "clock", "event", "fleet"]);
}
