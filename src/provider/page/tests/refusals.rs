//! Bodies that are no pages.

use super::*;

#[rstest]
#[case::nothing("", "no body", false)]
#[case::html("\n<html>", "HTML", false)]
#[case::cut_off(
    r#"{"result":[{"sys_id":"a","sys_mod_count":1},{"sys"#,
    "ends in the middle",
    true
)]
#[case::malformed(
    r#"{"result":[{"sys_id":"a","sys_mod_count":1},}]}"#,
    "malformed JSON at line 1",
    true
)]
#[case::error_in_the_middle(
    r#"{"result":[{"sys_id":"a","sys_mod_count":1}{"error":{}}]}"#,
    "malformed",
    true
)]
#[case::text_behind(r#"{"result":[]}{"error":"x"}"#, "malformed", true)]
#[case::string_as_record(
    r#"{"result":[{"sys_id":"a","sys_mod_count":1},"Transaction cancelled"]}"#,
    "item 1",
    true
)]
#[case::null_record(r#"{"result":[null]}"#, "item 0", true)]
#[case::no_list(r#"{"results":[]}"#, "one list of records at \"result\"", false)]
#[case::one_record(r#"{"result":{"sys_id":"a"}}"#, "one list", false)]
#[case::two_lists(r#"{"result":[],"result":[]}"#, "one list", false)]
#[case::null_list(r#"{"result":null}"#, "one list", false)]
#[case::a_number("5", "one list", false)]
#[case::error_behind_rows(
    r#"{"result":[{"sys_id":"a","sys_mod_count":1}],"error":{"message":"too slow"}}"#,
    "error: too slow",
    false
)]
#[case::failure(r#"{"result":[],"status":"failure"}"#, "error: failure", false)]
fn a_body_that_is_no_page_is_refused(
    #[case] body: &'static str,
    #[case] words: &str,
    #[case] shrink: bool,
) {
    let error = page(settings(), body).rows(|_| {}).unwrap_err();
    assert!(error.message.contains(words), "{error}");
    assert_eq!((error.category, error.shrink), (Category::Provider, shrink));
}

#[rstest]
#[case::first_rule(r#"{"result":[],"status":"failure"}"#)]
#[case::second_rule(r#"{"result":[],"status":"expired"}"#)]
#[case::rule_below(r#"{"result":[],"status":{"code":"gone"}}"#)]
fn each_failure_rule_of_a_path_counts(#[case] body: &'static str) {
    let mut settings = settings();
    let rules = [("status", "expired"), ("status.code", "gone")];
    settings.failures.extend(rules.map(|(path, equals)| BodyIs {
        path: path.into(),
        equals: Some(equals.into()),
        contains: None,
    }));
    let error = page(settings, body).rows(|_| {}).unwrap_err();
    assert!(
        error.message.contains("the page states an error"),
        "{error}"
    );
}

#[test]
fn a_null_error_and_another_status_are_no_failure() {
    assert_eq!(
        page(
            settings(),
            r#"{"error":null,"status":"success","result":[]}"#
        )
        .rows(|_| {}),
        Ok(0)
    );
}

#[test]
fn an_error_does_not_quote_records() {
    let body = r#"{"result":["secret salary"]}"#;
    assert!(
        !page(settings(), body)
            .rows(|_| {})
            .unwrap_err()
            .message
            .contains("salary")
    );
}
