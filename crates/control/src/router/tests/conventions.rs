//! The conventions of the API (control-plane specification, section 1), held by every row of the table.

use std::collections::BTreeMap;

use axum::body::Body;
use http::{Method, Request};
use serde_json::{Map, Value, json};
use tollgate_model::token::Permission;

use super::access::{path, stocked};
use super::shop::Shop;
use crate::resources::rows;
use crate::row::{Answers, PREFIX, Row};
use crate::shape::{Member, Presence, Shape};

const METHODS: [Method; 5] = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

fn api() -> impl Iterator<Item = &'static Row> {
    rows().filter(|row| row.is_of_the_api())
}

/// Readers first, so that what a row deletes is not missed by the next.
fn readers() -> impl Iterator<Item = &'static Row> {
    api().filter(|row| row.method == Method::GET)
}

async fn ask(shop: &Shop, token: &str, row: &Row, query: &str, body: Option<&Value>) -> super::shop::Said {
    let url = format!("{PREFIX}{}?{query}", path(shop, row));
    shop.ask_raw(row.method.as_str(), &url, token, body.map(Value::to_string)).await
}

#[tokio::test]
async fn what_no_row_declares_is_not_there() {
    let shop = stocked();
    let token = shop.token(&[Permission::Admin]);
    let mut by_path: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    api().for_each(|row| by_path.entry(row.path).or_default().push(row));
    for rows in by_path.values() {
        let path = path(&shop, rows[0]);
        // A literal segment also fits where another row has a name.
        let declared = |method: &Method| {
            super::declared::find(method, &path).is_some() || rows.iter().any(|row| row.method == *method)
        };
        for method in METHODS.iter().filter(|method| !declared(method)) {
            let said = shop.ask_raw(method.as_str(), &format!("{PREFIX}{path}"), &token, None).await;
            assert_eq!(said.problem(), (405, 10405, Value::Null), "{method} {path}");
        }
        let said = shop.ask_raw("GET", &format!("{PREFIX}{path}/no/such/thing/here"), &token, None).await;
        assert_eq!(said.problem(), (404, 7000, Value::Null), "below {path}");
    }
}

#[tokio::test]
async fn a_page_past_the_end_is_empty_and_good() {
    let shop = stocked();
    let token = shop.token(&[Permission::Admin]);
    let paged = |row: &&Row| row.query.iter().any(|member| member.name == "page");
    for row in readers().filter(paged).filter(|row| !matches!(row.answer, Answers::One(_))) {
        let said = ask(&shop, &token, row, "page=1000&per_page=7", None).await;
        assert_eq!(said.result(), json!([]), "{}", row.path);
        let info = &said.json()["result_info"];
        let told = (&info["count"], &info["page"], &info["per_page"]);
        assert_eq!(told, (&json!(0), &json!(1000), &json!(7)), "{}: {info}", row.path);
        assert!(info["total_count"].is_u64() && info["total_pages"].is_u64(), "{}: {info}", row.path);
    }
}

/// What a parameter's shape refuses, and what is said then.
fn refused(member: &Member) -> Vec<(String, String)> {
    let name = member.name;
    let cases = match &member.shape {
        Shape::Whole { min, max } => {
            let mut cases = vec![
                ("x".to_owned(), "Expected number, received nan".to_owned()),
                (format!("{max}0"), format!("Number must be less than or equal to {max}")),
            ];
            if *min > 0 {
                let below = (min - 1).to_string();
                cases.push((below, format!("Number must be greater than or equal to {min}")));
            }
            cases
        }
        Shape::Number { .. } | Shape::Positive => vec![("x".to_owned(), "Expected number, received nan".to_owned())],
        Shape::Flag => vec![("maybe".to_owned(), "Expected boolean, received string".to_owned())],
        Shape::Time => vec![("never".to_owned(), "Invalid datetime".to_owned())],
        Shape::Word(words) => {
            let expected = words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" | ");
            vec![("nope".to_owned(), format!("Invalid enum value. Expected {expected}, received 'nope'"))]
        }
        _ => Vec::new(),
    };
    cases.into_iter().map(|(value, said)| (format!("{name}={value}"), said)).collect()
}

#[tokio::test]
async fn parameters_are_refused_as_they_are_declared() {
    let shop = stocked();
    let token = shop.token(&[Permission::Admin]);
    let mut count = 0;
    for row in readers() {
        for member in row.query {
            for (query, expected) in refused(member) {
                let said = ask(&shop, &token, row, &query, None).await;
                assert_eq!(said.problem(), (400, 7001, json!({})), "{}?{query}", row.path);
                let error = &said.json()["errors"][0];
                let told = (&error["message"], &error["path"]);
                assert_eq!(told, (&json!(expected), &json!(["query", member.name])), "{}?{query}", row.path);
                count += 1;
            }
        }
    }
    assert!(count > 50, "{count}");
}

#[tokio::test]
async fn empty_parameters_and_unknown_ones_count_as_absent() {
    let shop = stocked();
    let token = shop.token(&[Permission::Admin]);
    for row in readers() {
        let required = |member: &Member| member.presence == Presence::Required;
        let empty: Vec<String> =
            row.query.iter().filter(|each| !required(each)).map(|member| format!("{}=", member.name)).collect();
        let query = format!("{}&{}&not_a_parameter=1", empty.join("&"), given(row));
        assert_eq!(ask(&shop, &token, row, &query, None).await.status, 200, "{}?{query}", row.path);
    }
}

/// A value that a required parameter takes.
fn one_good(member: &Member) -> Option<String> {
    let value = match &member.shape {
        Shape::Word(words) => (*words.first()?).to_owned(),
        Shape::Whole { min, .. } => min.to_string(),
        Shape::Time => "2026-11-18".to_owned(),
        _ => "x".to_owned(),
    };
    Some(format!("{}={value}", member.name))
}

/// All that a row requires.
pub(super) fn given(row: &Row) -> String {
    let required = row.query.iter().filter(|member| member.presence == Presence::Required);
    required.filter_map(one_good).collect::<Vec<_>>().join("&")
}

/// The members of a body, if it is an object.
fn members(shape: &'static Shape) -> Vec<&'static Member> {
    match shape {
        Shape::Object(members) => members.iter().collect(),
        Shape::Parts(parts) => parts.iter().copied().flatten().collect(),
        Shape::Named(_, of) => members(of),
        _ => Vec::new(),
    }
}

fn missing(errors: &Value, message: &str) -> Vec<String> {
    let all = errors.as_array().into_iter().flatten();
    let said =
        all.filter(|error| error["message"] == message && error["path"].as_array().is_some_and(|path| path.len() == 2));
    said.filter_map(|error| error["path"][1].as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn bodies_that_are_empty_or_no_json_name_every_required_member() {
    for row in api().filter(|row| row.body.is_some()) {
        let shop = stocked();
        let token = shop.token(&[Permission::Admin]);
        let required: Vec<&str> = members(row.body.unwrap())
            .iter()
            .filter(|member| matches!(member.presence, Presence::Required | Presence::RequiredOrNull))
            .map(|member| member.name)
            .collect();
        for body in ["", "{", "{}"].iter().filter(|_| !required.is_empty()) {
            let url = format!("{PREFIX}{}", path(&shop, row));
            let said = shop.ask_raw(row.method.as_str(), &url, &token, Some((*body).to_owned())).await;
            assert_eq!(said.problem(), (400, 7001, json!({})), "{} {body:?}", row.op);
            let json = said.json();
            let told = missing(&json["errors"], "Required");
            assert!(
                required.iter().all(|name| told.iter().any(|each| each == name)),
                "{}: {required:?} {told:?}",
                row.op
            );
        }
    }
}

/// Terraform sends null for what is not configured.
#[tokio::test]
async fn null_is_taken_for_everything_optional() {
    for row in api().filter(|row| row.body.is_some()) {
        let shop = stocked();
        let token = shop.token(&[Permission::Admin]);
        let optional = members(row.body.unwrap()).into_iter().filter(|member| member.presence != Presence::Required);
        let names: Vec<&str> = optional.map(|member| member.name).collect();
        let body: Map<String, Value> = names.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
        let said = ask(&shop, &token, row, "", Some(&Value::Object(body))).await;
        let errors = said.json()["errors"].take();
        // Of some that are optional one may be needed, and is told as missing.
        let missed = |error: &Value| error["message"].as_str().is_some_and(|said| said.starts_with("Required"));
        let about =
            |error: &&Value| !missed(error) && error["path"][1].as_str().is_some_and(|name| names.contains(&name));
        let against: Vec<&Value> = errors.as_array().into_iter().flatten().filter(about).collect();
        assert!(against.is_empty(), "{} does not take null: {against:?}", row.op);
        assert!(said.status.as_u16() < 500, "{}", row.op);
    }
}

#[tokio::test]
async fn segments_are_decoded_once() {
    let shop = stocked();
    let token = shop.token(&[Permission::Admin]);
    for row in readers().filter(|row| row.path.contains("{gateway}")) {
        let plain = path(&shop, row);
        let encoded = plain.replace("/gateways/g", "/gateways/%67");
        let twice = plain.replace("/gateways/g", "/gateways/%2567");
        let plain = shop.ask_raw("GET", &plain, &token, None).await;
        assert_eq!(shop.ask_raw("GET", &encoded, &token, None).await.status, plain.status, "{}", row.path);
        let strange = shop.ask_raw("GET", &twice, &token, None).await;
        // Two lists are empty for a gateway that is not there; all else is not found.
        assert!(strange.status == 404 || strange.json()["result"] == json!([]), "{}: {}", row.path, strange.status);
    }
}

#[tokio::test]
async fn headers_that_clients_add_change_nothing() {
    let shop = stocked();
    let token = shop.token(&[Permission::Admin]);
    for row in readers().filter(|row| matches!(row.answer, Answers::One(_) | Answers::Page(_))) {
        let uri = format!("{PREFIX}{}?{}", path(&shop, row), given(row));
        let mut request = Request::builder().uri(uri);
        for (name, value) in [
            ("authorization", format!("Bearer {token}").as_str()),
            ("api-version", "2026-01-01"),
            ("x-stainless-lang", "python"),
            ("x-stainless-retry-count", "1"),
            ("idempotency-key", "stainless-python-retry-x"),
            ("x-cf-cli-mode", "human"),
            ("x-auth-email", "someone@example.com"),
            ("x-auth-key", "not-a-key"),
            ("accept", "*/*"),
            ("content-type", "application/json"),
        ] {
            request = request.header(name, value);
        }
        let said = shop.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(said.status, 200, "{}", row.path);
        assert_eq!(said.headers["content-type"], "application/json;charset=UTF-8", "{}", row.path);
    }
}
