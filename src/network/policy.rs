//! What may be reached from which namespace.

use std::{fmt, net::IpAddr};

use super::{AddressRule, reserved};

/// The word on addresses of whoever runs Pollen: what is not globally routable is refused unless the
/// allow list names it, and what the deny list names is refused in any case.
#[derive(Clone, Debug, Default)]
pub struct AddressPolicy {
    allowed: Vec<AddressRule>,
    denied: Vec<AddressRule>,
    allower: Allower,
}

/// Who can add to the allow list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Allower {
    /// Who runs the operator: not whoever reads what is said of a refusal.
    #[default]
    ClusterAdmin,
    /// Whoever reads it has given the command.
    Reader,
}

impl AddressPolicy {
    /// The policy of the flags `--allow-address` and `--deny-address`.
    #[must_use]
    pub const fn new(allowed: Vec<AddressRule>, denied: Vec<AddressRule>) -> Self {
        Self {
            allowed,
            denied,
            allower: Allower::ClusterAdmin,
        }
    }

    /// The policy of a command whose `--allow-address` a person gives who also reads its messages.
    #[must_use]
    pub const fn of_command(allowed: Vec<AddressRule>) -> Self {
        Self {
            allowed,
            denied: Vec::new(),
            allower: Allower::Reader,
        }
    }

    /// Whether a connection to this address and port may be made for an object in `namespace`.
    ///
    /// # Errors
    ///
    /// The refusal, which says why and which flag would allow it.
    pub fn permits(&self, address: IpAddr, port: u16, namespace: &str) -> Result<(), Refusal> {
        self.decide(address, Some(port), namespace)
    }

    /// Like [`permits`](Self::permits), with the port where it is known.
    pub(super) fn decide(
        &self,
        address: IpAddr,
        port: Option<u16>,
        namespace: &str,
    ) -> Result<(), Refusal> {
        let address = address.to_canonical();
        let refused = |reason| Refusal {
            host: None,
            address,
            port,
            namespace: namespace.to_owned(),
            reason,
            allower: self.allower,
        };
        if let Some(rule) = self.denying(address, port, namespace) {
            return Err(refused(Reason::Denied(rule.to_string())));
        }
        match reserved::name(address) {
            Some(name) if !self.allows(address, port, namespace) => {
                Err(refused(Reason::NotRoutable(name)))
            }
            _ => Ok(()),
        }
    }

    /// The refusal of an address that plain http may not be spoken with.
    pub(super) fn unencrypted(
        &self,
        address: IpAddr,
        port: Option<u16>,
        namespace: &str,
    ) -> Refusal {
        Refusal {
            host: None,
            address: address.to_canonical(),
            port,
            namespace: namespace.to_owned(),
            reason: Reason::Unencrypted,
            allower: self.allower,
        }
    }

    /// Whether the allow list names this address, and the deny list doesn't.
    pub(super) fn allows(&self, address: IpAddr, port: Option<u16>, namespace: &str) -> bool {
        let address = address.to_canonical();
        self.denying(address, port, namespace).is_none()
            && self
                .allowed
                .iter()
                .any(|rule| rule.covers(address, port, namespace, false))
    }

    /// Whether an entry is limited to this namespace, so that another policy holds in it.
    pub(super) fn singles_out(&self, namespace: &str) -> bool {
        self.allowed
            .iter()
            .chain(&self.denied)
            .any(|rule| rule.namespace() == Some(namespace))
    }

    fn denying(&self, address: IpAddr, port: Option<u16>, namespace: &str) -> Option<&AddressRule> {
        let embedded = match address {
            IpAddr::V4(_) => None,
            IpAddr::V6(address) => reserved::embedded(address).map(IpAddr::V4),
        };
        let mut forms = std::iter::once(address).chain(embedded);
        forms.find_map(|form| {
            self.denied
                .iter()
                .find(|rule| rule.covers(form, port, namespace, true))
        })
    }
}

/// An address that may not be reached, and why: for conditions and logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    host: Option<String>,
    address: IpAddr,
    port: Option<u16>,
    namespace: String,
    reason: Reason,
    allower: Allower,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Reason {
    NotRoutable(&'static str),
    Denied(String),
    Unencrypted,
}

impl Refusal {
    /// The same, naming the host that resolves to the address.
    pub(super) fn of_host(mut self, host: &str) -> Self {
        self.host = Some(host.to_owned());
        self
    }

    /// How the address is allowed.
    fn advice(&self) -> String {
        let flag = format!("--allow-address {}", self.flag_value());
        match self.allower {
            Allower::ClusterAdmin => format!("the cluster admin can allow it with {flag}"),
            Allower::Reader => format!("add {flag} to the command to allow it"),
        }
    }

    fn flag_value(&self) -> String {
        let Self {
            address,
            port,
            namespace,
            ..
        } = self;
        let prefix = if address.is_ipv4() { 32 } else { 128 };
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        let at = if namespace.is_empty() { "" } else { "@" };
        format!("{address}/{prefix}{port}{at}{namespace}")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Some(host) => write!(f, "{host} resolves to {}, ", self.address)?,
            None => write!(f, "{} is ", self.address)?,
        }
        match &self.reason {
            Reason::NotRoutable(name) => write!(f, "{name}, which is refused: {}", self.advice()),
            Reason::Unencrypted => write!(
                f,
                "an address with which plain http is not spoken: write https, or {}",
                self.advice()
            ),
            Reason::Denied(rule) => write!(f, "an address that --deny-address {rule} refuses"),
        }
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn policy(allowed: &[&str], denied: &[&str]) -> AddressPolicy {
        let rules = |entries: &[&str]| entries.iter().map(|e| e.parse().unwrap()).collect();
        AddressPolicy::new(rules(allowed), rules(denied))
    }

    fn permits(policy: &AddressPolicy, address: &str, port: u16, namespace: &str) -> bool {
        policy
            .permits(address.parse().unwrap(), port, namespace)
            .is_ok()
    }

    #[test]
    fn only_what_is_globally_routable_is_permitted_by_default() {
        let policy = AddressPolicy::default();
        assert!(permits(&policy, "93.184.216.34", 443, "a"));
        assert!(!permits(&policy, "10.0.0.1", 443, "a"));
        assert!(!permits(&policy, "::ffff:127.0.0.1", 443, "a"));
    }

    #[rstest]
    #[case::inside("10.1.2.3", 8443, "helpdesk", true)]
    #[case::mapped("::ffff:10.1.2.3", 8443, "helpdesk", true)]
    #[case::outside("10.2.0.1", 8443, "helpdesk", false)]
    #[case::other_port("10.1.2.3", 80, "helpdesk", false)]
    #[case::other_namespace("10.1.2.3", 8443, "sales", false)]
    #[case::through_nat64("64:ff9b::10.1.2.3", 8443, "helpdesk", false)]
    fn an_allowed_range_is_limited_to_its_port_and_namespace(
        #[case] address: &str,
        #[case] port: u16,
        #[case] namespace: &str,
        #[case] permitted: bool,
    ) {
        let policy = policy(&["10.1.0.0/16:8443@helpdesk"], &[]);
        assert_eq!(permits(&policy, address, port, namespace), permitted);
    }

    #[test]
    fn a_denied_range_is_refused_though_routable_or_allowed() {
        let policy = policy(&["10.0.0.0/8"], &["10.9.0.0/16", "93.184.216.0/24:80"]);
        assert!(permits(&policy, "10.8.0.1", 443, "a"));
        assert!(!permits(&policy, "10.9.0.1", 443, "a"));
        assert!(!permits(&policy, "93.184.216.34", 80, "a"));
        assert!(!permits(&policy, "64:ff9b::93.184.216.34", 80, "a"));
        assert!(permits(&policy, "93.184.216.34", 443, "a"));
    }

    #[test]
    fn without_a_known_port_a_rule_with_one_denies_and_does_not_allow() {
        let policy = policy(&["10.0.0.0/8:443"], &["93.184.216.0/24:80"]);
        assert!(
            policy
                .decide("10.0.0.1".parse().unwrap(), None, "a")
                .is_err()
        );
        assert!(
            policy
                .decide("93.184.216.34".parse().unwrap(), None, "a")
                .is_err()
        );
    }

    #[test]
    fn a_refusal_names_host_address_and_flag() {
        let refusal = AddressPolicy::default()
            .permits("10.0.0.5".parse().unwrap(), 8443, "helpdesk")
            .unwrap_err()
            .of_host("crm.internal");
        assert_eq!(
            refusal.to_string(),
            "crm.internal resolves to 10.0.0.5, a private address, which is refused: the cluster \
             admin can allow it with --allow-address 10.0.0.5/32:8443@helpdesk"
        );
    }

    #[test]
    fn a_denied_address_names_the_rule_that_denies_it() {
        let refusal = policy(&[], &["1.1.1.0/24"])
            .permits("1.1.1.1".parse().unwrap(), 443, "a")
            .unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "1.1.1.1 is an address that --deny-address 1.1.1.0/24 refuses"
        );
    }

    /// Nobody but the person who reads it can allow it there.
    #[test]
    fn a_person_who_gave_the_command_is_told_to_add_to_it() {
        let policy = AddressPolicy::of_command(Vec::new());
        let (address, port) = ("127.0.0.1".parse().unwrap(), Some(8080));
        for (refusal, begins) in [
            (
                policy.decide(address, port, "default").unwrap_err(),
                "127.0.0.1 is a loopback address, which is refused: ",
            ),
            (
                policy.unencrypted(address, port, "default"),
                "127.0.0.1 is an address with which plain http is not spoken: write https, or ",
            ),
        ] {
            let advice = "add --allow-address 127.0.0.1/32:8080@default to the command to allow it";
            assert_eq!(refusal.to_string(), format!("{begins}{advice}"));
        }
    }
}
