//! What to say of a field that the schema does not know.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;

/// Names less alike than this are no misspelling of each other; `refreshIntervall` and
/// `refreshInterval` are at 0.99, `url` and `uid` at 0.8.
const LIKENESS: f64 = 0.85;

/// What is wrong with the field `name` where `schema` stands, and what to write: the same name in
/// its right place, else the nearest name of this place.
pub(super) fn message(name: &str, schema: &JSONSchemaProps, root: &JSONSchemaProps) -> String {
    let here = schema
        .properties
        .iter()
        .flat_map(|properties| properties.keys())
        .map(String::as_str);
    let spec = root
        .properties
        .as_ref()
        .and_then(|properties| properties.get("spec"));
    match nearest(name, here.clone()) {
        Some(near) => format!("is not a field: write {near}"),
        None => match spec.and_then(|spec| place_of(name, spec, "spec")) {
            Some(place) => format!("is not a field here: write {place}"),
            None => format!(
                "is not a field: the fields here are {}",
                here.collect::<Vec<_>>().join(", ")
            ),
        },
    }
}

/// The name most like `name`, if it is like it at all.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let rated = known.map(|known| (strsim::jaro_winkler(&name, &known.to_lowercase()), known));
    rated
        .filter(|(likeness, _)| *likeness >= LIKENESS)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, known)| known)
}

/// The path of the first field called `name`, the shallowest first.
fn place_of(name: &str, schema: &JSONSchemaProps, field: &str) -> Option<String> {
    let properties = schema.properties.as_ref()?;
    if properties.contains_key(name) {
        return Some(format!("{field}.{name}"));
    }
    properties
        .iter()
        .find_map(|(property, schema)| place_of(name, schema, &format!("{field}.{property}")))
}
