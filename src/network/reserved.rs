//! The addresses that are not globally routable: IANA's special-purpose registries (RFC 6890 and
//! its updates) and the metadata services of clouds, which may stand on a public address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// What an address is called that the internet cannot, or should not, be asked for; `None` for a
/// globally routable one.
pub(super) fn name(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => v4(address),
        IpAddr::V6(address) => v6(address),
    }
}

/// The IPv4 address that an IPv6 one stands for: mapped (RFC 4291), NAT64 (RFC 6052) and 6to4
/// (RFC 3056).
pub(super) fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [first, second, third, .., seventh, eighth] = address.segments();
    if let Some(mapped) = address.to_ipv4_mapped() {
        Some(mapped)
    } else if NAT64.contains(&address) {
        Some(joined(seventh, eighth))
    } else if first == 0x2002 {
        Some(joined(second, third))
    } else {
        None
    }
}

fn joined(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(high) << 16 | u32::from(low))
}

fn v4(address: Ipv4Addr) -> Option<&'static str> {
    V4.iter()
        .find(|(net, _)| net.contains(&address))
        .map(|(_, name)| *name)
}

fn v6(address: Ipv6Addr) -> Option<&'static str> {
    if let Some(inner) = embedded(address) {
        return v4(inner);
    }
    let special = V6
        .iter()
        .find(|(net, _)| net.contains(&address))
        .map(|(_, name)| *name);
    special.or_else(|| (!GLOBAL_UNICAST.contains(&address)).then_some("a reserved address"))
}

const fn net4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn net6(segments: [u16; 8], prefix: u8) -> Ipv6Net {
    let [a, b, c, d, e, f, g, h] = segments;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), prefix)
}

/// All that is assigned for use across the internet so far.
const GLOBAL_UNICAST: Ipv6Net = net6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);
const NAT64: Ipv6Net = net6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96);

/// The first match names the address, so the narrower ranges stand first.
const V4: [(Ipv4Net, &str); 20] = [
    (net4(169, 254, 169, 254, 32), "a cloud metadata address"),
    (net4(169, 254, 170, 2, 32), "a cloud metadata address"),
    (net4(100, 100, 100, 200, 32), "a cloud metadata address"),
    (net4(192, 0, 0, 192, 32), "a cloud metadata address"),
    // Azure's agent endpoint is reachable from every virtual machine, on a public address.
    (net4(168, 63, 129, 16, 32), "a cloud metadata address"),
    (net4(0, 0, 0, 0, 8), "an unspecified address"),
    (net4(10, 0, 0, 0, 8), "a private address"),
    (net4(100, 64, 0, 0, 10), "a shared (CGNAT) address"),
    (net4(127, 0, 0, 0, 8), "a loopback address"),
    (net4(169, 254, 0, 0, 16), "a link-local address"),
    (net4(172, 16, 0, 0, 12), "a private address"),
    (net4(192, 0, 0, 0, 24), "a reserved address"),
    (net4(192, 0, 2, 0, 24), "a documentation address"),
    (net4(192, 88, 99, 0, 24), "a reserved address"),
    (net4(192, 168, 0, 0, 16), "a private address"),
    (net4(198, 18, 0, 0, 15), "a benchmarking address"),
    (net4(198, 51, 100, 0, 24), "a documentation address"),
    (net4(203, 0, 113, 0, 24), "a documentation address"),
    (net4(224, 0, 0, 0, 4), "a multicast address"),
    (net4(240, 0, 0, 0, 4), "a reserved address"),
];

const V6: [(Ipv6Net, &str); 14] = [
    (
        net6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254], 128),
        "a cloud metadata address",
    ),
    (
        net6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128),
        "a cloud metadata address",
    ),
    (
        net6([0, 0, 0, 0, 0, 0, 0, 0], 128),
        "an unspecified address",
    ),
    (net6([0, 0, 0, 0, 0, 0, 0, 1], 128), "a loopback address"),
    (
        net6([0, 0, 0, 0, 0, 0, 0, 0], 96),
        "an IPv4-compatible address",
    ),
    (
        net6([0x100, 0, 0, 0, 0, 0, 0, 0], 64),
        "a discard-only address",
    ),
    // Teredo, benchmarking, ORCHID: all that RFC 2928 set aside for protocols.
    (
        net6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
        "a reserved address",
    ),
    (
        net6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
        "a documentation address",
    ),
    (
        net6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
        "a documentation address",
    ),
    (
        net6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7),
        "a unique-local address",
    ),
    (
        net6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10),
        "a link-local address",
    ),
    (
        net6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10),
        "a site-local address",
    ),
    (
        net6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8),
        "a multicast address",
    ),
    (
        net6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48),
        "a local NAT64 address",
    ),
];

#[cfg(test)]
mod registry;

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::unspecified("0.0.0.0", "0.255.255.255", "an unspecified address")]
    #[case::private_10("10.0.0.0", "10.255.255.255", "a private address")]
    #[case::private_172("172.16.0.0", "172.31.255.255", "a private address")]
    #[case::private_192("192.168.0.0", "192.168.255.255", "a private address")]
    #[case::cgnat("100.64.0.0", "100.127.255.255", "a shared (CGNAT) address")]
    #[case::loopback("127.0.0.0", "127.255.255.255", "a loopback address")]
    #[case::link_local("169.254.0.0", "169.254.255.255", "a link-local address")]
    #[case::metadata("169.254.169.254", "169.254.169.254", "a cloud metadata address")]
    #[case::metadata_ecs("169.254.170.2", "169.254.170.2", "a cloud metadata address")]
    #[case::metadata_alibaba("100.100.100.200", "100.100.100.200", "a cloud metadata address")]
    #[case::metadata_oracle("192.0.0.192", "192.0.0.192", "a cloud metadata address")]
    #[case::metadata_azure("168.63.129.16", "168.63.129.16", "a cloud metadata address")]
    #[case::protocols("192.0.0.0", "192.0.0.255", "a reserved address")]
    #[case::documentation_1("192.0.2.0", "192.0.2.255", "a documentation address")]
    #[case::documentation_2("198.51.100.0", "198.51.100.255", "a documentation address")]
    #[case::documentation_3("203.0.113.0", "203.0.113.255", "a documentation address")]
    #[case::relay("192.88.99.0", "192.88.99.255", "a reserved address")]
    #[case::benchmarking("198.18.0.0", "198.19.255.255", "a benchmarking address")]
    #[case::multicast("224.0.0.0", "239.255.255.255", "a multicast address")]
    #[case::reserved("240.0.0.0", "255.255.255.255", "a reserved address")]
    #[case::unspecified_v6("::", "::", "an unspecified address")]
    #[case::loopback_v6("::1", "::1", "a loopback address")]
    #[case::compatible("::2", "::ffff:ffff", "an IPv4-compatible address")]
    #[case::mapped_loopback("::ffff:127.0.0.0", "::ffff:127.255.255.255", "a loopback address")]
    #[case::mapped_private("::ffff:10.0.0.0", "::ffff:10.255.255.255", "a private address")]
    #[case::nat64_private("64:ff9b::10.0.0.0", "64:ff9b::10.255.255.255", "a private address")]
    #[case::nat64_metadata("64:ff9b::a9fe:a9fe", "64:ff9b::a9fe:a9fe", "a cloud metadata address")]
    #[case::nat64_local(
        "64:ff9b:1::",
        "64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
        "a local NAT64 address"
    )]
    #[case::six_to_four_private("2002:a00::", "2002:aff:ffff::1", "a private address")]
    #[case::six_to_four_loopback("2002:7f00:1::", "2002:7f00:1::1", "a loopback address")]
    #[case::discard("100::", "100::ffff:ffff:ffff:ffff", "a discard-only address")]
    #[case::teredo("2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", "a reserved address")]
    #[case::protocols_v6("2001:2::", "2001:1ff:ffff::", "a reserved address")]
    #[case::documentation_v6("2001:db8::", "2001:db8:ffff::", "a documentation address")]
    #[case::documentation_v6_new("3fff::", "3fff:fff:ffff::", "a documentation address")]
    #[case::unique_local("fc00::", "fdff:ffff::", "a unique-local address")]
    #[case::metadata_v6("fd00:ec2::254", "fd00:ec2::254", "a cloud metadata address")]
    #[case::metadata_gce_v6("fd20:ce::254", "fd20:ce::254", "a cloud metadata address")]
    #[case::link_local_v6("fe80::", "febf:ffff::", "a link-local address")]
    #[case::site_local("fec0::", "feff:ffff::", "a site-local address")]
    #[case::multicast_v6("ff00::", "ffff:ffff::", "a multicast address")]
    #[case::segment_routing("5f00::", "5f00:ffff::", "a reserved address")]
    #[case::unassigned("4000::", "fbff:ffff::", "a reserved address")]
    fn both_ends_of_a_special_range_have_its_name(
        #[case] first: IpAddr,
        #[case] last: IpAddr,
        #[case] expected: &str,
    ) {
        assert_eq!([first, last].map(name), [Some(expected); 2]);
    }

    #[rstest]
    fn the_neighbours_of_special_ranges_are_globally_routable(
        #[values(
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "168.63.129.15",
            "2000::",
            "2001:200::",
            "2001:db7:ffff::",
            "2606:4700::1111",
            "3ffe:ffff::",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1"
        )]
        address: IpAddr,
    ) {
        assert_eq!(name(address), None);
    }
}
