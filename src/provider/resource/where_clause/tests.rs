use rstest::rstest;

use super::*;
use crate::provider::resource::{address::Address, encoded_query::translate};

/// The encoded query of a clause, with placeholders as they were written.
fn encoded(clause: &str) -> Result<String, String> {
    let mut address =
        Address::parse(&format!("/x?where={clause}")).map_err(|error| error.to_string())?;
    let clause = address.take("where").unwrap();
    let parsed = parse(&clause, &address.marks).map_err(|error| error.to_string())?;
    let query = parsed.map_or(Ok(String::new()), |parsed| {
        translate(&parsed, &address.marks)
    });
    query
        .map(|query| address.marks.unmark(&query))
        .map_err(|error| error.to_string())
}

#[rstest]
#[case("", "")]
#[case("  ", "")]
#[case("a='1'", "a=1")]
#[case("a = 1 and b!='2' AND c<>3", "a=1^b!=2^c!=3")]
#[case("a>'1' and b>=2 and c<3 and d<='4'", "a>1^b>=2^c<3^d<=4")]
#[case("'Modified'>'2' and \"b\"=true", "Modified>2^b=true")]
#[case("name='O''Brien'", "name=O'Brien")]
#[case("name='a b%26c'", "name=a b&c")]
#[case("name='a^ORb=1'", "name=a^^ORb=1")]
#[case("name='and' and b='x or y'", "name=and^b=x or y")]
#[case("name='' and b!=''", "nameISEMPTY^bISNOTEMPTY")]
#[case(
    "a like '%25x%25' and b like 'x%25' and c like '%25x' and d like 'x'",
    "aLIKEx^bSTARTSWITHx^cENDSWITHx^d=x"
)]
#[case("a in ('1','2', 3)", "aIN1,2,3")]
#[case("a=1 or b=2 or c=3", "a=1^ORb=2^ORc=3")]
#[case("a=1 and (b=2 or c=3) and d=4", "a=1^b=2^ORc=3^d=4")]
#[case("(a=1 and (b=2)) and c=3", "a=1^b=2^c=3")]
#[case("caller_id.name='x'", "caller_id.name=x")]
#[case(
    "u>'${gmtDate:yyyy-MM-dd'T'HH:mm:ss}' and a=1",
    "u>${gmtDate:yyyy-MM-dd'T'HH:mm:ss}^a=1"
)]
#[case("u>${epoch}", "u>${epoch}")]
fn a_clause_is_written_as_an_encoded_query(#[case] clause: &str, #[case] query: &str) {
    assert_eq!(encoded(clause).as_deref(), Ok(query));
}

#[rstest]
#[case(
    "a",
    "column 2: write one of = != > >= < <= like in instead of the end"
)]
#[case("a=", "column 3: a value is missing")]
#[case("='1'", "column 1: a field's name is missing")]
#[case("a='1' b='2'", "column 7: write and, or, or the end instead of b='2'")]
#[case("a='1' and", "column 10: a field's name is missing")]
#[case(
    "u>='${date:yyyy-MM-dd}' and attributes='created_at,updated_at",
    "column 40: this quote is not closed; add '"
)]
#[case("(a=1", "write ) instead of the end")]
#[case("a=1)", "column 4: write and, or, or the end instead of )")]
#[case("a in 1", "write a list")]
#[case("a in ('x,y')", "has no comma")]
#[case("a like 'x%25y'", "like takes % at the beginning")]
#[case("a=null", "null is not supported")]
#[case("'Modified Time'>1", "\"Modified Time\" is no field of ServiceNow")]
#[case("a^b=1", "\"a^b\" is no field")]
#[case(
    "a=1 or (b=2 and c=3)",
    "column 9: conditions joined with and cannot be an alternative"
)]
#[case("u='${date}'", "write u>")]
#[case("a=1 or u>'${date}'", "column 8: a date stands beside an or")]
#[case(
    "a=1 and (b=2 or u>'${date}')",
    "column 17: a date stands beside an or"
)]
fn what_cannot_be_written_names_its_place(#[case] clause: &str, #[case] words: &str) {
    let error = encoded(clause).unwrap_err();
    assert!(
        error.starts_with("spec.url: ") && error.contains(words),
        "{error}"
    );
}

#[test]
fn parentheses_without_end_are_refused() {
    assert!(
        encoded(&"(".repeat(100_000))
            .unwrap_err()
            .contains("fewer parentheses")
    );
}

proptest::proptest! {
    #[test]
    fn no_clause_panics(clause in "[a-c'\"()<>=!, ^%$\\{\\}]{0,40}") {
        let _ = encoded(&clause);
    }
}
