//! Logs over HTTP: order, pages, filters, bodies, and queries nobody would send.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};
use tollgate_model::token::Permission;
use tollgate_model::{Ids, Money, Record};
use tollgate_rules::snapshot::Documents;
use tollgate_store::Records;

use super::shop::{Shop, body, public};
use crate::sample::{self, NOW};

fn ids(rows: &Value) -> Vec<String> {
    rows.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

fn of(gateway: &str, ids: &Ids, created_ms: u64) -> Record {
    Record { id: ids.next(created_ms), gateway: gateway.into(), created_ms, ..sample::full() }
}

/// Three records of `g` a second apart, with one more of each token class and cost, and one of `h`.
fn stocked() -> (Shop, String, Vec<String>) {
    let shop = Shop::open();
    shop.gateway("g");
    shop.gateway("h");
    let ids = Ids::new();
    let mut names = Vec::new();
    for n in 1..=3_u64 {
        let mut record = of("g", &ids, NOW + n * 1_000);
        record.model = format!("model-{n}");
        record.cost = Some(tollgate_model::record::Cost::plain(Money::from_nanos(n as i64 * 1_000_000)));
        names.push(record.id.to_string());
        shop.keep(record, format!("{{\"n\":{n}}}").as_bytes(), b"data: {}\n\n");
    }
    shop.keep(of("h", &ids, NOW + 9_000), b"", b"");
    let token = shop.token(&[Permission::Read]);
    (shop, token, names)
}

#[tokio::test]
async fn rows_come_newest_first_and_pages_end_empty() {
    let (shop, token, names) = stocked();
    for (query, expected) in [
        ("", vec![2, 1, 0]),
        ("?order_by=created_at", vec![0, 1, 2]),
        ("?order_by_direction=asc", vec![0, 1, 2]),
        ("?direction=desc", vec![2, 1, 0]),
        ("?order_by=cost&order_by_direction=desc", vec![2, 1, 0]),
        ("?order_by=duration", vec![0, 1, 2]),
        ("?per_page=2&page=2", vec![0]),
        ("?per_page=2&page=3", vec![]),
        ("?page=999999999", vec![]),
        ("?model=MODEL-2", vec![1]),
        ("?min_cost=0.002", vec![2, 1]),
        ("?max_cost=0.001&success=true&cached=false", vec![0]),
        ("?success=false", vec![]),
        ("?start_date=2026-11-18T11:06:42Z&end_date=2026-11-18T11:06:42.000Z", vec![1]),
        ("?filters.key=model&filters.operator=eq&filters.value=model-1&filters.value=model-3", vec![2, 0]),
        ("?filters=%5B%7B%22key%22%3A%22cost%22%2C%22operator%22%3A%22gt%22%2C%22value%22%3A0.001%7D%5D", vec![2, 1]),
        ("?search=team", vec![2, 1, 0]),
        ("?search=nothing+like+it", vec![]),
    ] {
        let said = shop.get(&format!("gateways/g/logs{query}"), &token).await;
        let expected: Vec<String> = expected.into_iter().map(|at: usize| names[at].clone()).collect();
        assert_eq!(ids(&said.result()), expected, "{query}");
    }
    let info =
        &shop.get("gateways/g/logs?per_page=2&meta_info=true&min_cost=0.002", &token).await.json()["result_info"];
    assert_eq!((&info["count"], &info["total_count"], &info["total_pages"]), (&json!(2), &json!(2), &json!(1)));
    assert_eq!(
        (&info["min_cost"], &info["max_cost"], &info["max_total_tokens"]),
        (&json!(0.002), &json!(0.003), &json!(46))
    );
}

#[tokio::test]
async fn what_cannot_be_read_is_refused() {
    let (shop, token, _) = stocked();
    for query in [
        "per_page=51",
        "per_page=0",
        "order_by=colour",
        "success=maybe",
        "start_date=soon",
        "filters=[",
        "feedback=2",
        "min_cost=dear",
    ] {
        assert_eq!(
            shop.get(&format!("gateways/g/logs?{query}"), &token).await.problem(),
            (400, 7001, json!({})),
            "{query}"
        );
    }
    assert_eq!(shop.get("gateways/nope/logs", &token).await.problem(), (404, 7002, json!({})));
}

#[tokio::test]
async fn a_record_is_shown_whole_and_only_under_its_gateway() {
    let (shop, token, names) = stocked();
    let detail = shop.get(&format!("gateways/g/logs/{}", names[0]), &token).await.result();
    assert_eq!((&detail["id"], &detail["request_head"]), (&json!(names[0]), &json!("{\"n\":1}")));
    assert_eq!((&detail["request_head_complete"], &detail["response_head"]), (&json!(true), &json!("data: {}\n\n")));
    for path in [
        &format!("gateways/h/logs/{}", names[0]),
        "gateways/g/logs/00000000-0000-7000-8000-000000000000",
        "gateways/g/logs/nonsense",
    ] {
        for end in ["", "/request", "/response"] {
            assert_eq!(
                shop.get(&format!("{path}{end}"), &token).await.problem(),
                (404, 7002, json!({})),
                "{path}{end}"
            );
        }
    }
}

#[tokio::test]
async fn bodies_come_as_they_were_stored_and_do_not_run_in_a_browser() {
    let (shop, token, names) = stocked();
    let said = shop.get(&format!("gateways/g/logs/{}/response", names[0]), &token).await;
    assert_eq!((said.status.as_u16(), &said.bytes[..]), (200, &b"data: {}\n\n"[..]));
    assert_eq!(said.headers["content-type"], "text/event-stream");
    assert_eq!(said.headers["x-content-type-options"], "nosniff");
    assert!(said.headers["content-security-policy"].to_str().unwrap().contains("sandbox"));
    let said = shop.get(&format!("gateways/g/logs/{}/request", names[0]), &token).await;
    assert_eq!((said.headers["content-type"].to_str().unwrap(), said.json()), ("application/json", json!({"n": 1})));
    let unkept = ids(&shop.get("gateways/h/logs", &token).await.result()).remove(0);
    assert_eq!(shop.get(&format!("gateways/h/logs/{unkept}/request"), &token).await.problem(), (404, 7002, json!({})));
}

#[tokio::test]
async fn a_token_for_metadata_sees_neither_prompts_nor_answers() {
    let (shop, _, names) = stocked();
    let token = shop.token(&[Permission::ReadMetadata]);
    assert_eq!(ids(&shop.get("gateways/g/logs", &token).await.result()).len(), 3);
    let detail = shop.get(&format!("gateways/g/logs/{}", names[0]), &token).await;
    assert!(
        detail.result()["request_head"].is_null() && !String::from_utf8_lossy(&detail.bytes).contains("{\\\"n\\\":1}")
    );
    for side in ["request", "response"] {
        let said = shop.get(&format!("gateways/g/logs/{}/{side}", names[0]), &token).await;
        assert_eq!(said.problem(), (403, 10000, Value::Null));
    }
}

#[tokio::test]
async fn a_gateway_made_anew_does_not_show_what_an_earlier_one_logged() {
    let (shop, token, names) = stocked();
    shop.desk.delete_gateway("g").unwrap();
    shop.clock.advance(Duration::from_secs(60));
    shop.desk.create_gateway(&body("g")).unwrap();
    assert_eq!(shop.get("gateways/g/logs", &token).await.result(), json!([]));
    assert_eq!(shop.get(&format!("gateways/g/logs/{}", names[0]), &token).await.status, 404);
}

#[tokio::test]
async fn the_tail_tells_what_arrived_since() {
    let (shop, token, names) = stocked();
    let now = shop.get("gateways/g/logs/tail", &token).await;
    assert_eq!(now.result(), json!([]), "without `after` only what comes from now on");
    assert_eq!(ids(&shop.get("gateways/g/logs/tail?after=0", &token).await.result()), names);
    let next = now.json()["result_info"]["next"].as_u64().unwrap();
    let ids_made = Ids::new();
    for gateway in ["g", "h"] {
        shop.keep(of(gateway, &ids_made, NOW + 60_000), b"", b"");
    }
    let said = shop.get(&format!("gateways/g/logs/tail?after={next}"), &token).await;
    let info = json!({"count": 1, "next": next + 2, "missed": 0});
    assert_eq!((said.result().as_array().unwrap().len(), &said.json()["result_info"]), (1, &info));
}

#[tokio::test]
async fn readers_wait_for_the_journal_and_do_not_fail_without_it() {
    let asked = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let count = asked.clone();
    let catch_up = Box::new(move |_| {
        count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        false
    });
    let shop = Shop::with(Documents::default(), public(true), catch_up);
    shop.gateway("g");
    let token = shop.token(&[Permission::Read]);
    assert_eq!(shop.get("gateways/g/logs", &token).await.result(), json!([]));
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 1);
}

/// Names that are parameters and values that mean something, so that more than the first look at each is reached.
fn queries() -> impl Strategy<Value = String> {
    let names = "page|per_page|order_by|order_by_direction|direction|search|filters|filters\\.key|filters\\.operator|filters\\.value|\
        filters\\[[0-9]{1,9}\\]\\[(key|operator|value)\\](\\[\\])?|start_date|end_date|success|feedback|min_cost|max_total_tokens|meta_info|[a-z%\\[]{0,6}";
    let values = "[0-9]{0,20}|-?[0-9.e]{1,12}|true|cost|model|metadata\\.value|created_at|eq|neq|contains|gt|asc|desc|[0-9]{1,6}-[0-9]{2}-[0-9]{2}|\
        \\[\\{\"key\":\"(id|event_id|feedback|duration|metadata\\.key)\",\"operator\":\"(eq|lt|neq)\",\"value\":(\\[\\]|null|-?[0-9]{1,40}|\"[a-z0-9%-]{0,40}\"|\\[\\[1\\]\\])\\}\\]|\\PC{0,12}";
    let pair = (names, values).prop_map(|(name, value)| format!("{name}={}", encoded(&value)));
    proptest::collection::vec(pair, 0..8).prop_map(|pairs| pairs.join("&"))
}

fn encoded(value: &str) -> String {
    percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string()
}

#[test]
fn no_query_makes_the_server_fail() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (shop, token, names) = runtime.block_on(async { stocked() });
    let paths = ["gateways", "gateways/g/logs", "gateways/g/logs/tail", &format!("gateways/g/logs/{}", names[0])];
    proptest!(ProptestConfig::with_cases(400), |(query in queries(), at in 0..paths.len())| {
        // What the HTTP layer would not accept as a URI does not reach us.
        let path = format!("{}?{query}", paths[at]);
        if path.parse::<http::Uri>().is_ok() {
            let said = runtime.block_on(shop.get(&path, &token));
            prop_assert!(said.status.as_u16() < 500, "{} for {}: {:?}", said.status, path, said.bytes);
        }
    });
}

#[tokio::test]
async fn a_record_is_told_what_was_thought_of_it() {
    let (shop, reader, names) = stocked();
    let token = shop.token(&[Permission::Write]);
    let path = format!("gateways/g/logs/{}", names[1]);
    let patch = |body: Value| shop.ask("PATCH", &path, &token, Some(body));
    assert_eq!(patch(json!({ "feedback": 1, "score": 50, "metadata": { "team": "z" } })).await.result(), json!({}));
    let detail = shop.get(&path, &reader).await.result();
    let expected = (&json!(1), &json!(50), &json!("{\"team\":\"z\"}"));
    assert_eq!((&detail["feedback"], &detail["score"], &detail["metadata"]), expected);
    for (query, found) in [
        ("feedback=1", 1),
        ("feedback=-1", 0),
        ("min_cost=0&filters.key=feedback&filters.operator=eq", 2),
        ("filters=[{\"key\":\"score\",\"operator\":\"gt\",\"value\":49.5}]", 1),
        ("order_by=feedback&order_by_direction=desc&per_page=1&search=z", 1),
    ] {
        let query = query.replace('[', "%5B").replace('"', "%22").replace(']', "%5D").replace('{', "%7B");
        let said = shop.get(&format!("gateways/g/logs?{}", query.replace('}', "%7D")), &reader).await;
        assert_eq!(ids(&said.result()).len(), found, "{query}");
    }
    assert_eq!(patch(json!({ "feedback": null })).await.result(), json!({}));
    let detail = shop.get(&path, &reader).await.result();
    assert_eq!((&detail["feedback"], &detail["score"]), (&Value::Null, &json!(50)));
    assert_eq!(patch(json!({ "score": 101 })).await.problem(), (400, 7001, json!({})));
    let other = format!("gateways/h/logs/{}", names[1]);
    assert_eq!(shop.ask("PATCH", &other, &token, Some(json!({}))).await.problem(), (404, 7002, json!({})));
    assert_eq!(shop.ask("PATCH", &path, &reader, Some(json!({}))).await.status, 403);
}

#[tokio::test]
async fn records_are_deleted_by_filter_order_and_limit() {
    let (shop, reader, names) = stocked();
    let token = shop.token(&[Permission::Write]);
    let delete = |query: &str| {
        let path = format!("gateways/g/logs?{query}");
        let (shop, token) = (&shop, &token);
        async move { shop.ask("DELETE", &path, token, None).await }
    };
    for wrong in ["limit=0", "limit=10001", "filters.key=colour&filters.operator=eq&filters.value=1", "order_by=x"] {
        assert_eq!(delete(wrong).await.problem(), (400, 7001, json!({})), "{wrong}");
    }
    let said = delete("limit=1&order_by=cost&order_by_direction=desc").await;
    assert_eq!((said.json()["success"].as_bool(), &said.json()["result"]["deleted"]), (Some(true), &json!(1)));
    assert_eq!(ids(&shop.get("gateways/g/logs", &reader).await.result()), [&*names[1], &*names[0]]);
    for end in ["", "/request", "/response"] {
        assert_eq!(shop.get(&format!("gateways/g/logs/{}{end}", names[2]), &reader).await.status, 404);
    }
    let by_id = format!("filters.key=id&filters.operator=eq&filters.value={}", names[1]);
    assert_eq!(delete(&by_id).await.result(), json!({ "deleted": 1 }));
    assert_eq!(delete("").await.result(), json!({ "deleted": 1 }));
    assert_eq!(shop.get("gateways/g/logs", &reader).await.json()["result_info"]["total_count"], 0);
    assert_eq!(ids(&shop.get("gateways/h/logs", &reader).await.result()).len(), 1, "of another gateway");
}

#[tokio::test]
async fn what_a_full_gateway_leaves_out_is_shown() {
    let (shop, token, _) = stocked();
    let cap = tollgate_store::records::Cap { rows: 4, then: tollgate_store::records::AtTheCap::LeaveOut };
    shop.records.cap([("g".to_owned(), cap)].into());
    let ids = Ids::new();
    (0..3).for_each(|n| shop.keep(of("g", &ids, NOW + 20_000 + n), b"", b""));
    let info = &shop.get("gateways/g/logs", &token).await.json()["result_info"];
    assert_eq!((&info["total_count"], &info["not_inserted"]), (&json!(4), &json!(2)));
    assert_eq!(shop.get("gateways/h/logs", &token).await.json()["result_info"]["not_inserted"], Value::Null);
}

fn encoded_query(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

#[tokio::test]
async fn one_line_asks_for_many_things() {
    let (shop, token, names) = stocked();
    for (text, expected) in [
        ("model:model-2", vec![1]),
        ("model:model-* -model:*-3", vec![1, 0]),
        ("cost:>0.001 cost:<0.003 status:200", vec![1]),
        ("meta.team:a model:model-1,model-3", vec![2, 0]),
        ("MODEL-3", vec![2]),
        ("openai -\"model-2\"", vec![2, 0]),
        ("cached:true", vec![]),
        ("has:feedback", vec![]),
        ("since:2026-11-18T11:06:42Z", vec![2, 1]),
    ] {
        let said = shop.get(&format!("gateways/g/logs?q={}", encoded_query(text)), &token).await;
        let expected: Vec<String> = expected.into_iter().map(|at: usize| names[at].clone()).collect();
        assert_eq!(ids(&said.result()), expected, "{text}");
    }
    let wrong = shop.get("gateways/g/logs?q=colour%3Ared", &token).await;
    assert_eq!((wrong.problem().1, &wrong.json()["errors"][0]["path"]), (7001, &json!(["query", "q"])));
}

#[tokio::test]
async fn what_the_log_comes_to_is_counted() {
    let (shop, token, _) = stocked();
    let path =
        format!("gateways/g/logs/facets?fields=provider,model,meta.team,cached&q={}", encoded_query("-model:*-2"));
    let facets = shop.get(&path, &token).await;
    let expected = json!({
        "provider": [{ "value": "openai", "count": 2 }],
        "model": [{ "value": "model-1", "count": 1 }, { "value": "model-3", "count": 1 }],
        "cached": [{ "value": "false", "count": 2 }],
        "meta.team": [{ "value": "a", "count": 2 }]
    });
    assert_eq!((facets.result(), &facets.json()["result_info"]), (expected, &json!({ "complete": true })));
    assert_eq!(shop.get("gateways/g/logs/facets?fields=colour", &token).await.problem().1, 7001);
    let range = "start_date=2026-11-18T11:06:41Z&end_date=2026-11-18T11:06:43.999Z&buckets=3";
    let said = shop.get(&format!("gateways/g/logs/histogram?{range}"), &token).await;
    let rows = said.result();
    let column = |name: &str| rows.as_array().unwrap().iter().map(|row| row[name].clone()).collect::<Vec<_>>();
    assert_eq!(column("start")[2], json!("2026-11-18T11:06:43.000Z"));
    assert_eq!(column("requests"), [json!(1), json!(1), json!(1)]);
    assert_eq!(column("cost"), [json!(0.001), json!(0.002), json!(0.003)]);
    assert_eq!((column("tokens_out"), column("errors")), (vec![json!(34); 3], vec![json!(0); 3]));
    assert_eq!(said.json()["result_info"]["step_ms"], 1_000);
}

#[tokio::test]
async fn an_export_has_every_row_and_no_more() {
    let (shop, token, names) = stocked();
    let made = Ids::new();
    // More than one piece, and one that is newer than the question.
    (0..1_203).for_each(|n| shop.keep(of("g", &made, NOW + 4_000 + n % 7), b"", b""));
    shop.keep(of("g", &made, NOW + 90_000), b"", b"");
    shop.clock.advance(Duration::from_secs(60));
    let said = shop.get("gateways/g/logs/export?order_by_direction=asc", &token).await;
    assert_eq!(said.headers["content-disposition"], "attachment; filename=\"g-logs.jsonl\"");
    let text = String::from_utf8(said.bytes.to_vec()).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((rows.len(), &rows[0]["id"], &rows[2]["id"]), (1_206, &json!(names[0]), &json!(names[2])));
    let distinct: std::collections::HashSet<_> = rows.iter().map(|row| row["id"].to_string()).collect();
    assert_eq!(distinct.len(), rows.len());
    let said = shop.get("gateways/g/logs/export.csv?model=model-2", &token).await;
    let text = String::from_utf8(said.bytes.to_vec()).unwrap();
    let lines: Vec<&str> = text.split_terminator("\r\n").collect();
    assert!(lines.len() == 2 && lines[0].starts_with("id,event_id,created_at") && lines[1].contains("\"model-2\""));
    assert!(lines[1].contains("\"{\"\"team\"\":\"\"a\"\",\"\"n\"\":1}\""), "{}", lines[1]);
    let none = shop.get("gateways/g/logs/export?q=nothing-like-it", &token).await;
    assert_eq!((none.status.as_u16(), none.bytes.len()), (200, 0));
}
