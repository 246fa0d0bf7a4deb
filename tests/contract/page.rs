//! A table in the documentation that is made from the code.

use std::{fs, path::Path};

const END: &str = "<!-- end -->\n";

/// Fails where the block `name` of `page` is not `table`; with `UPDATE_GENERATED` it is written anew, as
/// `command` does.
#[track_caller]
pub(crate) fn assert_current(page: &str, name: &str, table: &str, command: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let begin = format!("<!-- generated: {name} -->\n");
    let text = fs::read_to_string(&path).unwrap();
    let (head, rest) = text.split_once(&begin).unwrap();
    let (stored, tail) = rest.split_once(END).unwrap();
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        fs::write(&path, format!("{head}{begin}{table}{END}{tail}")).unwrap();
        return;
    }
    assert_eq!(
        stored, table,
        "{page} is stale: run UPDATE_GENERATED=1 {command}"
    );
}
