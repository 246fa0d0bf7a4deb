//! Versions made of what records say.

use super::*;

fn versions(settings: ShapeSettings, body: impl Into<Bytes>) -> Vec<String> {
    let mut versions = Vec::new();
    page(settings, body)
        .rows(|row| versions.push(row.version.unwrap().into_owned()))
        .unwrap();
    versions
}

#[test]
fn without_a_version_the_content_is_the_version() {
    let mut settings = settings();
    settings.version = None;
    settings.ignore = vec!["seen".into(), "meta.at".into()];
    let body = r#"{"result":[
        {"a":1,"b":{"c":"x","d":[1,2]},"seen":1,"meta":{"at":1,"by":2}},
        {"b":{"d":[1,2],"c":"\u0078"}, "a":1,"seen":2,"meta":{"by":2,"at":9}},
        {"a":1.0,"b":{"c":"x","d":[1,2]},"meta":{"by":2}},
        {"a":1,"b":{"c":"x","d":[2,1]},"meta":{"by":2}},
        {"a":1,"b":{"c":"x","d":[1,2]},"meta":{"by":3}}]}"#;
    let versions = versions(settings, body);
    assert_eq!(
        versions[0], versions[1],
        "order, blanks, spelling and ignored fields are no content"
    );
    for other in &versions[2..] {
        assert_ne!(&versions[0], other);
    }
}

#[test]
fn only_records_without_a_version_get_a_digest_and_each_is_shown_once() {
    let body = r#"{"result":[{"sys_id":"a","sys_mod_count":"7"},{"sys_id":"b"},{"sys_id":"c","sys_mod_count":""},{"sys_id":"d","sys_mod_count":"8"}]}"#;
    let versions = versions(settings(), body);
    assert_eq!(
        (versions.len(), versions[0].as_str(), versions[3].as_str()),
        (4, "7", "8")
    );
    assert_eq!((versions[1].len(), versions[2].len()), (64, 64));
}

#[test]
fn a_record_nested_without_end_is_read() {
    let mut settings = settings();
    settings.version = None;
    let deep = format!(
        r#"{{"result":[{{"sys_id":"a","x":{}{}}}]}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert_eq!(versions(settings, deep).len(), 1);
}

fn digest(record: &str) -> String {
    let mut settings = settings();
    settings.version = None;
    settings.ignore = vec!["seen".into()];
    let body = format!(r#"{{"result":[{record}]}}"#);
    versions(settings, body).remove(0)
}

#[rstest]
#[case::blanks_and_order(
    r#"{"a":{"x":[1,{"b":2,"c":3}],"y":"z"}}"#,
    r#" { "a" : { "y" : "z" , "x":[ 1 ,{"c":3,"b":2} ]}}"#,
    true
)]
#[case::ignored_among_others(r#"{"seen":{"by":["]}",{}]},"a":1}"#, r#"{"a":1,"seen":"\"}"}"#, true)]
#[case::ignored_below_another(r#"{"a":{"seen":1}}"#, r#"{"a":{"seen":2}}"#, false)]
#[case::digits_beyond_any_number(
    r#"{"a":900719925474099312345}"#,
    r#"{"a":900719925474099312346}"#,
    false
)]
#[case::brackets_in_strings(r#"{"a":["[","\\"],"b":1}"#, r#"{"a":["[","\\"],"b":2}"#, false)]
#[case::empty_kinds(r#"{"a":[]}"#, r#"{"a":{}}"#, false)]
#[case::text_and_number(r#"{"a":"1"}"#, r#"{"a":1}"#, false)]
#[case::moved_over_a_border(r#"{"a":[[1],2]}"#, r#"{"a":[[1,2]]}"#, false)]
fn a_digest_is_of_what_a_record_says(#[case] one: &str, #[case] other: &str, #[case] same: bool) {
    assert_eq!(digest(one) == digest(other), same);
}

proptest! {
    #[test]
    fn a_digest_stays_when_the_record_is_spelled_otherwise(texts in proptest::collection::vec("\\PC*", 0..6)) {
        let record = json!({"texts": texts, "nested": {"texts": texts}, "id": 1});
        let spelled = serde_json::to_string_pretty(&record).unwrap();
        prop_assert_eq!(digest(&record.to_string()), digest(&spelled));
        let longer = json!({"texts": texts, "nested": {"texts": [texts]}, "id": 1});
        prop_assert_ne!(digest(&longer.to_string()), digest(&spelled));
    }
}
