//! Dynamic routes over HTTP: what the SDKs, Terraform and the dashboard read.

use std::time::Duration;

use serde_json::{Value, json};
use tollgate_model::token::Permission;

use super::shop::{Shop, elements};

fn body(name: &str, model: &str) -> Value {
    json!({ "name": name, "elements": elements(model) })
}

#[tokio::test]
async fn a_route_lives_from_create_to_delete() {
    let shop = Shop::stocked();
    shop.gateway("g");
    let token = shop.token(&[Permission::Write]);
    let made = shop.ask("POST", "gateways/g/routes", &token, Some(body("support", "gpt-4o"))).await.result();
    let id = made["id"].as_str().unwrap().to_owned();
    assert_eq!(
        (&made["name"], &made["gateway_id"], &made["account_tag"]),
        (&json!("support"), &json!("g"), &json!(shop.account))
    );
    assert_eq!((&made["elements"], &made["version"]["data"]), (&elements("gpt-4o"), &elements("gpt-4o")));
    assert_eq!((&made["version"]["active"], &made["version"]["is_valid"]), (&json!(true), &json!(true)));
    assert_eq!(made["deployment"]["version_id"], made["version"]["version_id"]);
    let path = format!("gateways/g/routes/{id}");
    assert_eq!(shop.get(&path, &token).await.result(), made);
    assert_eq!(shop.get("gateways/g/routes/support", &token).await.result(), made);
    assert!(shop.desk.current().unwrap().gateway("g").unwrap().route("support").is_some(), "it serves at once");

    shop.clock.advance(Duration::from_secs(1));
    let said = shop.ask("PATCH", &path, &token, Some(json!({ "name": "help" }))).await;
    let renamed = said.json();
    assert_eq!(
        (said.status.as_u16(), &renamed["success"], &renamed["route"]["name"]),
        (200, &json!(true), &json!("help"))
    );
    for member in ["id", "name", "gateway_id", "elements", "created_at", "modified_at", "deployment", "version"] {
        assert_eq!(renamed[member], renamed["route"][member], "Terraform reads {member} at the top");
    }
    assert_eq!(renamed["version"]["version_id"], made["version"]["version_id"], "renaming makes no version");
    assert!(shop.desk.current().unwrap().gateway("g").unwrap().route("support").is_none());

    let gone = shop.ask("DELETE", &path, &token, None).await.result();
    assert_eq!((&gone["id"], gone.get("version"), gone.get("deployment")), (&json!(id), None, None));
    for method in ["GET", "PATCH", "DELETE"] {
        let said = shop.ask(method, &path, &token, Some(json!({ "name": "x" }))).await;
        assert_eq!(said.problem(), (404, 7005, json!({})), "{method}");
        assert!(said.json()["errors"][0]["message"].as_str().unwrap().contains("not found"));
    }
}

#[tokio::test]
async fn versions_are_made_deployed_and_rolled_back() {
    let shop = Shop::stocked();
    shop.gateway("g");
    let token = shop.token(&[Permission::Write]);
    let made = shop.ask("POST", "gateways/g/routes", &token, Some(body("support", "one"))).await.result();
    let path = format!("gateways/g/routes/{}", made["id"].as_str().unwrap());
    let first = made["version"]["version_id"].clone();
    let target = || {
        let snapshot = shop.desk.current().unwrap();
        let route = snapshot.gateway("g").unwrap().route("support").unwrap().clone();
        route.targets().next().map(|(_, model)| model.to_owned()).unwrap()
    };

    shop.clock.advance(Duration::from_secs(1));
    let versions = format!("{path}/versions");
    let second = shop.ask("POST", &versions, &token, Some(json!({ "elements": elements("two") }))).await.result();
    assert_eq!((&second["id"], &second["elements"], &second["active"]), (&made["id"], &elements("two"), &json!(false)));
    assert_eq!(target(), "one", "a version is not deployed by being made");

    let deployments = format!("{path}/deployments");
    let deployed =
        shop.ask("POST", &deployments, &token, Some(json!({ "version_id": second["version_id"] }))).await.result();
    assert_eq!((&deployed["elements"], target().as_str()), (&elements("two"), "two"));
    shop.ask("POST", &deployments, &token, Some(json!({ "version_id": first }))).await.result();
    assert_eq!(target(), "one", "an older version is a rollback");

    let listed = shop.get(&versions, &token).await.json();
    let rows = listed["data"]["versions"].as_array().unwrap();
    assert_eq!(
        (rows.len(), &rows[0]["version_id"], &rows[0]["active"], &rows[1]["active"]),
        (2, &second["version_id"], &json!(false), &json!(true))
    );
    assert_eq!(serde_json::from_str::<Value>(rows[0]["data"].as_str().unwrap()).unwrap(), elements("two"));
    let one = shop.get(&format!("{versions}/{}", first.as_str().unwrap()), &token).await.result();
    assert_eq!((&one["elements"], &one["active"]), (&elements("one"), &json!(true)));
    let listed = shop.get(&deployments, &token).await.json();
    let deployed: Vec<&Value> =
        listed["data"]["deployments"].as_array().unwrap().iter().map(|row| &row["version_id"]).collect();
    assert_eq!(deployed, [&first, &second["version_id"], &first]);

    for (method, path, sent, expected) in [
        ("GET", format!("{versions}/nope"), None, (404, 7005)),
        ("POST", deployments.clone(), Some(json!({ "version_id": "nope" })), (404, 7005)),
        ("POST", deployments, Some(json!({})), (400, 7001)),
        ("POST", versions, Some(json!({})), (400, 7001)),
    ] {
        let (status, code, _) = shop.ask(method, &path, &token, sent).await.problem();
        assert_eq!((status, code), expected, "{method} {path}");
    }
}

#[tokio::test]
async fn what_would_not_serve_cannot_be_saved() {
    let shop = Shop::stocked();
    shop.gateway("g");
    let token = shop.token(&[Permission::Write]);
    let mut unfinished = elements("gpt-4o");
    unfinished[1]["properties"].as_object_mut().unwrap().remove("provider");
    let said =
        shop.ask("POST", "gateways/g/routes", &token, Some(json!({ "name": "x", "elements": unfinished }))).await;
    assert_eq!(said.problem(), (400, 7001, json!({})));
    assert_eq!(
        said.json()["errors"],
        json!([{ "code": 7001, "message": "Required", "path": ["body", "elements", 1, "properties", "provider"] }])
    );

    let mut misspelt = elements("gpt-4o");
    for (wrong, right) in [("opneai", "openai"), ("xai", "grok")] {
        misspelt[1]["properties"]["provider"] = wrong.into();
        let body = json!({ "name": "x", "elements": misspelt });
        let said = shop.ask("POST", "gateways/g/routes", &token, Some(body)).await.json();
        let expected = format!("there is no provider {wrong:?} (did you mean {right:?}?)");
        assert_eq!(said["errors"][0]["message"], expected);
        assert_eq!(said["errors"][0]["path"], json!(["body", "elements", 1, "properties", "provider"]));
    }
    let said = shop.ask("POST", "gateways/g/routes", &token, Some(json!({ "name": " x" }))).await.json();
    let paths: Vec<&Value> = said["errors"].as_array().unwrap().iter().map(|error| &error["path"]).collect();
    assert_eq!(paths, [&json!(["body", "name"]), &json!(["body", "elements"])]);

    shop.ask("POST", "gateways/g/routes", &token, Some(body("taken", "m"))).await.result();
    let again = shop.ask("POST", "gateways/g/routes", &token, Some(body("taken", "m"))).await;
    assert_eq!(again.problem(), (400, 7005, json!({})));
    assert!(again.json()["errors"][0]["message"].as_str().unwrap().contains("already exists"));
    let other = shop.ask("POST", "gateways/g/routes", &token, Some(body("other", "m"))).await.result();
    let path = format!("gateways/g/routes/{}", other["id"].as_str().unwrap());
    assert_eq!(shop.ask("PATCH", &path, &token, Some(json!({ "name": "taken" }))).await.problem().1, 7005);
    assert_eq!(shop.ask("PATCH", &path, &token, Some(json!({ "name": "other" }))).await.status, 200);
    assert_eq!(
        shop.ask("POST", "gateways/nope/routes", &token, Some(body("x", "m"))).await.problem(),
        (404, 7002, json!({}))
    );
}

#[tokio::test]
async fn a_route_that_serves_may_come_with_warnings_and_in_old_spellings() {
    let shop = Shop::stocked();
    shop.gateway("g");
    let token = shop.token(&[Permission::Write]);
    let old = json!([
        { "id": "s", "type": "start", "outputs": { "next": { "elementId": "r" } } },
        { "id": "r", "type": "rate_limit", "properties": { "limitType": "count", "limit": 2, "interval": 60, "key": "metadata.user_id" },
          "outputs": { "success": { "elementId": "m" } } },
        { "id": "m", "type": "model", "properties": { "provider": "custom-mine", "model": "m" }, "outputs": {} }
    ]);
    let said = shop
        .ask("POST", "gateways/g/routes", &token, Some(json!({ "name": "x", "elements": old.to_string() })))
        .await
        .json();
    assert_eq!(
        (&said["result"]["elements"][1]["type"], &said["result"]["elements"][1]["properties"]["window"]),
        (&json!("rate"), &json!(60))
    );
    assert!(said["messages"][0]["message"].as_str().unwrap().contains("no end can be reached"));
}

#[tokio::test]
async fn the_list_is_below_data_and_below_result_and_pages_end() {
    let shop = Shop::stocked();
    shop.gateway("g");
    let token = shop.token(&[Permission::Write]);
    for name in ["a", "b", "c"] {
        shop.ask("POST", "gateways/g/routes", &token, Some(body(name, "m"))).await.result();
        shop.clock.advance(Duration::from_secs(1));
    }
    let said = shop.get("gateways/g/routes?per_page=2", &token).await.json();
    let names = |rows: &Value| {
        rows.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        (names(&said["data"]["routes"]), names(&said["result"])),
        (vec!["c".into(), "b".into()], vec!["c".into(), "b".into()])
    );
    assert_eq!(
        (&said["data"]["page"], &said["data"]["order_by_direction"], &said["result_info"]["total_count"]),
        (&json!(1), &json!("desc"), &json!(3))
    );
    assert!(said["result"][0]["elements"].is_array() && said["result"][0]["version"].get("data").is_none());
    let past = shop.get("gateways/g/routes?per_page=2&page=3", &token).await.json();
    assert_eq!((&past["result"], &past["data"]["routes"]), (&json!([]), &json!([])));
    assert_eq!(
        names(&shop.get("gateways/g/routes?order_by_direction=asc", &token).await.json()["result"]),
        ["a", "b", "c"]
    );
}

#[tokio::test]
async fn routes_go_with_their_gateway() {
    let shop = Shop::stocked();
    shop.gateway("g");
    let token = shop.token(&[Permission::Write]);
    shop.route("g", "support");
    shop.ask("DELETE", "gateways/g", &token, None).await.result();
    shop.gateway("g");
    assert_eq!(shop.get("gateways/g/routes", &token).await.json()["result"], json!([]));
    assert!(shop.desk.current().unwrap().gateway("g").unwrap().routes().is_empty());
}

#[tokio::test]
async fn old_versions_are_let_go_but_never_the_one_in_force() {
    let shop = Shop::stocked();
    shop.gateway("g");
    shop.route("g", "support");
    let gateway = shop.desk.gateway("g").unwrap().unwrap();
    let first = shop.desk.route(&gateway, "support").unwrap().versions[0].id.clone();
    let mut last = String::new();
    for n in 0..105 {
        last = shop
            .desk
            .add_version(&gateway, "support", &json!({ "elements": elements(&n.to_string()) }))
            .unwrap()
            .version_id;
    }
    let route = shop.desk.route(&gateway, "support").unwrap();
    assert_eq!(route.versions.len(), 100);
    assert!(route.version(&first).is_some() && route.version(&last).is_some());
    assert_eq!(route.deployed().unwrap().id, first);
}

/// Half of the requests by chance, those of paying teams always to the large one, and at most two a minute of each team.
fn split() -> Value {
    let model = |id: &str| json!({ "id": id, "type": "model", "properties": { "provider": "openai", "model": id }, "outputs": { "success": "e", "fallback": "spare" } });
    json!([
        { "id": "s", "type": "start", "outputs": { "next": "c" } },
        { "id": "c", "type": "conditional", "properties": { "conditions": { "metadata.team": "a", "body.n": { "$gte": 5 } } }, "outputs": { "true": "large", "false": "p" } },
        { "id": "p", "type": "percentage", "outputs": { "50%": "small", "else": "r" } },
        { "id": "r", "type": "rate", "properties": { "limitType": "count", "limit": 2, "window": 60 }, "outputs": { "success": "middle", "fallback": "spare" } },
        model("small"), model("middle"), model("large"),
        { "id": "spare", "type": "model", "properties": { "provider": "anthropic", "model": "spare" }, "outputs": { "success": "e" } },
        { "id": "e", "type": "end" }
    ])
}

#[tokio::test]
async fn one_request_is_explained() {
    let shop = Shop::stocked();
    shop.gateway("g");
    let token = shop.token(&[Permission::Read]);
    let ask = async |body: Value| shop.ask("POST", "gateways/g/routes/simulate", &token, Some(body)).await;
    let request = json!({ "metadata": { "team": "a" }, "body": { "n": 7 } });
    let said = ask(json!({ "elements": split(), "request": request })).await.result();
    assert_eq!(said["decisions"][0]["chosen"], json!({ "element": "large", "provider": "openai", "model": "large" }));
    assert_eq!(
        said["decisions"][0]["visited"][1],
        json!({ "element": "c", "type": "conditional", "target": null, "output": "true",
        "why": "metadata.team $eq \"a\": is \"a\" and body.n $gte 5: present" })
    );
    assert_eq!(
        ask(json!({ "elements": split(), "request": request })).await.result(),
        said,
        "the same question has the same answer"
    );

    let assume = json!({ "misses": { "openai/large": "context_too_long" } });
    let said = ask(json!({ "elements": split(), "request": request, "assume": assume })).await.result();
    assert_eq!(said["decisions"][0]["tried"], json!(["openai/large", "anthropic/spare"]));
    assert_eq!(said["chosen"], json!({ "anthropic/spare": 1 }));

    let drawn: std::collections::HashSet<String> = {
        let mut drawn = std::collections::HashSet::new();
        for seed in 0..20 {
            let said = ask(json!({ "elements": split(), "seed": seed })).await.result();
            drawn.insert(said["decisions"][0]["chosen"]["model"].as_str().unwrap().to_owned());
        }
        drawn
    };
    assert_eq!(drawn, ["small".to_owned(), "middle".to_owned()].into());

    for (body, path) in [
        (json!({}), json!(["body", "route"])),
        (json!({ "route": "x", "last": 0 }), json!(["body", "last"])),
        (json!({ "route": "x", "last": 1, "request": {} }), json!(["body"])),
        (json!({ "route": "x", "seed": "many" }), json!(["body", "seed"])),
        (json!({ "route": "x", "log_ids": ["nope"] }), json!(["body", "log_ids", 0])),
        (json!({ "route": "x", "assume": { "misses": { "m": "late" } } }), json!(["body", "assume", "misses", "m"])),
        (json!({ "elements": [7] }), json!(["body", "elements", 0])),
    ] {
        assert_eq!(ask(body.clone()).await.json()["errors"][0]["path"], path, "{body}");
    }
    assert_eq!(ask(json!({ "route": "nope" })).await.problem(), (404, 7005, json!({})));
}

#[tokio::test]
async fn logged_requests_are_decided_again_with_their_bodies_and_in_their_order() {
    let shop = Shop::stocked();
    shop.gateway("g");
    shop.gateway("other");
    shop.route("g", "support");
    let gateway = shop.desk.gateway("g").unwrap().unwrap();
    let made = shop.desk.add_version(&gateway, "support", &json!({ "elements": split() })).unwrap();
    let ids: tollgate_model::Ids = tollgate_model::Ids::new();
    let mut kept = Vec::new();
    for n in 0..40_u64 {
        let at = crate::sample::NOW + 1_000 * n;
        let record = tollgate_model::Record {
            id: ids.next(at),
            gateway: if n == 39 { "other".into() } else { "g".into() },
            created_ms: at,
            request_body: tollgate_model::record::Payload::Kept,
            ..crate::sample::full()
        };
        kept.push(record.id.to_string());
        shop.keep(record, format!("{{\"n\":{}}}", n % 10).as_bytes(), b"{}");
    }
    let token = shop.token(&[Permission::Read]);
    let ask = async |body: Value| shop.ask("POST", "gateways/g/routes/simulate", &token, Some(body)).await;
    let body = json!({ "route": "support", "version_id": made.version_id, "last": 100 });
    let said = ask(body.clone()).await.result();
    let decisions = said["decisions"].as_array().unwrap();
    assert_eq!((decisions.len(), &said["route"]["name"]), (39, &json!("support")));
    assert_eq!(said["chosen"]["openai/large"], json!(19), "the body decides: {}", said["chosen"]);
    assert_eq!(said["chosen"]["openai/middle"], json!(2), "the window is counted at the time of the requests");
    assert_eq!((&decisions[0]["log_id"], &decisions[0]["logged"]["model"]), (&json!(kept[0]), &json!("gpt-5.5")));
    assert_eq!(ask(body).await.result(), said, "deterministic");
    let one = ask(json!({ "route": "support", "version_id": made.version_id, "log_ids": [kept[7]] })).await.result();
    assert_eq!(one["decisions"][0]["visited"], decisions[7]["visited"]);
    // The deployed version sends all to one model; and the log of another gateway is not looked into.
    assert_eq!(ask(json!({ "route": "support", "last": 5 })).await.result()["chosen"], json!({ "openai/gpt-4o": 5 }));
    let stranger = ask(json!({ "route": "support", "log_ids": [kept[0], kept[39]] })).await;
    assert_eq!(stranger.json()["errors"][0]["path"], json!(["body", "log_ids", 1]));
}
