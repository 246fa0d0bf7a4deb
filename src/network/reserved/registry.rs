//! Every row of IANA's special-purpose registries, held against what is refused.

use ipnet::IpNet;

use super::*;

const REGISTRIES: [&str; 2] = [
    include_str!("../../../tests/vectors/iana-ipv4-special-registry.csv"),
    include_str!("../../../tests/vectors/iana-ipv6-special-registry.csv"),
];

/// Rows that the registry calls globally reachable and Pollen refuses: anycast of protocols that no
/// provider or callback speaks, and what carries an IPv4 address and is judged by that.
const STRICTER: [&str; 10] = [
    "192.0.0.9/32",
    "192.0.0.10/32",
    "64:ff9b::/96",
    "2001:1::1/128",
    "2001:1::2/128",
    "2001:1::3/128",
    "2001:3::/32",
    "2001:4:112::/48",
    "2001:20::/28",
    "2001:30::/28",
];

/// One row: its block, and whether it is globally reachable.
struct Row {
    block: IpNet,
    is_reachable: bool,
}

/// The fields of all lines; a quoted one may hold commas and line breaks.
fn lines(csv: &str) -> Vec<Vec<String>> {
    let (mut lines, mut line, mut field, mut quoted) = (vec![], vec![], String::new(), false);
    for letter in csv.chars() {
        match letter {
            '"' => quoted = !quoted,
            ',' if !quoted => line.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                line.push(std::mem::take(&mut field));
                lines.push(std::mem::take(&mut line));
            }
            _ => field.push(letter),
        }
    }
    lines
}

fn rows() -> Vec<Row> {
    let lines = REGISTRIES
        .into_iter()
        .flat_map(|csv| lines(csv).split_off(1));
    let rows = lines.flat_map(|line| {
        let is_reachable = line[8] == "True";
        // A block may stand behind a comma, and before the number of a footnote.
        let blocks: Vec<IpNet> = line[0]
            .split(',')
            .map(|text| text.split_whitespace().next().unwrap().parse().unwrap())
            .collect();
        blocks.into_iter().map(move |block| Row {
            block,
            is_reachable,
        })
    });
    rows.collect()
}

#[test]
fn both_ends_of_every_block_that_is_not_globally_reachable_are_refused() {
    let rows = rows();
    assert_eq!(rows.len(), 51, "all rows are read");
    for Row {
        block,
        is_reachable,
    } in rows
    {
        let refused =
            [block.network(), block.broadcast()].map(|end| name(end.to_canonical()).is_some());
        let stricter = STRICTER.contains(&block.to_string().as_str());
        assert_eq!(refused, [!is_reachable || stricter; 2], "{block}");
    }
}

/// What wraps a public IPv4 address leads to it and nowhere else.
#[test]
fn a_block_that_carries_ipv4_is_judged_by_what_it_carries() {
    for (public, private) in [
        ("::ffff:8.8.8.8", "::ffff:10.0.0.1"),
        ("64:ff9b::8.8.8.8", "64:ff9b::10.0.0.1"),
        ("2002:808:808::1", "2002:a00:1::1"),
    ] {
        let name = |text: &str| name(text.parse::<IpAddr>().unwrap());
        assert_eq!(
            (name(public), name(private)),
            (None, Some("a private address"))
        );
    }
}
