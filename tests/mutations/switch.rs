//! Sources in which every change can be made while they run.

use crate::Change;

/// Answers which change is made in a process: appended to the crate's root.
pub(crate) const ROOT: &str = "
/// Whether the change with this number is made in this process.
pub(crate) fn mutant(number: usize) -> bool {
    static MADE: std::sync::LazyLock<Option<usize>> =
        std::sync::LazyLock::new(|| std::env::var(\"MUTANT\").ok()?.parse().ok());
    *MADE == Some(number)
}
";

/// `source` with a choice between both texts in the place of each of `changes`, which are numbered.
///
/// # Errors
///
/// Two changes want places that overlap without being the same, or one finds its place not once.
pub(crate) fn switched(source: &str, changes: &[(usize, &Change)]) -> Result<String, String> {
    let mut places = Vec::new();
    for (_, change) in changes {
        places.push(place(source, change)?);
    }
    places.sort_unstable();
    places.dedup();
    if let Some(both) = places.windows(2).find(|both| both[0].1 > both[1].0) {
        let (first, second) = (&source[both[0].0..both[0].1], &source[both[1].0..both[1].1]);
        return Err(format!("{first:?} and {second:?} overlap"));
    }
    let mut switched = source.to_owned();
    for (from, to) in places.into_iter().rev() {
        let find = &source[from..to];
        let here = changes.iter().filter(|(_, change)| change.find == find);
        switched.replace_range(from..to, &choice(find, here));
    }
    // What asks for the number of the change is not constant.
    Ok(switched.replace("const fn ", "fn "))
}

fn place(source: &str, change: &Change) -> Result<(usize, usize), String> {
    let mut places = source.match_indices(&change.find);
    let (Some((from, find)), None) = (places.next(), places.next()) else {
        let count = source.matches(&change.find).count();
        return Err(format!("{:?} finds its place {count} times", change.name));
    };
    Ok((from, from + find.len()))
}

fn choice<'a>(find: &str, changes: impl Iterator<Item = &'a (usize, &'a Change)>) -> String {
    let made = changes.map(|(number, change)| {
        format!("if crate::mutant({number}) {{ {} }} else ", change.replace)
    });
    let choice = made.collect::<String>() + &format!("{{ {find} }}");
    let are_statements = find.trim_end().ends_with([';', '}']);
    if are_statements {
        choice
    } else {
        format!("({choice})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(find: &str, replace: &str) -> Change {
        Change {
            name: format!("{find} -> {replace}"),
            why: String::new(),
            file: String::new(),
            find: find.to_owned(),
            replace: replace.to_owned(),
            ask: String::new(),
        }
    }

    #[test]
    fn an_expression_becomes_a_choice_between_all_that_want_its_place() {
        let (zero, more) = (change("a + 1", "0"), change("a + 1", "a + 2"));
        let source = "const fn next(a: u8) -> u8 {\n    a + 1\n}\n";
        let switched = switched(source, &[(3, &zero), (8, &more)]);
        let expected = "fn next(a: u8) -> u8 {\n    (if crate::mutant(3) { 0 } else \
                        if crate::mutant(8) { a + 2 } else { a + 1 })\n}\n";
        assert_eq!(switched.as_deref(), Ok(expected));
    }

    #[test]
    fn statements_can_be_left_out() {
        let left_out = change("one();", "");
        let switched = switched("one();\ntwo();\n", &[(0, &left_out)]);
        let expected = "if crate::mutant(0) {  } else { one(); }\ntwo();\n";
        assert_eq!(switched.as_deref(), Ok(expected));
    }

    #[test]
    fn a_place_that_is_not_there_once_or_overlaps_another_is_told() {
        let (one, two) = (change("b", "0"), change("a + b", "1"));
        let of = |source: &str, changes: &[_]| switched(source, changes).unwrap_err();
        assert!(of("b + b", &[(0, &one)]).contains("2 times"));
        assert!(of("a", &[(0, &one)]).contains("0 times"));
        assert!(of("a + b", &[(0, &one), (1, &two)]).contains("overlap"));
    }
}
