//! What a url asks for: a hub's path, the provider's own, or nothing but the resource's name.

use super::{Address, Question, Source, stated};
use crate::{category::ConfigurationError, provider::resource::address::refuse};

/// Finds the provider's path, and the table where it is known.
pub(super) fn question(source: Source<'_>) -> Result<Question, ConfigurationError> {
    let Some(url) = stated(source.spec) else {
        return known(source, Address::parse("")?, source.resource, false);
    };
    let address = Address::parse(url)?;
    on_host(&address, source.origin)?;
    if let Some(path) = address.path.trim_start_matches('/').strip_prefix("hubs/") {
        let resource = of_hub(source, path)?;
        return known(source, address, &resource, true);
    }
    let name = address.path.trim_matches('/').to_owned();
    if source.connector.hub.is_some() && source.connector.resources.contains_key(&name) {
        return known(source, address, &name, true);
    }
    own(source, address)
}

fn on_host(address: &Address, origin: &str) -> Result<(), ConfigurationError> {
    match &address.origin {
        Some(stated) if !stated.eq_ignore_ascii_case(origin) => Err(refuse(format!(
            "{stated} is not the instance's host; write a path alone, or {origin}/…"
        ))),
        _ => Ok(()),
    }
}

fn of_hub(source: Source<'_>, path: &str) -> Result<String, ConfigurationError> {
    let (hub, resource) = path
        .trim_end_matches('/')
        .split_once('/')
        .unwrap_or((path, ""));
    let Some(known) = source.connector.hub.as_deref() else {
        return Err(refuse(format!(
            "{} has no hub; write a path of the provider",
            source.connector.name
        )));
    };
    if hub != known {
        return Err(refuse(format!(
            "{} is in the hub {known:?}, not {hub:?}",
            source.connector.name
        )));
    }
    if resource.is_empty() || resource.contains('/') {
        return Err(refuse(format!(
            "write one resource behind the hub, such as /hubs/{known}/{}",
            source.resource
        )));
    }
    Ok(resource.to_owned())
}

fn known(
    source: Source<'_>,
    address: Address,
    resource: &str,
    hub: bool,
) -> Result<Question, ConfigurationError> {
    let table = source.connector.table(resource);
    if !table
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
        || table.is_empty()
    {
        let field = if hub { "spec.url" } else { "spec.resource" };
        return Err(ConfigurationError::new(
            field,
            format!("{table:?} is no name of a resource; write letters, digits, _ and -"),
        ));
    }
    let restriction = source
        .connector
        .resources
        .get(resource)
        .and_then(|known| known.query.clone());
    let path = source.connector.request.path.replace("{table}", table);
    let address = Address { path, ..address };
    Ok(Question {
        address,
        table: Some(table.to_owned()),
        restriction,
        hub,
    })
}

/// A path of the provider, in which the table is recognised.
fn own(source: Source<'_>, address: Address) -> Result<Question, ConfigurationError> {
    if !address.path.starts_with('/') {
        return Err(refuse(
            "write a path that begins with /, or an absolute URL on the instance's host",
        ));
    }
    if address
        .path
        .split('/')
        .any(|segment| matches!(segment, "." | ".."))
    {
        return Err(refuse("a path has no segments . and .."));
    }
    let (before, after) = source
        .connector
        .request
        .path
        .split_once("{table}")
        .unwrap_or((&source.connector.request.path, ""));
    let below = before
        .trim_end_matches('/')
        .rsplit_once('/')
        .map_or("", |(_, last)| last);
    let last = address.path.trim_end_matches(after).rsplit_once('/');
    let table = last
        .filter(|(parent, _)| !below.is_empty() && parent.ends_with(below))
        .map(|(_, table)| table.to_owned());
    Ok(Question {
        address,
        table: table.filter(|table| !table.is_empty()),
        restriction: None,
        hub: false,
    })
}
