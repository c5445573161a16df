//! Datasets and evaluations over HTTP.

use std::time::Duration;

use serde_json::{Value, json};
use tollgate_model::record::Cost;
use tollgate_model::token::Permission;
use tollgate_model::{Evaluation, Ids, Money, Record};
use tollgate_store::Records;
use tollgate_store::records::Patch;

use super::shop::Shop;
use crate::evaluation::{Book, KINDS};
use crate::sample::{self, NOW};

fn body(name: &str, filters: Value) -> Value {
    json!({ "name": name, "enable": true, "filters": filters })
}

fn of_provider(provider: &str) -> Value {
    json!([{ "key": "provider", "operator": "eq", "value": [provider] }])
}

/// Six records of `g`, every other one of openai, with costs of 1 to 6 thousandths; and what may change settings.
fn stocked() -> (Shop, String, Vec<Record>) {
    let (shop, ids) = (Shop::open(), Ids::new());
    shop.gateway("g");
    shop.gateway("h");
    let mut records = Vec::new();
    for n in 1..=6_u64 {
        let amount = Money::from_nanos(n as i64 * 1_000_000);
        let record = Record {
            id: ids.next(NOW + n),
            created_ms: NOW + n,
            provider: if n % 2 == 0 { "openai" } else { "anthropic" }.into(),
            cost: Some(Cost::plain(amount)),
            ..sample::full()
        };
        shop.keep(record.clone(), b"", b"");
        records.push(record);
    }
    shop.clock.advance(Duration::from_secs(1));
    let token = shop.token(&[Permission::Write]);
    (shop, token, records)
}

#[tokio::test]
async fn a_dataset_is_made_changed_found_and_deleted() {
    let (shop, token, _) = stocked();
    let post = |body: Value| shop.ask("POST", "gateways/g/datasets", &token, Some(body));
    let made = post(body("prod", of_provider("openai"))).await.result();
    assert_eq!((&made["filters"], &made["gateway_id"]), (&of_provider("openai"), &json!("g")));
    let path = format!("gateways/g/datasets/{}", made["id"].as_str().unwrap());
    assert_eq!(shop.get(&path, &token).await.result()["total_logs"], 3);
    let again = post(body("prod", json!([]))).await;
    assert_eq!(again.problem(), (400, 7001, json!({})));
    assert!(again.json()["errors"][0]["message"].as_str().unwrap().contains("already exists"));
    let cheap = json!([{ "key": "cost", "operator": "lt", "value": [0.0025] }]);
    let put = shop.ask("PUT", &path, &token, Some(body("cheap", cheap))).await.result();
    assert_eq!((&put["name"], &put["id"], &put["created_at"]), (&json!("cheap"), &made["id"], &made["created_at"]));
    assert_eq!(shop.get(&path, &token).await.result()["total_logs"], 2);
    post(body("other", json!([]))).await.result();
    for (query, found) in [("", 2), ("?name=CHE", 1), ("?enable=false", 0), ("?search=cost", 1), ("?page=2", 0)] {
        let said = shop.get(&format!("gateways/g/datasets{query}"), &token).await;
        assert_eq!(said.result().as_array().unwrap().len(), found, "{query}");
    }
    assert_eq!(shop.get("gateways/h/datasets", &token).await.result(), json!([]), "of another gateway");
    let other = path.replace("gateways/g", "gateways/h");
    assert_eq!(shop.get(&other, &token).await.problem(), (404, 7002, json!({})));
    assert_eq!(shop.get("gateways/nope/datasets", &token).await.problem(), (404, 7002, json!({})));
    shop.ask("DELETE", &path, &token, None).await.result();
    assert_eq!(shop.get(&path, &token).await.problem(), (404, 7002, json!({})));
}

#[tokio::test]
async fn faults_of_a_dataset_are_told_with_their_places() {
    let (shop, token, _) = stocked();
    let bad = json!([
        { "key": "provider", "operator": "neq", "value": ["x"] },
        { "key": "metadata.key", "operator": "eq", "value": ["x"] },
        { "key": "cost", "operator": "gt", "value": ["dear"] },
        { "key": "success", "operator": "eq", "value": [] }
    ]);
    let said = shop.ask("POST", "gateways/g/datasets", &token, Some(json!({ "name": "", "filters": bad }))).await;
    let json = said.json();
    let places: Vec<String> =
        json["errors"].as_array().unwrap().iter().map(|error| error["path"].to_string()).collect();
    let expected = [
        r#"["body","name"]"#,
        r#"["body","enable"]"#,
        r#"["body","filters",0,"operator"]"#,
        r#"["body","filters",1,"key"]"#,
        r#"["body","filters",2,"value"]"#,
        r#"["body","filters",3,"value"]"#,
    ];
    assert_eq!((said.status.as_u16(), places), (400, expected.map(str::to_owned).to_vec()));
    for n in 0..11 {
        let said = shop.ask("POST", "gateways/g/datasets", &token, Some(body(&n.to_string(), json!([])))).await;
        assert_eq!(said.status.as_u16(), if n < 10 { 200 } else { 400 }, "{n}");
    }
}

async fn dataset(shop: &Shop, token: &str, name: &str, filters: Value) -> Value {
    shop.ask("POST", "gateways/g/datasets", token, Some(body(name, filters))).await.result()["id"].take()
}

/// Asks until it is processed; there is a bound, as the work is done by a thread of its own.
async fn processed(shop: &Shop, token: &str, id: &Value) -> Value {
    for _ in 0..2_000 {
        let said = shop.get(&format!("gateways/g/evaluations/{}", id.as_str().unwrap()), token).await.result();
        if said["processed"] == true {
            return said;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("an evaluation of six records does not end");
}

fn kinds() -> Vec<&'static str> {
    KINDS.iter().map(|kind| kind.id).collect()
}

#[tokio::test]
async fn an_evaluation_is_of_the_records_of_all_its_datasets_each_once() {
    let (shop, token, records) = stocked();
    for (at, feedback) in [(0, 1), (1, 1), (3, -1), (5, 1)] {
        let patch = Patch { feedback: Some(Some(feedback)), ..Patch::default() };
        assert!(shop.records.patch(records[at].id, &patch).unwrap());
    }
    let openai = dataset(&shop, &token, "openai", of_provider("openai")).await;
    let dear = json!([{ "key": "cost", "operator": "gt", "value": [0.0045] }]);
    let dear = dataset(&shop, &token, "dear", dear).await;
    let wanted = json!({ "name": "weekly", "dataset_ids": [openai, dear], "evaluation_type_ids": kinds() });
    let made = shop.ask("POST", "gateways/g/evaluations", &token, Some(wanted.clone())).await.result();
    let done = processed(&shop, &token, &made["id"]).await;
    // 2, 4, 5 and 6 thousandths; all last 1.200999 s.
    let results: Vec<_> = done["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|each| (&each["result"], &each["status"], &each["total_logs"]))
        .collect();
    let (cost, speed, thumbs) = (json!("0.00425"), json!("1200.999"), json!("66.67"));
    let (done_status, four, three) = (json!(2), json!(4), json!(3));
    let expected = [(&cost, &done_status, &four), (&speed, &done_status, &four), (&thumbs, &done_status, &three)];
    assert_eq!(results, expected);
    assert_eq!((&done["total_logs"], &done["datasets"][1]["name"]), (&json!(4), &json!("dear")));
    assert_eq!(done["results"][0]["status_description"], "Completed");
    let again = shop.ask("POST", "gateways/g/evaluations", &token, Some(wanted)).await;
    assert!(again.json()["errors"][0]["message"].as_str().unwrap().contains("already exists"));
    for (query, found) in [("?name=WEEK", 1), ("?processed=false", 0), ("?search=nothing", 0), ("", 1)] {
        let said = shop.get(&format!("gateways/g/evaluations{query}"), &token).await;
        assert_eq!(said.result().as_array().unwrap().len(), found, "{query}");
    }
    let path = format!("gateways/g/evaluations/{}", made["id"].as_str().unwrap());
    shop.ask("DELETE", &path, &token, None).await.result();
    assert_eq!(shop.get(&path, &token).await.problem(), (404, 7002, json!({})));
}

#[tokio::test]
async fn of_nothing_there_is_no_result() {
    let (shop, token, _) = stocked();
    let none = dataset(&shop, &token, "none", of_provider("nobody")).await;
    let wanted = json!({ "name": "empty", "dataset_ids": [none], "evaluation_type_ids": kinds() });
    let made = shop.ask("POST", "gateways/g/evaluations", &token, Some(wanted)).await.result();
    let done = processed(&shop, &token, &made["id"]).await;
    assert!(done["results"].as_array().unwrap().iter().all(|each| each["status"] == 3 && each["result"] == ""));
}

#[tokio::test]
async fn what_an_evaluation_names_must_be_there() {
    let (shop, token, _) = stocked();
    let wanted = json!({ "name": "x", "dataset_ids": ["nope"], "evaluation_type_ids": kinds() });
    let said = shop.ask("POST", "gateways/g/evaluations", &token, Some(wanted.clone())).await;
    assert_eq!((said.status.as_u16(), &said.json()["errors"][0]["path"]), (400, &json!(["body", "dataset_ids", 0])));
    assert_eq!(shop.ask("POST", "gateways/nope/evaluations", &token, Some(wanted)).await.problem().1, 7002);
    assert_eq!(shop.get("gateways/nope/evaluations", &token).await.result(), json!([]));
    let types = shop.get("evaluation-types?order_by=name&order_by_direction=desc", &token).await.result();
    let names: Vec<_> = types.as_array().unwrap().iter().map(|each| each["type"].as_str().unwrap()).collect();
    assert_eq!(names, ["speed", "human_feedback", "cost"]);
}

#[tokio::test]
async fn what_an_earlier_process_left_is_done() {
    let (shop, token, records) = stocked();
    let gateway = shop.desk.gateway("g").unwrap().unwrap();
    let all = dataset(&shop, &token, "all", json!([])).await;
    let body = json!({ "name": "left", "dataset_ids": [all], "evaluation_type_ids": kinds() });
    let mut left: Evaluation = crate::evaluation::wanted(&shop.desk, &gateway, &body).unwrap();
    // Killed in the middle: some were counted, and it says that it runs.
    left.total_logs = 3;
    left.results.iter_mut().for_each(|each| each.state = tollgate_model::evaluation::State::Running);
    Book(&*shop.entries).add(&left).unwrap();
    // What is logged after it was asked for is not in it.
    shop.keep(Record { id: Ids::new().next(NOW + 90_000), created_ms: NOW + 90_000, ..records[0].clone() }, b"", b"");
    crate::evaluation::run_queued(&*shop.entries, &*shop.records, &|| NOW + 2_000).unwrap();
    let done = processed(&shop, &token, &json!(left.id)).await;
    assert_eq!((&done["total_logs"], &done["results"][0]["result"]), (&json!(6), &json!("0.0035")));
}
