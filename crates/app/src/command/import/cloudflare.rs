//! A Cloudflare account's gateways, in the shapes of its API.
//!
//! Enters: an answer of the list (`result`), or an object with `gateways`, each perhaps with `routes`; `custom_providers`. Leaves: the same settings.
//! Never: what the account makes up by itself: ids, times.

use serde_json::{Map, Value};
use tollgate_control::gateway::MEMBERS;

use super::Imported;
use super::Verdict::{Not, Understood};
use super::source::{Node, What};

/// What an answer holds besides settings.
const NOTED: &[&str] = &[
    "id",
    "account_id",
    "account_tag",
    "created_at",
    "modified_at",
    "internal_id",
    "is_default",
    "internal",
    "wholesale",
];
const PROVIDER: &[&str] =
    &["name", "base_url", "description", "link", "curl_example", "js_example", "enable", "beta", "position"];

pub(super) fn translate(root: &Node, _: &str) -> Imported {
    let mut imported = Imported::default();
    if let What::List(_) = root.what {
        gateways(&mut imported, "", root);
    }
    for (name, node) in root.members() {
        match name.as_str() {
            "result" | "gateways" => gateways(&mut imported, name, node),
            "custom_providers" => providers(&mut imported, node),
            "success" | "errors" | "messages" | "result_info" => {}
            other => imported.say(node, other, Not, "no part of a configuration"),
        }
    }
    imported
}

fn gateways(imported: &mut Imported, at: &str, node: &Node) {
    for (index, node) in node.items().iter().enumerate() {
        let at = format!("{at}[{index}]");
        let Some(id) = node.get("id").and_then(Node::text) else {
            imported.say(node, &at, Not, "a gateway without an id");
            continue;
        };
        imported.say(node, &at, Understood, format!("gateway {id:?}"));
        let mut fields = Map::new();
        for (name, value) in node.members() {
            let at = format!("{at}.{name}");
            let known = MEMBERS.iter().any(|member| member.name == name);
            match (name.as_str(), value.json()) {
                (_, Value::Null) => {}
                ("routes", _) => {}
                (name, _) if NOTED.contains(&name) => {}
                // Terraform's empty store is none.
                ("store_id", Value::String(text)) if text.is_empty() => {}
                ("store_id", _) => {
                    imported.say(value, &at, Not, "secrets stay where they are; store provider keys anew")
                }
                (name, json) if known => drop(fields.insert(name.to_owned(), without_nulls(json))),
                _ => imported.say(value, &at, Not, "Tollgate has no such setting"),
            }
        }
        imported.section(&["gateway", id], fields);
        for (index, route) in node.get("routes").map_or(&[][..], Node::items).iter().enumerate() {
            self::route(imported, id, &format!("{at}.routes[{index}]"), route);
        }
    }
}

fn route(imported: &mut Imported, gateway: &str, at: &str, node: &Node) {
    let in_version = || node.get("version").and_then(|version| version.get("data"));
    let elements = node.get("elements").or_else(in_version).map(Node::items);
    match (node.get("name").and_then(Node::text), elements) {
        (Some(name), Some(elements)) => {
            imported.say(node, at, Understood, format!("dynamic/{name}"));
            imported.route(gateway, name, elements.iter().map(Node::json).collect());
        }
        _ => imported.say(node, at, Not, "expected name and elements"),
    }
}

fn providers(imported: &mut Imported, node: &Node) {
    for (index, node) in node.items().iter().enumerate() {
        let at = format!("custom_providers[{index}]");
        let Some(slug) = node.get("slug").and_then(Node::text) else {
            imported.say(node, &at, Not, "a provider without a slug");
            continue;
        };
        imported.say(node, &at, Understood, format!("custom-{slug}"));
        let said =
            node.members().iter().filter(|(name, value)| PROVIDER.contains(&name.as_str()) && !value.json().is_null());
        imported.section(&["custom_provider", slug], said.map(|(name, value)| (name.clone(), value.json())).collect());
        if let Some(headers) = node.get("headers").filter(|headers| !headers.json().is_null()) {
            imported.say(headers, &format!("{at}.headers"), Not, "may hold credentials; set them anew");
        }
    }
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, without_nulls(value)))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}
