//! What rows declare is what handlers answer: every test of the router is a test of it.

use http::Method;
use serde_json::Value;

use super::shop::Said;
use crate::resources::rows;
use crate::row::{Answers, PREFIX, Row};
use crate::shape::{Member, Presence, Shape};

/// Panics when a good answer lacks a member, has one more, or one of another kind.
pub(super) fn hold(method: &Method, path: &str, said: &Said) {
    if !said.status.is_success() {
        return;
    }
    let Some(row) = find(method, path) else { return };
    let mut wrong = Vec::new();
    match row.answer {
        Answers::One(shape) => check(shape, &said.json()["result"], "result", &mut wrong),
        Answers::Page(of) => {
            check(&Shape::List { of, max: usize::MAX }, &said.json()["result"], "result", &mut wrong);
            check(&Shape::COUNT, &said.json()["result_info"]["count"], "result_info.count", &mut wrong);
        }
        Answers::Whole(members) => {
            for member in members {
                check(&member.shape, &said.json()[member.name], member.name, &mut wrong);
            }
        }
        Answers::Plain(content_type) => {
            let given = said.headers["content-type"].to_str().unwrap();
            assert_eq!(given, content_type, "{} {}", row.method, row.path);
        }
        Answers::Stored => {}
    }
    assert!(wrong.is_empty(), "{} {} answers otherwise than its row declares: {wrong:#?}", row.method, row.path);
}

/// The row that serves a path; one without named segments is before one with them.
pub(super) fn find(method: &Method, path: &str) -> Option<&'static Row> {
    let path = path.strip_prefix(PREFIX).unwrap_or(path).trim_end_matches('/');
    let asked: Vec<&str> = path.split('/').collect();
    let fits = |row: &&Row| {
        let parts: Vec<&str> = row.path.trim_end_matches('/').split('/').collect();
        let same = |(part, asked): (&&str, &&str)| part.starts_with('{') || part == asked;
        row.method == *method && parts.len() == asked.len() && parts.iter().zip(&asked).all(same)
    };
    rows().filter(fits).min_by_key(|row| row.path.matches('{').count())
}

fn check(shape: &Shape, value: &Value, at: &str, wrong: &mut Vec<String>) {
    let mut faults = Vec::new();
    shape.read(value, &mut Vec::new(), &mut faults);
    wrong.extend(faults.iter().map(|fault| format!("{at}.{fault}")));
    strangers(shape, value, at, wrong);
}

/// Members that no table lists: `read` drops them.
fn strangers(shape: &Shape, value: &Value, at: &str, wrong: &mut Vec<String>) {
    match (shape, value) {
        (Shape::Object(members), Value::Object(_)) => members_of(&[members], value, at, wrong),
        (Shape::Parts(parts), Value::Object(_)) => members_of(parts, value, at, wrong),
        (Shape::List { of, .. }, Value::Array(items)) => {
            items.iter().for_each(|item| strangers(of, item, &format!("{at}[]"), wrong));
        }
        (Shape::Map(of), Value::Object(map)) => {
            map.iter().for_each(|(name, value)| strangers(of, value, &format!("{at}.{name}"), wrong));
        }
        (Shape::OrNull(of) | Shape::Named(_, of), _) => strangers(of, value, at, wrong),
        _ => {}
    }
}

fn members_of(parts: &[&[Member]], value: &Value, at: &str, wrong: &mut Vec<String>) {
    for (name, value) in value.as_object().into_iter().flatten() {
        match parts.iter().copied().flatten().find(|member| member.name == name) {
            Some(member) => strangers(&member.shape, value, &format!("{at}.{name}"), wrong),
            None => wrong.push(format!("{at}.{name} is not declared")),
        }
    }
}

#[test]
fn what_differs_is_noticed() {
    static SHAPE: Shape = Shape::Object(&[Member::of("id", Shape::TEXT, Presence::Required, "")]);
    let mut wrong = Vec::new();
    check(&SHAPE, &serde_json::json!({ "id": 5, "more": 1 }), "r", &mut wrong);
    assert_eq!(wrong, ["r.id: Expected string, received number", "r.more is not declared"]);
    let path = "/client/v4/accounts/a/ai-gateway/gateways/g/logs/tail/";
    assert_eq!(find(&Method::GET, path).unwrap().op, "tollgate-tail-gateway-logs");
}
