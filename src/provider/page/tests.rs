mod digests;
mod refusals;

use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;

use super::*;
use crate::{
    catalog::BodyIs,
    provider::{DateReader, ShapeSettings},
    template::{DatePattern, Zone},
};

fn date(field: &str, pattern: &str) -> Option<DateReader> {
    Some(DateReader {
        field: field.into(),
        pattern: DatePattern::parse(pattern).unwrap(),
        zone: Zone::Utc,
    })
}

fn settings() -> ShapeSettings {
    let failure = |path: &str, equals: Option<&str>| BodyIs {
        path: path.into(),
        equals: equals.map(Into::into),
        contains: None,
    };
    ShapeSettings {
        records: "result".into(),
        id: "sys_id".into(),
        updated: date("sys_updated_on", "yyyy-MM-dd HH:mm:ss"),
        created: date("sys_created_on", "yyyy-MM-dd HH:mm:ss"),
        version: Some("sys_mod_count".into()),
        class: Some("sys_class_name".into()),
        ignore: Vec::new(),
        failures: vec![failure("error", None), failure("status", Some("failure"))],
        ..ShapeSettings::default()
    }
}

fn page(settings: ShapeSettings, body: impl Into<Bytes>) -> Page {
    Page::new(Arc::new(RecordShape::new(settings).unwrap()), body.into())
}

/// The rows in a form that outlives the visit.
fn shown(page: &Page) -> Result<Vec<String>, PageError> {
    let mut rows = Vec::new();
    page.rows(|row| rows.push(format!("{row:?}")))?;
    Ok(rows)
}

#[test]
fn the_wanted_fields_of_each_record_are_read_in_place() {
    let body = r#"{"result":[{"other":{"sys_id":"no"},"sys_id":"a1","sys_mod_count":"3","sys_class_name":"incident",
        "sys_updated_on":"2024-05-17 13:14:15","sys_created_on":""},{"sys_id":null}]}"#;
    let page = page(settings(), body);
    let mut rows = 0;
    let count = page.rows(|row| {
        rows += 1;
        if row.index == 0 {
            assert!(matches!(row.id, Some(Cow::Borrowed("a1"))));
            assert_eq!(row.version.as_deref(), Some("3"));
            assert_eq!(row.class.as_deref(), Some("incident"));
            assert_eq!(
                row.updated,
                DateRead::At("2024-05-17T13:14:15Z".parse().unwrap())
            );
            assert_eq!(row.created, DateRead::Absent);
        } else {
            assert_eq!(
                (row.index, row.id, row.updated),
                (1, None, DateRead::Absent)
            );
        }
    });
    assert_eq!((count, rows), (Ok(2), 2));
}

#[test]
fn numbers_keep_their_spelling_and_escapes_are_resolved() {
    let mut settings = settings();
    settings.updated = date("at", "milliseconds");
    let body = r#"{"result":[{"sys_id":900719925474099312345,"sys_mod_count":1.50,"at":1715951655123},
        {"sys_id":"a\u0062\n","sys_mod_count":true,"at":"1715951655123"}]}"#;
    let mut rows = Vec::new();
    page(settings, body)
        .rows(|row| {
            rows.push((
                row.id.unwrap().into_owned(),
                row.version.unwrap().into_owned(),
                row.updated == DateRead::At("2024-05-17T13:14:15.123Z".parse().unwrap()),
            ))
        })
        .unwrap();
    assert_eq!(
        rows[0],
        ("900719925474099312345".into(), "1.50".into(), true)
    );
    assert_eq!(rows[1], ("ab\n".into(), "true".into(), true));
}

#[test]
fn a_date_that_the_format_cannot_read_is_shown_as_it_is() {
    let body = r#"{"result":[{"sys_id":"a","sys_mod_count":1,"sys_updated_on":"17 May"}]}"#;
    page(settings(), body)
        .rows(|row| assert_eq!(row.updated, DateRead::Unreadable("17 May".into())))
        .unwrap();
}

#[test]
fn fields_are_found_below_others_in_brackets_and_under_dotted_names() {
    let mut settings = settings();
    settings.records = "data.items".into();
    settings.id = "@.@id".into();
    settings.updated = date("['Modified Time']", "yyyy-MM-dd");
    settings.version = Some("attributes.etag".into());
    settings.class = Some("caller_id.name".into());
    let body = r#"{"meta":[1,"x",null,{}],"data":{"count":1,"items":[{"@":{"x":0,"@id":7},"Modified Time":"2024-05-17",
        "attributes":{"etag":"e"},"caller_id.name":"Ann"}]}}"#;
    page(settings, body)
        .rows(|row| {
            assert_eq!(
                (
                    row.id.as_deref(),
                    row.version.as_deref(),
                    row.class.as_deref()
                ),
                (Some("7"), Some("e"), Some("Ann"))
            );
            assert_eq!(
                row.updated,
                DateRead::At("2024-05-17T00:00:00Z".parse().unwrap())
            );
        })
        .unwrap();
}

#[test]
fn a_body_may_be_the_list_itself() {
    let mut settings = settings();
    settings.records = String::new();
    settings.failures = Vec::new();
    assert_eq!(
        page(settings, r#" [{"sys_id":"a","sys_mod_count":1}] "#).rows(|_| {}),
        Ok(1)
    );
}

#[test]
fn wanted_records_are_cut_out_byte_for_byte() {
    let body = Bytes::from_static(br#"{"result":[ {"a": 1.0} ,{"b":"\u00e9"},{"c":[ ]} ],"x":0}"#);
    let page = page(settings(), body.clone());
    let records = page.records(&[0, 2]).unwrap();
    assert_eq!(records, [r#"{"a": 1.0}"#, r#"{"c":[ ]}"#]);
    assert!(
        body.as_ptr_range().contains(&records[0].as_ptr()),
        "nothing is copied"
    );
    assert_eq!(page.records(&[]), Ok(Vec::new()));
    assert!(page.records(&[3]).is_err());
}

#[rstest]
#[case::with_a_version_field(Some("sys_mod_count"))]
#[case::without_one(None)]
fn a_record_that_is_not_utf8_spoils_no_other(#[case] version: Option<&str>) {
    let mut settings = settings();
    settings.version = version.map(Into::into);
    let body = b"{\"note\":\"\xe9\",\"result\":[{\"sys_id\":\"a\",\"sys_mod_count\":1,\"city\":\"Orl\xe9\"},
        {\"sys_id\":\"b\xff\",\"sys_mod_count\":1},{\"sys_id\":\"\xc3\xa9\",\"sys_mod_count\":1}]}";
    let page = page(settings, &body[..]);
    let mut rows = Vec::new();
    page.rows(|row| rows.push((row.id.unwrap().into_owned(), row.is_utf8)))
        .unwrap();
    let expected = [("a", false), ("b?", false), ("\u{e9}", true)];
    assert_eq!(rows, expected.map(|(id, is_utf8)| (id.to_owned(), is_utf8)));
    let records = page.records(&[2]).unwrap();
    assert_eq!(records, ["{\"sys_id\":\"\u{e9}\",\"sys_mod_count\":1}"]);
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        let page = page(settings(), body);
        let _ = page.rows(|_| {});
        let _ = page.records(&[0, 1]);
    }

    #[test]
    fn a_page_cut_or_changed_anywhere_never_panics_nor_shows_rows_twice(at in 0_usize..200, byte in any::<u8>()) {
        let body = r#"{"result":[{"sys_id":"a\n","sys_mod_count":"7","sys_updated_on":"2024-05-17 13:14:15"},{"sys_id":{"value":"b"}},{"sys_id":3,"x":[{}]}],"error":null}"#;
        let mut bytes = body.as_bytes().to_vec();
        if at < bytes.len() {
            bytes[at] = byte;
        } else {
            bytes.truncate(at - 100);
        }
        let mut next = 0;
        let _ = page(settings(), bytes).rows(|row| {
            assert_eq!(row.index, next);
            next += 1;
        });
    }

    #[test]
    fn what_was_written_is_read(ids in proptest::collection::vec("\\PC*", 0..20)) {
        let records = ids.iter().map(|id| json!({"sys_id": id, "sys_mod_count": "1"})).collect::<Vec<_>>();
        let page = page(settings(), json!({"result": records}).to_string());
        let mut read = Vec::new();
        page.rows(|row| read.push(row.id.map(Cow::into_owned))).unwrap();
        let expected = ids.iter().map(|id| Some(id.clone()).filter(|id| !id.trim().is_empty())).collect::<Vec<_>>();
        prop_assert_eq!(read, expected);
        prop_assert_eq!(shown(&page).unwrap().len(), ids.len());
    }
}
