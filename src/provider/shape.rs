//! Where a record's fields are, compiled once per poller.

use super::path::{FieldPath, PathError, Tree};
use crate::{
    catalog::BodyIs,
    template::{DatePattern, Zone},
};

/// Where the fields of a record are and how they are read, compiled once per poller.
#[derive(Clone, Debug)]
pub struct RecordShape {
    pub(super) body: Tree<BodyPart>,
    pub(super) fields: Tree<Field>,
    pub(super) failures: Box<[BodyIs]>,
    pub(super) updated: Option<DateReader>,
    pub(super) created: Option<DateReader>,
    pub(super) has_version: bool,
    pub(super) has_class: bool,
    pub(super) deleted: Box<[String]>,
    pub(super) ignore: Box<[FieldPath]>,
    pub(super) list: Box<str>,
}

/// What a [`RecordShape`] is compiled from. Paths are written as in `idField`.
#[derive(Clone, Debug, Default)]
pub struct ShapeSettings {
    /// Path of the list of records in the body; empty where the body is the list.
    pub records: String,
    pub id: String,
    pub updated: Option<DateReader>,
    pub created: Option<DateReader>,
    /// Without it, a record's version is a digest of its content.
    pub version: Option<String>,
    pub class: Option<String>,
    /// What steps through records of one date, where it is not the id.
    pub key: Option<String>,
    /// The field that says that a record is deleted, and by which values.
    pub deleted: Option<(String, Vec<String>)>,
    /// Fields that are no part of that digest.
    pub ignore: Vec<String>,
    /// Signs in the body that it is an error.
    pub failures: Vec<BodyIs>,
}

/// A date field and how it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DateReader {
    pub field: String,
    pub pattern: DatePattern,
    /// Where the text is local, unless it says so itself.
    pub zone: Zone,
}

/// A part of a body that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyPart {
    Records,
    /// Index into the failures.
    Failure(usize),
}

/// A field of a record that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Id,
    Updated,
    Created,
    Version,
    Class,
    Key,
    Deleted,
}

impl RecordShape {
    /// Compiles the paths.
    ///
    /// # Errors
    ///
    /// A path is malformed; it is named together with what is wrong.
    pub fn new(settings: ShapeSettings) -> Result<Self, ShapeError> {
        let mut body = Tree::new();
        body.want(&path(&settings.records)?, BodyPart::Records);
        for (index, failure) in settings.failures.iter().enumerate() {
            body.want(&path(&failure.path)?, BodyPart::Failure(index));
        }
        Ok(Self {
            body,
            fields: fields(&settings)?,
            failures: settings.failures.into(),
            has_version: settings.version.is_some(),
            has_class: settings.class.is_some(),
            deleted: settings
                .deleted
                .map(|(_, values)| values.into())
                .unwrap_or_default(),
            ignore: settings
                .ignore
                .iter()
                .map(|text| path(text))
                .collect::<Result<_, _>>()?,
            updated: settings.updated,
            created: settings.created,
            list: settings.records.into(),
        })
    }

    /// Whether records state their class.
    #[must_use]
    pub const fn has_class(&self) -> bool {
        self.has_class
    }

    /// Whether the connector has a version field; else versions are digests of contents.
    #[must_use]
    pub const fn has_version(&self) -> bool {
        self.has_version
    }
}

/// A path that can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path:?}: {problem}")]
pub struct ShapeError {
    pub path: String,
    pub problem: PathError,
}

fn fields(settings: &ShapeSettings) -> Result<Tree<Field>, ShapeError> {
    let wanted = [
        (Some(&settings.id), Field::Id),
        (
            settings.updated.as_ref().map(|date| &date.field),
            Field::Updated,
        ),
        (
            settings.created.as_ref().map(|date| &date.field),
            Field::Created,
        ),
        (settings.version.as_ref(), Field::Version),
        (settings.class.as_ref(), Field::Class),
        (settings.key.as_ref(), Field::Key),
        (
            settings.deleted.as_ref().map(|(path, _)| path),
            Field::Deleted,
        ),
    ];
    let mut tree = Tree::new();
    for (text, field) in wanted {
        let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
            continue;
        };
        tree.want(&path(text)?, field);
        tree.want_flat(text.trim(), field);
    }
    Ok(tree)
}

fn path(text: &str) -> Result<FieldPath, ShapeError> {
    FieldPath::parse(text).map_err(|problem| ShapeError {
        path: text.to_owned(),
        problem,
    })
}
