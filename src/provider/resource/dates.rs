//! A poller's fields: what its spec says, else what the connector knows.

use crate::{
    api::{DatesConfiguration, DeletesMode, PollerResourceSpec},
    catalog::{Connector, DateField, Granularity},
    category::ConfigurationError,
    provider::{DateReader, RecordShape, ShapeSettings},
    template::{DatePattern, Unit, Zone},
};

const DATES: &str = "spec.datesConfiguration";

/// The fields that a poller's records are read by.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    pub(super) id: String,
    /// What steps through records of one date.
    pub(super) key: String,
    pub(super) updated: Option<DateReader>,
    pub(super) created: Option<DateReader>,
}

/// One date's settings in a spec; blank ones count as absent, as in Open Connectors.
struct Given<'a> {
    name: &'static str,
    field: Option<&'a str>,
    format: Option<&'a str>,
    zone: Option<&'a str>,
}

impl Fields {
    pub(super) fn new(
        spec: &PollerResourceSpec,
        connector: &Connector,
    ) -> Result<Self, ConfigurationError> {
        let dates = spec.dates_configuration.clone().unwrap_or_default();
        let (updated, mut created) = given(&dates);
        // Open Connectors reads created dates in the format of updated ones.
        created.format = created.format.or(updated.format);
        created.zone = created.zone.or(updated.zone);
        let id = present(spec.id_field.as_deref()).unwrap_or(&connector.records.id);
        Ok(Self {
            id: id.to_owned(),
            key: connector.records.key.as_deref().unwrap_or(id).to_owned(),
            updated: Some(updated.reader(&connector.dates.updated)?),
            created: Some(created.reader(&connector.dates.created)?),
        })
    }

    /// The shape of records with these fields.
    pub(super) fn shape(
        &self,
        spec: &PollerResourceSpec,
        connector: &Connector,
    ) -> Result<RecordShape, ConfigurationError> {
        let records = connector.records.clone();
        let settings = ShapeSettings {
            records: records.path,
            id: self.id.clone(),
            updated: self.updated.clone(),
            created: self.created.clone(),
            version: records.version,
            class: records.class,
            key: records.key,
            deleted: flag(spec, connector),
            ignore: records
                .ignore
                .into_iter()
                .chain(spec.ignore_fields.iter().cloned())
                .collect(),
            failures: records.failures,
        };
        RecordShape::new(settings).map_err(|error| {
            let field = match &error.path {
                path if *path == self.id => "spec.idField".to_owned(),
                path if spec.ignore_fields.contains(path) => "spec.ignoreFields".to_owned(),
                path => date_path(path, self),
            };
            ConfigurationError::new(field, error.to_string())
        })
    }
}

/// The flag by which this poller finds deletions.
fn flag(spec: &PollerResourceSpec, connector: &Connector) -> Option<(String, Vec<String>)> {
    let flag = connector.deletes.flag.as_ref()?;
    let mode = spec.deletes.as_ref().and_then(|deletes| deletes.mode);
    (mode.unwrap_or_default() == DeletesMode::Auto)
        .then(|| (flag.path.clone(), flag.values.clone()))
}

fn date_path(path: &str, fields: &Fields) -> String {
    let updated = fields
        .updated
        .as_ref()
        .is_some_and(|date| date.field == path);
    format!(
        "{DATES}.{}DateField",
        if updated { "updated" } else { "created" }
    )
}

fn given(dates: &DatesConfiguration) -> (Given<'_>, Given<'_>) {
    let updated = Given {
        name: "updated",
        field: present(dates.updated_date_field.as_deref()),
        format: present(dates.updated_date_format.as_deref()),
        zone: present(dates.updated_date_timezone.as_deref()),
    };
    let created = Given {
        name: "created",
        field: present(dates.created_date_field.as_deref()),
        format: present(dates.created_date_format.as_deref()),
        zone: present(dates.created_date_timezone.as_deref()),
    };
    (updated, created)
}

impl Given<'_> {
    fn reader(&self, known: &DateField) -> Result<DateReader, ConfigurationError> {
        let at = |key: &str| format!("{DATES}.{}Date{key}", self.name);
        let format = self.format.unwrap_or(&known.format);
        let pattern = DatePattern::parse(format)
            .map_err(|error| ConfigurationError::new(at("Format"), error.to_string()))?;
        let zone = self
            .zone
            .or(known.timezone.as_deref())
            .map_or(Ok(Zone::Utc), Zone::parse);
        let zone =
            zone.map_err(|error| ConfigurationError::new(at("Timezone"), error.to_string()))?;
        Ok(DateReader {
            field: self.field.unwrap_or(&known.field).trim().to_owned(),
            pattern,
            zone,
        })
    }
}

/// What isn't blank.
pub(super) fn present(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.trim().is_empty())
}

/// The unit of a provider's clock.
pub(super) const fn unit(granularity: Granularity) -> Unit {
    match granularity {
        Granularity::Milliseconds => Unit::Milliseconds,
        Granularity::Seconds => Unit::Seconds,
        Granularity::Minutes => Unit::Minutes,
        Granularity::Days => Unit::Days,
    }
}
