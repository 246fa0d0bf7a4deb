//! Finding manifests: the files below a path, and the documents in them.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{
    lines::{Lines, Located},
    problem::{Place, Problem},
};

/// One object as it was written, and where.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Document {
    pub(super) place: Place,
    pub(super) value: Value,
    /// Where its fields stand.
    pub(super) lines: Lines,
}

impl Document {
    /// Where the field at this path stands.
    pub(super) fn at(&self, field: &str) -> Place {
        self.place.with_line(self.lines.of(field))
    }
}

/// Reads all documents of the YAML and JSON files at and below `paths`, in the order of their
/// names; hidden files, hidden folders and `skipped` are left out.
pub(super) fn read(paths: &[PathBuf], skipped: Option<&Path>) -> (Vec<Document>, Vec<Problem>) {
    let skipped = skipped.and_then(|path| path.canonicalize().ok());
    let mut found = Found {
        skipped,
        ..Found::default()
    };
    for path in paths {
        found.visit(path, true);
    }
    if found.files == 0 && found.problems.is_empty() {
        let path = paths.first().cloned().unwrap_or_default();
        found.problem(
            path,
            1,
            "no *.yaml, *.yml or *.json here: put manifests into this folder".into(),
        );
    }
    (found.documents, found.problems)
}

#[derive(Default)]
struct Found {
    skipped: Option<PathBuf>,
    files: usize,
    documents: Vec<Document>,
    problems: Vec<Problem>,
}

impl Found {
    /// `named`: the user named this path, so that neither its name nor its extension matters.
    fn visit(&mut self, path: &Path, named: bool) {
        if !named && is_hidden(path) {
            return;
        }
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => self.visit_folder(path, named),
            Ok(_) if named || is_manifest(path) => self.read_file(path),
            Ok(_) => {}
            Err(error) => self.problem(path.to_owned(), 1, format!("cannot be read: {error}")),
        }
    }

    fn visit_folder(&mut self, folder: &Path, named: bool) {
        // A link to a folder may lead back up: only one that the user names is followed.
        let linked = !named && folder.is_symlink();
        if linked || (self.skipped.is_some() && folder.canonicalize().ok() == self.skipped) {
            return;
        }
        let entries = std::fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        match entries {
            Ok(entries) => {
                let mut paths: Vec<_> = entries.iter().map(std::fs::DirEntry::path).collect();
                paths.sort();
                paths.iter().for_each(|path| self.visit(path, false));
            }
            Err(error) => self.problem(folder.to_owned(), 1, format!("cannot be read: {error}")),
        }
    }

    fn read_file(&mut self, path: &Path) {
        self.files += 1;
        match std::fs::read(path) {
            Ok(content) => self.parse(path, &content),
            Err(error) => self.problem(path.to_owned(), 1, format!("cannot be read: {error}")),
        }
    }

    fn parse(&mut self, path: &Path, mut content: &[u8]) {
        for document in serde_saphyr::read::<_, serde_saphyr::Spanned<Located>>(&mut content) {
            match document {
                Ok(document) => self.add(path, document.value.at(document.referenced.line())),
                Err(error) => {
                    let line = error.location().map_or(1, |location| location.line());
                    // Without the snippet: the lines around may be a Secret's.
                    let message = error.without_snippet().to_string();
                    self.problem(
                        path.to_owned(),
                        line,
                        format!("not valid YAML or JSON: {message}"),
                    );
                }
            }
        }
    }

    /// A `List`, as `kubectl get -o yaml` prints it, is its items.
    fn add(&mut self, path: &Path, Located { mut value, lines }: Located) {
        if value.get("kind").and_then(Value::as_str) != Some("List") {
            let place = Place {
                path: path.to_owned(),
                line: lines.of(""),
            };
            self.documents.push(Document {
                place,
                value,
                lines,
            });
        } else if let Some(Value::Array(items)) = value.get_mut("items").map(Value::take) {
            let lines = lines.elements("items").iter().cloned();
            for (value, lines) in items.into_iter().zip(lines) {
                self.add(path, Located { value, lines });
            }
        }
    }

    fn problem(&mut self, path: PathBuf, line: u64, message: String) {
        self.problems.push(Problem {
            place: Place { path, line },
            message,
        });
    }
}

fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

fn is_manifest(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "yaml" || extension == "yml" || extension == "json")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        root
    }

    fn read_root(root: &tempfile::TempDir) -> (Vec<Document>, Vec<Problem>) {
        read(&[root.path().to_owned()], None)
    }

    fn values(documents: &[Document]) -> Vec<&Value> {
        documents.iter().map(|document| &document.value).collect()
    }

    #[test]
    fn files_are_read_in_order_of_their_names_and_folders_are_entered() {
        let root = folder(&[
            ("b.yml", "a: 2"),
            ("a/z.yaml", "a: 1"),
            ("c.json", "{\"a\": 3}"),
            ("d.txt", "a: 4"),
        ]);
        let (documents, problems) = read_root(&root);
        assert_eq!(
            values(&documents),
            [&json!({"a": 1}), &json!({"a": 2}), &json!({"a": 3})]
        );
        assert_eq!(problems, []);
    }

    #[test]
    fn hidden_and_skipped_folders_are_left_out() {
        let root = folder(&[
            (".git/a.yaml", "a: 1"),
            ("state/b.yaml", "a: 2"),
            ("c.yaml", "a: 3"),
        ]);
        let (documents, _) = read(&[root.path().to_owned()], Some(&root.path().join("state")));
        assert_eq!(values(&documents), [&json!({"a": 3})]);
    }

    #[test]
    fn each_document_has_the_line_where_it_begins() {
        let root = folder(&[("a.yaml", "# first\na: 1\n---\n\nb: 2\n---\n---\nc: 3\n")]);
        let (documents, problems) = read_root(&root);
        let lines: Vec<_> = documents
            .iter()
            .map(|document| document.place.line)
            .collect();
        assert_eq!((lines, problems), (vec![2, 5, 8], vec![]));
    }

    #[test]
    fn a_list_is_its_items() {
        let root = folder(&[
            ("a.yaml", "kind: List\nitems:\n- {a: 1}\n- {a: 2}"),
            ("b.yaml", "kind: Menu\nitems: [1]"),
        ]);
        let (documents, _) = read_root(&root);
        let menu = json!({"kind": "Menu", "items": [1]});
        assert_eq!(
            values(&documents),
            [&json!({"a": 1}), &json!({"a": 2}), &menu]
        );
        assert_eq!(documents[1].place.line, 4);
    }

    #[test]
    fn an_unreadable_document_is_named_by_line_without_what_it_holds() {
        let root = folder(&[(
            "a.yaml",
            "a: 1\n---\nstringData:\n  clientSecret: hunter2\n   b: [\n",
        )]);
        let (documents, problems) = read_root(&root);
        assert_eq!(documents.len(), 1);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].place.line >= 4, "{}", problems[0]);
        assert!(
            !problems[0].to_string().contains("hunter2"),
            "{}",
            problems[0]
        );
    }

    #[test]
    fn a_folder_without_manifests_and_a_missing_one_are_problems() {
        let root = folder(&[("a.txt", "a: 1")]);
        let (_, problems) = read_root(&root);
        assert!(
            problems[0].message.starts_with("no *.yaml"),
            "{}",
            problems[0]
        );
        let (_, problems) = read(&[root.path().join("missing")], None);
        assert!(
            problems[0].message.starts_with("cannot be read"),
            "{}",
            problems[0]
        );
    }
}
