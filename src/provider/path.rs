//! Paths of fields in JSON, compiled so that one walk over an object finds several.

/// The names that lead to a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldPath(Box<[Box<str>]>);

/// Why a text is no path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    #[error(
        "a name is missing beside a dot; write names with dots between them, such as attributes.modifiedon"
    )]
    EmptyName,
    #[error("a bracket is not closed; write ['Modified Time']")]
    OpenBracket,
    #[error(
        "brackets hold a name in quotes, such as ['Modified Time']; positions in lists are not supported"
    )]
    NoName,
}

impl FieldPath {
    /// Reads `sys_id`, `user.id`, `@.@id` or `['Modified Time'].value`; blank text is the root.
    ///
    /// # Errors
    ///
    /// Dots without names, and brackets that hold no quoted name.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let mut names = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let (name, after) = if rest.starts_with('[') {
                bracketed(rest)?
            } else {
                dotted(rest)?
            };
            names.push(name.into());
            rest = match after.strip_prefix('.') {
                Some("") => return Err(PathError::EmptyName),
                Some(more) => more,
                None => after,
            };
        }
        Ok(Self(names.into()))
    }

    /// The names from the outermost on.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(AsRef::as_ref)
    }
}

fn dotted(text: &str) -> Result<(&str, &str), PathError> {
    let end = text.find(['.', '[']).unwrap_or(text.len());
    match text.split_at(end) {
        ("", _) => Err(PathError::EmptyName),
        parts => Ok(parts),
    }
}

fn bracketed(text: &str) -> Result<(&str, &str), PathError> {
    let inner = text.strip_prefix('[').unwrap_or(text);
    let quote = inner
        .chars()
        .next()
        .filter(|first| matches!(first, '\'' | '"'))
        .ok_or(PathError::NoName)?;
    let inner = inner.strip_prefix(quote).unwrap_or(inner);
    let (name, after) = inner.split_once(quote).ok_or(PathError::OpenBracket)?;
    let after = after.strip_prefix(']').ok_or(PathError::OpenBracket)?;
    if name.is_empty() {
        Err(PathError::EmptyName)
    } else {
        Ok((name, after))
    }
}

/// Paths by their common beginnings, with what is wanted at the end of each.
#[derive(Clone, Debug)]
pub(super) struct Tree<T> {
    children: Vec<(Box<str>, Tree<T>)>,
    wanted: Vec<T>,
}

impl<T: Copy> Tree<T> {
    pub(super) const fn new() -> Self {
        Self {
            children: Vec::new(),
            wanted: Vec::new(),
        }
    }

    /// Wants `what` at the path.
    pub(super) fn want(&mut self, path: &FieldPath, what: T) {
        let mut node = self;
        for name in path.names() {
            node = node.grow(name);
        }
        node.wanted.push(what);
    }

    /// Wants `what` also under the path as one name: ServiceNow returns the field `caller_id.name`
    /// under that name.
    pub(super) fn want_flat(&mut self, path: &str, what: T) {
        if path.contains('.') && !path.contains('[') {
            self.grow(path).wanted.push(what);
        }
    }

    fn grow(&mut self, name: &str) -> &mut Self {
        let known = self.children.iter().position(|(key, _)| &**key == name);
        let at = known.unwrap_or(self.children.len());
        if known.is_none() {
            self.children.push((name.into(), Self::new()));
        }
        #[expect(clippy::indexing_slicing, reason = "found or pushed just above")]
        &mut self.children[at].1
    }

    #[inline]
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children
            .iter()
            .find(|(key, _)| &**key == name)
            .map(|(_, child)| child)
    }

    #[inline]
    pub(super) fn wanted(&self) -> &[T] {
        &self.wanted
    }

    #[inline]
    pub(super) fn is_leaf(&self) -> bool {
        self.children.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("sys_id", &["sys_id"])]
    #[case("user.id", &["user", "id"])]
    #[case("@.@id", &["@", "@id"])]
    #[case("['Modified Time']", &["Modified Time"])]
    #[case("a['b.c'].d", &["a", "b.c", "d"])]
    #[case(" ", &[])]
    fn a_path_is_read(#[case] text: &str, #[case] names: &[&str]) {
        assert_eq!(
            FieldPath::parse(text).unwrap().names().collect::<Vec<_>>(),
            names
        );
    }

    #[rstest::rstest]
    #[case("a..b", PathError::EmptyName)]
    #[case(".a", PathError::EmptyName)]
    #[case("a.", PathError::EmptyName)]
    #[case("['a'", PathError::OpenBracket)]
    #[case("['a", PathError::OpenBracket)]
    #[case("a[0]", PathError::NoName)]
    fn a_broken_path_is_refused(#[case] text: &str, #[case] error: PathError) {
        assert_eq!(FieldPath::parse(text), Err(error));
    }
}
