//! Entries of the allow and deny lists: `CIDR[:PORT][@NAMESPACE]`.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use ipnet::IpNet;

/// One entry of an allow or deny list: a range, perhaps one port of it, perhaps for one namespace.
///
/// Its text is `CIDR[:PORT][@NAMESPACE]`, as in `10.0.0.0/8`, `10.1.2.3/32:8443`,
/// `fd00::/8@helpdesk`; a single address may be written without its prefix (`10.1.2.3:8443`,
/// `[fd00::1]:8443`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressRule {
    range: IpNet,
    port: Option<u16>,
    namespace: Option<String>,
}

impl AddressRule {
    /// Whether the entry speaks of this address. Where the port isn't known, only an entry for
    /// all ports allows, and any entry denies: `unknown_port` says which.
    pub(super) fn covers(
        &self,
        address: IpAddr,
        port: Option<u16>,
        namespace: &str,
        unknown_port: bool,
    ) -> bool {
        let port_matches = match (self.port, port) {
            (None, _) => true,
            (Some(_), None) => unknown_port,
            (Some(own), Some(port)) => own == port,
        };
        port_matches
            && self.range.contains(&address)
            && self.namespace.as_deref().is_none_or(|own| own == namespace)
    }
}

impl fmt::Display for AddressRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.range)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        if let Some(namespace) = &self.namespace {
            write!(f, "@{namespace}")?;
        }
        Ok(())
    }
}

/// An entry that cannot be read; the text says what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{entry:?}: {problem}; write CIDR[:PORT][@NAMESPACE], such as 10.0.0.0/8:8443@helpdesk")]
pub struct AddressRuleError {
    entry: String,
    problem: String,
}

impl FromStr for AddressRule {
    type Err = AddressRuleError;

    fn from_str(entry: &str) -> Result<Self, Self::Err> {
        parse(entry).map_err(|problem| AddressRuleError {
            entry: entry.to_owned(),
            problem,
        })
    }
}

fn parse(entry: &str) -> Result<AddressRule, String> {
    let (place, namespace) = match entry.split_once('@') {
        Some((place, namespace)) => (place, Some(self::namespace(namespace)?)),
        None => (entry, None),
    };
    let (range, port) = self::place(place)?;
    Ok(AddressRule {
        range,
        port,
        namespace,
    })
}

fn place(place: &str) -> Result<(IpNet, Option<u16>), String> {
    if let Ok(address) = place.parse::<IpAddr>() {
        return Ok((address.into(), None));
    }
    if let Ok(socket) = place.parse::<SocketAddr>() {
        return Ok((socket.ip().into(), Some(nonzero(socket.port())?)));
    }
    let (address, rest) = place
        .split_once('/')
        .ok_or("it is no address and has no prefix")?;
    let (prefix, port) = match rest.split_once(':') {
        Some((prefix, port)) => (prefix, Some(self::port(port)?)),
        None => (rest, None),
    };
    Ok((range(address, prefix)?, port))
}

fn range(address: &str, prefix: &str) -> Result<IpNet, String> {
    let address = address.trim_start_matches('[').trim_end_matches(']');
    let address: IpAddr = address
        .parse()
        .map_err(|_| format!("{address:?} is no address"))?;
    let prefix: u8 = prefix
        .parse()
        .map_err(|_| format!("{prefix:?} is no prefix length"))?;
    let range = IpNet::new(address, prefix)
        .map_err(|_| format!("the prefix {prefix} is longer than the address"))?;
    if range.trunc() == range {
        Ok(range)
    } else {
        Err(format!(
            "the address has bits behind its prefix, the range is {}",
            range.trunc()
        ))
    }
}

fn port(port: &str) -> Result<u16, String> {
    nonzero(port.parse().map_err(|_| format!("{port:?} is no port"))?)
}

fn nonzero(port: u16) -> Result<u16, String> {
    if port == 0 {
        Err("0 is no port".to_owned())
    } else {
        Ok(port)
    }
}

fn namespace(name: &str) -> Result<String, String> {
    let is_label = !name.is_empty()
        && name.len() <= 63
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if is_label {
        Ok(name.to_owned())
    } else {
        Err(format!("{name:?} is no namespace"))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("10.0.0.0/8", "10.0.0.0/8")]
    #[case("10.0.0.0/8:8443", "10.0.0.0/8:8443")]
    #[case("10.0.0.0/8@helpdesk", "10.0.0.0/8@helpdesk")]
    #[case("10.0.0.0/8:8443@helpdesk", "10.0.0.0/8:8443@helpdesk")]
    #[case("10.1.2.3", "10.1.2.3/32")]
    #[case("10.1.2.3:80", "10.1.2.3/32:80")]
    #[case("fd00::/8", "fd00::/8")]
    #[case("fd00::/8:443@a", "fd00::/8:443@a")]
    #[case("[fd00::]/8:443", "fd00::/8:443")]
    #[case("::1", "::1/128")]
    #[case("[::1]:8080", "::1/128:8080")]
    fn an_entry_is_read(#[case] entry: &str, #[case] shown: &str) {
        assert_eq!(entry.parse::<AddressRule>().unwrap().to_string(), shown);
    }

    #[rstest]
    #[case("", "it is no address and has no prefix")]
    #[case("example.com", "it is no address and has no prefix")]
    #[case("example.com/8", "\"example.com\" is no address")]
    #[case("10.0.0.0/33", "the prefix 33 is longer than the address")]
    #[case("10.0.0.0/x", "\"x\" is no prefix length")]
    #[case("10.0.0.5/8", "the range is 10.0.0.0/8")]
    #[case("10.0.0.0/8:0", "0 is no port")]
    #[case("10.1.2.3:0", "0 is no port")]
    #[case("10.0.0.0/8:65536", "\"65536\" is no port")]
    #[case("10.0.0.0/8@", "\"\" is no namespace")]
    #[case("10.0.0.0/8@Help desk", "\"Help desk\" is no namespace")]
    fn a_wrong_entry_is_refused_with_its_problem(#[case] entry: &str, #[case] problem: &str) {
        let error = entry.parse::<AddressRule>().unwrap_err().to_string();
        assert!(
            error.contains(problem) && error.contains("10.0.0.0/8:8443@helpdesk"),
            "{error}"
        );
    }
}
