//! The English texts of dates.

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// From Sunday, as in the US.
pub(super) const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

pub(super) const HALF_DAYS: [&str; 2] = ["AM", "PM"];

/// Before and after the beginning of the year 1.
pub(super) const ERAS: [&str; 2] = ["BC", "AD"];

/// The text at an index, its first three letters if `width` is below four.
pub(super) fn name(names: &[&'static str], index: usize, width: usize) -> &'static str {
    let name = names.get(index).copied().unwrap_or_default();
    if width < 4 {
        name.get(..3).unwrap_or(name)
    } else {
        name
    }
}

/// Finds which name a text begins with, long or its first three letters, in any case: the index
/// and the bytes taken.
pub(super) fn find(names: &[&'static str], text: &str) -> Option<(usize, usize)> {
    let begins = |name: &str| {
        text.get(..name.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(name))
    };
    names.iter().enumerate().find_map(|(index, name)| {
        let short = name.get(..3).unwrap_or(name);
        [*name, short]
            .into_iter()
            .find(|name| begins(name))
            .map(|name| (index, name.len()))
    })
}
