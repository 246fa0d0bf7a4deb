//! Pages over HTTP.

use super::*;
use crate::catalog::Catalog;

#[tokio::test]
async fn a_page_brings_clock_total_and_next_link() {
    let server = serve(|_| {
        ResponseTemplate::new(200)
            .set_body_json(json!({"result": [{"sys_id": "a", "sys_mod_count": "1"}]}))
            .insert_header("date", "Fri, 17 May 2024 13:14:15 GMT")
            .insert_header("x-total-count", "7")
            .insert_header(
                "link",
                "</api/now/table/incident?sysparm_offset=1>;rel=\"next\"",
            )
    })
    .await;
    let source = at(&server, "incident");
    let page = source.fetch(&ask(&source, Step::First)).await.unwrap();
    assert_eq!(rows(&page), ["a"]);
    assert_eq!(
        (page.server_time, page.total),
        (Some("2024-05-17T13:14:15Z".parse().unwrap()), Some(7))
    );
    let next = page.next.unwrap();
    assert_eq!(
        next,
        format!("{}/api/now/table/incident?sysparm_offset=1", server.uri())
    );
    assert!(source.fetch(&ask(&source, Step::Link(next))).await.is_ok());
    let elsewhere = Step::Link("https://evil.example.com/x".into());
    assert!(
        source
            .fetch(&ask(&source, elsewhere))
            .await
            .unwrap_err()
            .message
            .contains("must not be sent")
    );
}

#[tokio::test]
async fn a_page_that_is_too_much_is_asked_for_in_halves_and_grows_back() {
    let server = serve(|request| {
        let limit = parameter(request, "sysparm_limit").parse::<u32>().unwrap();
        if limit > 300 {
            let error = json!({"error": {"message": "maximum execution time exceeded"}, "status": "failure"});
            return ResponseTemplate::new(500).set_body_json(error);
        }
        ResponseTemplate::new(200).set_body_json(json!({"result": []}))
    })
    .await;
    let source = at(&server, "incident");
    let page = source.fetch(&ask(&source, Step::First)).await.unwrap();
    assert_eq!(source.paging().page_size, 250);
    (0..20).for_each(|_| assert_eq!(page.rows(|_| {}), Ok(0)));
    assert_eq!(source.paging().page_size, 500);
}

#[tokio::test]
async fn a_body_that_breaks_off_has_a_smaller_page_asked_for_down_to_one() {
    let server =
        serve(|_| ResponseTemplate::new(200).set_body_raw(r#"{"result":["#, "application/json"))
            .await;
    let source = on(connect(&server.uri()), "incident", json!({"pageSize": 3})).unwrap();
    let page = source.fetch(&ask(&source, Step::First)).await.unwrap();
    assert!(page.rows(|_| {}).unwrap_err().shrink);
    assert_eq!(source.paging().page_size, 1);
    let page = source.fetch(&ask(&source, Step::First)).await.unwrap();
    let error = page.rows(|_| {}).unwrap_err();
    assert!(
        !error.shrink && error.message.contains("a single record fails too"),
        "{error}"
    );
    assert!(
        error
            .message
            .contains("GET /api/now/table/incident of 127.0.0.1"),
        "{error}"
    );
}

#[tokio::test]
async fn an_error_behind_records_is_classified_by_the_connectors_rules() {
    let body = json!({"result": [], "error": {"message": "Transaction cancelled: maximum execution time exceeded"}});
    let server = serve(move |_| ResponseTemplate::new(200).set_body_json(&body)).await;
    let source = at(&server, "incident");
    let page = source.fetch(&ask(&source, Step::First)).await.unwrap();
    let error = page.rows(|_| {}).unwrap_err();
    assert_eq!(
        (error.category, error.shrink, source.paging().page_size),
        (Category::Provider, true, 500)
    );
}

#[tokio::test]
async fn an_empty_page_under_404_has_no_rows() {
    let body = json!({"error": {"message": "No Record found"}, "status": "failure"});
    let server = serve(move |_| ResponseTemplate::new(404).set_body_json(&body)).await;
    let source = at(&server, "incident");
    let page = source.fetch(&ask(&source, Step::First)).await.unwrap();
    assert_eq!(page.rows(|_| {}), Ok(0));
}

#[tokio::test]
async fn an_answer_without_its_total_does_not_prove_that_records_are_gone() {
    let server = serve(|_| ResponseTemplate::new(200).set_body_json(json!({"result": []}))).await;
    let source = at(&server, "incident");
    let error = source.existing(&["a".to_owned()]).await.unwrap_err();
    assert_eq!(error.category, Category::Configuration);
    assert!(error.message.contains("x-total-count"), "{error:?}");
}

#[tokio::test]
async fn an_answer_that_goes_on_behind_a_link_does_not_prove_that_the_rest_is_gone() {
    let server = serve(|request| {
        let query = parameter(request, "sysparm_query");
        let asked: Vec<_> = query.trim_start_matches("sys_idIN").split(',').collect();
        let answer = ResponseTemplate::new(200).set_body_json(json!({
            "result": [{"sys_id": asked[0], "sys_mod_count": "1"}],
        }));
        match asked[..] {
            [_] => answer,
            _ => answer.insert_header("link", "</api/now/table/incident?page=2>;rel=\"next\""),
        }
    })
    .await;
    let builtin = Catalog::builtin().unwrap();
    let mut connector = Connector::clone(&builtin.get("servicenowoauth").unwrap());
    connector.paging.total = None;
    let connection = connect_as(connector, &server.uri(), Arc::default());
    let source = on(connection, "incident", json!({})).unwrap();
    let ids = ["a", "b", "c"].map(str::to_owned);
    assert_eq!(source.existing(&ids).await.unwrap(), ids.into());
}
