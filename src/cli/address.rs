//! `--allow-address`: ranges for which the address guard is lifted.

use ipnet::IpNet;

/// Reads `CIDR`, or one address.
///
/// # Errors
///
/// The text is neither; the message says what to write.
pub(super) fn range(text: &str) -> Result<IpNet, String> {
    let address = || text.parse::<std::net::IpAddr>().map(IpNet::from);
    text.parse()
        .or_else(|_| address())
        .map_err(|_| "write a range such as 127.0.0.0/8 or fd00::/8".to_owned())
}
