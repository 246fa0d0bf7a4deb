use simulator::servicenow::{Instance, Links};

use crate::client::World;

const ORDER: &str = "ORDERBYsys_updated_on^ORDERBYsys_id";
const TIED: &str = "2026-01-01 00:00:02";

/// An incident for each letter, all of the same second.
fn tie(instance: &Instance, ids: &str) {
    for id in ids.split("").filter(|id| !id.is_empty()) {
        instance.create("incident", &[("sys_id", id), ("sys_updated_on", TIED)]);
    }
}

fn later(instance: &Instance, sys_id: &str, second: u8) {
    let updated = format!("2026-01-01 00:00:{second:02}");
    instance.create(
        "incident",
        &[("sys_id", sys_id), ("sys_updated_on", &updated)],
    );
}

#[tokio::test]
async fn access_rules_thin_a_page_after_its_limit() {
    let world = World::new().await;
    tie(&world.instance, "abcdef");
    for hidden in ["b", "d", "e", "f"] {
        world.instance.hide(hidden);
    }
    let query = ("sysparm_query", ORDER);
    for (offset, ids) in [("0", "a"), ("2", "c"), ("4", "")] {
        let page = [query, ("sysparm_limit", "2"), ("sysparm_offset", offset)];
        let reply = world.list("incident", &page).await;
        let found = (reply.ids(), reply.header("x-total-count"));
        assert_eq!(found, (ids.to_owned(), Some("6")), "offset {offset}");
    }
    world.instance.show("e");
    let reply = world.list("incident", &[query]).await;
    assert_eq!(reply.ids(), "ace");
}

#[tokio::test]
async fn access_rules_take_a_field_out_of_a_row_and_leave_its_place() {
    let world = World::new().await;
    tie(&world.instance, "abc");
    world.instance.hide_field("b", "sys_id");
    let reply = world.list("incident", &[("sysparm_query", ORDER)]).await;
    let rows: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    let ids = [0, 1, 2].map(|row| rows["result"][row]["sys_id"].as_str());
    assert_eq!(ids, [Some("a"), None, Some("c")]);
    assert_eq!(rows["result"][1]["sys_updated_on"], TIED);
}

#[tokio::test]
async fn something_is_done_before_each_page_from_now_on() {
    let world = World::new().await;
    tie(&world.instance, "a");
    world.instance.before_table_requests(|instance, request| {
        let after = request.parameter("sysparm_offset").unwrap_or("none");
        later(instance, &format!("after-{after}"), 5);
    });
    for (offset, rows) in [("0", "aafter-0"), ("1", "after-0after-1")] {
        let asked = [("sysparm_query", ORDER), ("sysparm_offset", offset)];
        assert_eq!(world.list("incident", &asked).await.ids(), rows);
    }
}

#[tokio::test]
async fn links_are_spelt_as_an_instance_spells_them() {
    let world = World::new().await;
    tie(&world.instance, "abcde");
    let url = world.url("/api/now/table/incident");
    let link = |relation: &str, offset: &str| {
        format!(
            r#"<{url}?sysparm_fields=sys_id%2Cnumber&sysparm_limit=2&sysparm_offset={offset}>;rel="{relation}""#
        )
    };
    for (offset, expected) in [
        (
            "",
            vec![
                link("first", "0"),
                link("prev", "-2"),
                link("next", "2"),
                link("last", "4"),
            ],
        ),
        (
            "2",
            vec![
                link("first", "0"),
                link("prev", "0"),
                link("next", "4"),
                link("last", "4"),
            ],
        ),
        (
            "4",
            vec![link("first", "0"), link("prev", "2"), link("last", "4")],
        ),
    ] {
        // The comma comes unencoded, and the offset in the midst.
        let path = format!(
            "/api/now/table/incident?sysparm_fields=sys_id,number&sysparm_offset={offset}&sysparm_limit=2"
        );
        let reply = world.get(&path, &[]).await;
        assert_eq!(
            reply.header("link"),
            Some(expected.join(",").as_str()),
            "offset {offset}"
        );
    }
}

#[tokio::test]
async fn links_can_be_relative_lead_in_a_circle_and_hold_commas() {
    let world = World::new().await;
    tie(&world.instance, "abcde");
    let asked = [("sysparm_fields", "sys_id,number"), ("sysparm_limit", "2")];
    let path =
        "/api/now/table/incident?sysparm_fields=sys_id,number&sysparm_limit=2&sysparm_offset=";
    let url = world.url(path);
    for (links, next) in [
        (Links::Relative, format!("<{path}2>")),
        (Links::Absolute, format!("<{url}2>")),
        (Links::Circular, format!("<{url}0>")),
    ] {
        world.instance.configure(|settings| {
            settings.links = links;
            settings.encodes_commas_in_links = false;
        });
        let reply = world.list("incident", &asked).await;
        let sent = reply.header("link").unwrap();
        assert!(sent.contains(&format!(r#"{next};rel="next""#)), "{sent}");
    }
}

#[tokio::test]
async fn ids_of_digits_can_be_numbers() {
    let world = World::new().await;
    tie(&world.instance, "7a");
    world
        .instance
        .configure(|settings| settings.numeric_ids = true);
    let reply = world.list("incident", &[("sysparm_query", ORDER)]).await;
    let rows: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    let ids = [0, 1].map(|row| rows["result"][row]["sys_id"].clone());
    assert_eq!(ids, [serde_json::json!(7), serde_json::json!("a")]);
    assert_eq!(rows["result"][0]["sys_mod_count"], "0");
}

#[tokio::test]
async fn following_next_shows_every_row_once() {
    let world = World::new().await;
    tie(&world.instance, "abcdefg");
    let mut url = world.url("/api/now/table/incident?sysparm_limit=3&sysparm_query=ORDERBYsys_id");
    let mut ids = String::new();
    loop {
        let path = url.strip_prefix(&world.served.url()).unwrap().to_owned();
        let reply = world.get(&path, &[]).await;
        ids.push_str(&reply.ids());
        let link = reply.header("link").unwrap();
        let next = link.split(',').find(|link| link.ends_with(r#"rel="next""#));
        match next.and_then(|link| link.strip_prefix('<')?.split('>').next()) {
            Some(next) => next.clone_into(&mut url),
            None => break,
        }
    }
    assert_eq!(ids, "abcdefg");
}

#[tokio::test]
async fn links_and_total_are_left_out_where_they_are_not_due() {
    let world = World::new().await;
    tie(&world.instance, "abc");
    let limited = |limit, more| vec![("sysparm_limit", limit), more];
    let none = ("sysparm_offset", "0");
    for (parameters, has_link, has_total) in [
        (limited("2", none), true, true),
        (limited("3", none), false, true),
        (
            limited("2", ("sysparm_suppress_pagination_header", "true")),
            false,
            true,
        ),
        (limited("2", ("sysparm_no_count", "true")), false, false),
    ] {
        let reply = world.list("incident", &parameters).await;
        let found = (
            reply.header("link").is_some(),
            reply.header("x-total-count").is_some(),
        );
        assert_eq!(found, (has_link, has_total), "{parameters:?}");
    }
    world.instance.configure(|settings| {
        settings.sends_link = false;
        settings.sends_total = false;
    });
    let reply = world.list("incident", &limited("2", none)).await;
    assert_eq!(
        (reply.header("link"), reply.header("x-total-count")),
        (None, None)
    );
}

#[tokio::test]
async fn a_limit_is_cut_to_the_instances_own() {
    let world = World::new().await;
    tie(&world.instance, "abcde");
    world.instance.configure(|settings| settings.max_limit = 2);
    for parameters in [&[("sysparm_limit", "4")][..], &[]] {
        let reply = world.list("incident", parameters).await;
        assert_eq!(reply.ids(), "ab");
        let next = r#"sysparm_offset=2>;rel="next""#;
        assert!(reply.header("link").unwrap().contains(next));
    }
}

/// A client that walks by date and id in one query loses rows if it writes `^OR`, and none with `^NQ`.
#[tokio::test]
async fn an_or_loses_the_later_rows_with_smaller_ids() {
    let world = World::new().await;
    tie(&world.instance, "abm");
    later(&world.instance, "c", 3);
    later(&world.instance, "x", 4);
    for (joint, expected) in [("^OR", "x"), ("^NQ", "cx")] {
        let query = format!("sys_updated_on>{TIED}{joint}sys_updated_on={TIED}^sys_id>m^{ORDER}");
        let reply = world.list("incident", &[("sysparm_query", &query)]).await;
        assert_eq!(reply.ids(), expected, "{joint}");
    }
}

#[tokio::test]
async fn a_tie_is_drained_by_id() {
    let world = World::new().await;
    tie(&world.instance, "abcde");
    later(&world.instance, "0", 3);
    let mut ids = String::new();
    let mut query = format!("sys_updated_on>={TIED}^{ORDER}");
    loop {
        let page = [("sysparm_query", query.as_str()), ("sysparm_limit", "2")];
        let found = world.list("incident", &page).await.ids();
        let Some(last) = found.chars().last() else {
            break;
        };
        ids.push_str(&found);
        query = format!("sys_updated_on={TIED}^sys_id>{last}^ORDERBYsys_id");
    }
    assert_eq!(ids, "abcde");
    let query = format!("sys_updated_on>{TIED}^{ORDER}");
    let reply = world.list("incident", &[("sysparm_query", &query)]).await;
    assert_eq!(reply.ids(), "0");
}

#[tokio::test]
async fn a_row_that_moves_between_pages_shifts_those_behind_it() {
    let world = World::new().await;
    tie(&world.instance, "abcd");
    world.instance.before_table_request(2, |instance| {
        instance.update("a", &[("sys_updated_on", "2026-01-01 00:00:09")]);
    });
    let mut ids = String::new();
    for offset in ["0", "2"] {
        let page = [
            ("sysparm_query", ORDER),
            ("sysparm_limit", "2"),
            ("sysparm_offset", offset),
        ];
        ids.push_str(&world.list("incident", &page).await.ids());
    }
    assert_eq!(ids, "abda");
}

#[tokio::test]
async fn a_literal_in_another_zone_misses_the_row_it_was_read_from() {
    let world = World::new().await;
    tie(&world.instance, "a");
    let finds = async |literal: &str| {
        let query = format!("sys_id=a^sys_updated_on={literal}");
        let reply = world.list("incident", &[("sysparm_query", &query)]).await;
        !reply.ids().is_empty()
    };
    assert!(finds(TIED).await);
    world
        .instance
        .configure(|it| it.literal_offset_seconds = 5400);
    assert!(!finds(TIED).await);
    assert!(finds("2026-01-01 01:30:02").await);
}
