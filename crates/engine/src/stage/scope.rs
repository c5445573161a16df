//! What the caller's token is limited to: asked of every target before anything is spent on it.
//!
//! Enters: a caller and a step. Leaves: nothing, or a refusal in the caller's own dialect. Never: trusts a model's name that the provider could read
//! differently: under a pattern of models a body must name one, once, where both readers find it.

use std::collections::HashMap;
use std::fmt;

use bytes::Bytes;
use http::HeaderMap;
use memchr::memmem;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use tollgate_model::Refusal;
use tollgate_rules::route::Route;
use tollgate_rules::scope::{Border, Pass};
use tollgate_wire::chat::FaultKind;
use tollgate_wire::dialect::Dialect;

use crate::gate::Gate;
use crate::head::Head;
use crate::stage::admit::Caller;
use crate::stage::plan::{self, Asking, Step};
use crate::stage::told::told;

/// Members that name what may answer; the second is a list of fallbacks at some aggregators.
const NAMING: [&str; 2] = ["model", "models"];

pub(crate) fn check(gate: &Gate, caller: &Caller, head: &Head, step: &Step) -> Result<(), Refusal> {
    let Some(pass) = &caller.pass else { return Ok(()) };
    judge(gate, pass, head, step).map_err(|border| refusal(border, step.told()))
}

/// A route that is asked for by its name.
pub(crate) fn check_route(caller: &Caller, route: &Route, dialect: Dialect) -> Result<(), Refusal> {
    let Some(pass) = &caller.pass else { return Ok(()) };
    pass.ask_route(&route.name.name, &route.name.id).map_err(|border| refusal(border, dialect))
}

fn judge(gate: &Gate, pass: &Pass, head: &Head, step: &Step) -> Result<(), Border> {
    let provider = step.row.segment();
    if !pass.minds_models() {
        return pass.reach(provider, &[&step.model], step.by_route);
    }
    let headers = step.asking(head);
    let mut models = match &step.body {
        Asking::Held(body) => named(gate, headers, body).ok_or(Border::UnknownModel)?,
        Asking::Flow(_) => Vec::new(),
    };
    // Also a model in the path: there are hosts where both count.
    if !step.model.is_empty() {
        models.push(step.model.clone());
    }
    let models: Vec<&str> = models.iter().map(String::as_str).collect();
    pass.reach(provider, &models, step.by_route)
}

/// Every model that a body names; `None` when two readers could differ about it.
fn named(gate: &Gate, headers: &HeaderMap, body: &Bytes) -> Option<Vec<String>> {
    let body = plan::decoded(gate, headers, body).ok()?;
    if body.starts_with(b"--") {
        return is_plain_form(&body).then(Vec::new);
    }
    // What is not an object names nothing; whether it must is asked above.
    in_object(&body)
}

fn in_object(body: &[u8]) -> Option<Vec<String>> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    if first != Some(&b'{') {
        return Some(Vec::new());
    }
    let found = serde_json::Deserializer::from_slice(body).deserialize_map(Naming).ok()?;
    let mut models = Vec::new();
    for value in found.into_values() {
        match value {
            Value::String(name) => models.push(name),
            Value::Null => {}
            Value::Array(names) => {
                for name in names {
                    models.push(name.as_str()?.to_owned());
                }
            }
            _ => return None,
        }
    }
    Some(models)
}

/// A form names its model in one part. A second mention anywhere, in whatever spelling, is one that another reader could take for it.
fn is_plain_form(body: &[u8]) -> bool {
    let lower = body.to_ascii_lowercase();
    let plain = memmem::find_iter(&lower, b"name=\"model\"").count();
    let other = memmem::find(&lower, b"name=model").or(memmem::find(&lower, b"name*="));
    plain == 1 && other.is_none()
}

/// Reads the members of [`NAMING`], and refuses one that comes twice.
struct Naming;

impl<'de> Visitor<'de> for Naming {
    type Value = HashMap<&'static str, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object that names each member once")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = HashMap::new();
        while let Some(name) = map.next_key::<String>()? {
            let Some(known) = NAMING.iter().find(|each| **each == name) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            if found.insert(*known, map.next_value()?).is_some() {
                return Err(serde::de::Error::custom("a member that names a model comes twice"));
            }
        }
        Ok(found)
    }
}

pub(crate) fn refusal(border: Border, dialect: Dialect) -> Refusal {
    told(Refusal::forbidden(border.said()), FaultKind::Forbidden, dialect)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_body_names_its_models_once() {
        for (body, expected) in [
            (r#"{"model":"a","messages":[{"model":"inside"}]}"#, Some(vec!["a"])),
            (r#" {"mod\u0065l":"a"}"#, Some(vec!["a"])),
            (r#"{"model":"a","model":"b"}"#, None),
            (r#"{"model":"a","mod\u0065l":"b"}"#, None),
            (r#"{"model":{"id":"a"}}"#, None),
            (r#"{"model":null}"#, Some(vec![])),
            (r#"{"models":["a","b"]}"#, Some(vec!["a", "b"])),
            (r#"{"models":[1]}"#, None),
            (r#"{"model":"a""#, None),
            ("[1]", Some(vec![])),
            ("", Some(vec![])),
        ] {
            let mut found = in_object(body.as_bytes());
            if let Some(found) = &mut found {
                found.sort();
            }
            assert_eq!(found, expected.map(|names| names.into_iter().map(str::to_owned).collect()), "{body}");
        }
    }

    #[test]
    fn a_form_that_mentions_its_model_twice_is_nobodys() {
        let part = "--x\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n";
        assert!(is_plain_form(format!("{part}--x--").as_bytes()));
        assert!(!is_plain_form(format!("{part}{part}--x--").as_bytes()));
        assert!(!is_plain_form(
            format!("{part}--x\r\ncontent-disposition: form-data; NAME=model\r\n\r\nb\r\n").as_bytes()
        ));
        assert!(!is_plain_form(b"--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n\r\n--x--"));
    }
}
