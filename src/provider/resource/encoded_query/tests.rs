use rstest::rstest;

use super::*;
use crate::{
    provider::{Bound, resource::address::Address},
    template::{DatePattern, Zone},
};

const BOUND: &str = "2024-05-17T13:14:15Z";

fn form() -> Form {
    Form::Literal {
        pattern: DatePattern::parse("yyyy-MM-dd HH:mm:ss").unwrap(),
        zone: Zone::Utc,
    }
}

fn parse(query: &str) -> Result<EncodedQuery, ConfigurationError> {
    let mut address = Address::parse(&format!("/x?q={query}"))?;
    let query = address.take("q").unwrap_or_default();
    let names = Names {
        updated: Some("sys_updated_on"),
        key: "sys_id",
        form: &form(),
    };
    EncodedQuery::parse(&query, &address.marks, names, false)
}

fn ask(step: Step) -> Ask {
    let bound = Bound {
        instant: BOUND.parse().unwrap(),
        text: String::new(),
    };
    Ask {
        bound,
        until: None,
        step,
    }
}

fn print(query: &EncodedQuery, ask: &Ask) -> String {
    query.print(ask, "2024-05-18T00:00:00Z".parse().unwrap())
}

const AT: &str = "sys_updated_on>=2024-05-17 13:14:15";
const ORDER: &str = "ORDERBYsys_updated_on^ORDERBYsys_id";

#[rstest]
#[case("sys_updated_on>${gmtDate:yyyy-MM-dd}", "")]
#[case(
    "sys_updated_on>=${gmtDate:yyyy-MM-dd HH:mm:ss}^active=true",
    "active=true^"
)]
#[case("active=true^sys_updated_on>'${epoch}'", "active=true^")]
#[case("active%3Dtrue%5Esys_updated_on%3E${epoch}", "active=true^")]
#[case(
    "sys_updated_on>=javascript:gs.dateGenerate('${gmtDate:yyyy-MM-dd}','${gmtDate:HH:mm:ss}')",
    ""
)]
#[case("a=1^ORb=2^sys_updated_on>${epoch}^EQ", "a=1^ORb=2^")]
#[case("a=x^^y^sys_updated_on>${epoch}", "a=x^^y^")]
#[case(
    "sys_updated_on>${epoch}^sys_updated_on<2030-01-01",
    "sys_updated_on<2030-01-01^"
)]
fn the_condition_on_the_date_is_stated_anew_and_inclusive(#[case] query: &str, #[case] base: &str) {
    let query = parse(query).unwrap();
    assert_eq!(
        print(&query, &ask(Step::First)),
        format!("{base}{AT}^{ORDER}")
    );
}

#[test]
fn a_tie_is_stepped_through_by_key() {
    let query = parse("active=true^sys_updated_on>${epoch}").unwrap();
    let printed = print(&query, &ask(Step::AfterKey("a^1".into())));
    assert_eq!(
        printed,
        "active=true^sys_updated_on=2024-05-17 13:14:15^sys_id>a^^1^ORDERBYsys_id"
    );
}

#[test]
fn an_upper_bound_is_inclusive() {
    let query = parse("sys_updated_on>${epoch}").unwrap();
    let ask = Ask {
        until: Some("2024-05-17T14:00:00Z".parse().unwrap()),
        ..ask(Step::Offset(10))
    };
    assert_eq!(
        print(&query, &ask),
        format!("{AT}^sys_updated_on<=2024-05-17 14:00:00^{ORDER}")
    );
}

#[test]
fn every_query_between_nq_gets_the_date() {
    let query = parse("a=1^sys_updated_on>${epoch}^NQb=2^sys_updated_on>${epoch}").unwrap();
    assert_eq!(
        print(&query, &ask(Step::First)),
        format!("a=1^{AT}^NQb=2^{AT}^{ORDER}")
    );
}

#[test]
fn an_order_of_the_users_is_left_out() {
    let query = parse("a=1^ORDERBYDESCname").unwrap();
    assert!(query.reordered && !query.is_dated());
    assert_eq!(print(&query, &ask(Step::First)), "a=1^ORDERBYsys_id");
}

#[test]
fn another_date_is_lowered_where_its_operator_is_exclusive() {
    let query =
        parse("opened_at>${gmtDate:yyyy-MM-dd HH:mm:ss}^closed_at>=${gmtDate:yyyy-MM-dd HH:mm:ss}")
            .unwrap();
    assert_eq!(query.other_bounds().count(), 2);
    let printed = print(&query, &ask(Step::First));
    assert_eq!(
        printed,
        "opened_at>2024-05-17 13:14:14^closed_at>=2024-05-17 13:14:15^ORDERBYsys_id"
    );
}

#[rstest]
#[case("a=1^ORsys_updated_on>${epoch}", "beside an or")]
#[case(
    "sys_updated_on>${epoch}^ORa=1",
    "the date in column 21 stands beside an or"
)]
#[case(
    "a=1^NQb=2^sys_updated_on>${epoch}",
    "only some of the queries between ^NQ"
)]
fn a_date_that_does_not_hold_for_all_records_is_refused(#[case] query: &str, #[case] words: &str) {
    let error = parse(query).unwrap_err().to_string();
    assert!(error.contains(words), "{error}");
}
