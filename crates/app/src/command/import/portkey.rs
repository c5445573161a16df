//! A Portkey gateway config.
//!
//! Enters: its strategy and targets. Leaves: one route named `main`, a cache and retries. Never: a virtual key's value, which is not in it.

use serde_json::{Map, Value, json};
use tollgate_wire::provider::Providers;

use super::Imported;
use super::Verdict::{Not, Partly, Understood};
use super::elements::{Target, chain, end, model, shared, start};
use super::source::Node;

/// Its provider, ours.
const PROVIDERS: &[(&str, &str)] = &[
    ("google", "google-ai-studio"),
    ("vertex-ai", "google-vertex-ai"),
    ("bedrock", "aws-bedrock"),
    ("x-ai", "grok"),
    ("together-ai", "together"),
    ("fireworks-ai", "fireworks"),
    ("mistral-ai", "mistral"),
];
const ROUTE: &str = "main";
const ATTEMPTS_MAX: f64 = 5.0;

pub(super) fn translate(root: &Node, gateway: &str) -> Imported {
    let mut imported = Imported::default();
    // As there: nobody asks without a key.
    let mut settings: Map<String, Value> = [("authentication".to_owned(), true.into())].into_iter().collect();
    imported.say(root, "config", Partly, "callers need a token of Tollgate's: tollgate token create --permissions run");
    for (name, node) in root.members() {
        match name.as_str() {
            "strategy" | "targets" => {}
            "cache" => cache(&mut imported, &mut settings, node),
            "retry" => retry(&mut imported, &mut settings, node),
            "request_timeout" => imported.say(node, name, Understood, "each model is given up after it"),
            other => imported.say(node, other, Not, "Tollgate has nothing of this name"),
        }
    }
    imported.section(&["gateway", gateway], settings);
    let timeout_ms = root.get("request_timeout").and_then(Node::number).map(|ms| ms as u64);
    if let Some(elements) = route(&mut imported, root, timeout_ms) {
        imported.route(gateway, ROUTE, elements);
    }
    imported
}

fn route(imported: &mut Imported, root: &Node, timeout_ms: Option<u64>) -> Option<Vec<Value>> {
    let strategy = root.get("strategy");
    let mode = strategy.and_then(|strategy| strategy.get("mode")).and_then(Node::text).unwrap_or("single");
    let alone = std::slice::from_ref(root);
    let nodes = root.get("targets").map_or(alone, Node::items);
    let mut targets = Vec::new();
    for (index, node) in nodes.iter().enumerate() {
        let at = if root.get("targets").is_some() { format!("targets[{index}]") } else { "provider".to_owned() };
        let name = node.get("name").and_then(Node::text).unwrap_or_default().to_owned();
        targets.extend(target(imported, &at, node, timeout_ms).map(|target| (name, target)));
    }
    if targets.is_empty() {
        return None;
    }
    let plain: Vec<Target> = targets.iter().map(|(_, target)| target.clone()).collect();
    let Some(strategy) = strategy else { return Some(chain(&plain)) };
    let codes = strategy.get("on_status_codes");
    if let Some(codes) = codes {
        imported.say(
            codes,
            "strategy.on_status_codes",
            Partly,
            "Tollgate falls back on every failure; see docs/routes.md for fallbackOn",
        );
    }
    match mode {
        "fallback" => {
            imported.say(strategy, "strategy", Understood, "each target when the one before failed");
            Some(chain(&plain))
        }
        "loadbalance" => {
            imported.say(strategy, "strategy", Understood, "targets are drawn by their weights");
            Some(shared(&plain, &[]))
        }
        "conditional" => conditional(imported, strategy, &targets),
        _ => Some(chain(&plain[..1])),
    }
}

fn target(imported: &mut Imported, at: &str, node: &Node, timeout_ms: Option<u64>) -> Option<Target> {
    if node.get("strategy").is_some() && at != "provider" {
        imported.say(node, at, Not, "a strategy within a target; make it a route of its own");
        return None;
    }
    let provider = node.get("provider").and_then(Node::text).map(|text| text.trim_start_matches('@'));
    let model = node.get("override_params").and_then(|params| params.get("model")).and_then(Node::text);
    let ours =
        provider.map(|theirs| PROVIDERS.iter().find(|(each, _)| *each == theirs).map_or(theirs, |(_, ours)| *ours));
    let row = ours.and_then(|ours| Providers::builtin().get(ours));
    let (Some(row), Some(model)) = (row, model) else {
        let what = match (row, node.get("virtual_key")) {
            (None, Some(_)) => "a virtual key hides its provider; write provider and override_params.model",
            (None, None) => "no provider of Tollgate's",
            (Some(_), _) => "override_params.model is missing: a route names the model",
        };
        imported.say(node, at, Not, what);
        return None;
    };
    imported.say(node, at, Understood, format!("{}/{model}", row.segment()));
    for (member, value) in node.members() {
        let inner = format!("{at}.{member}");
        match member.as_str() {
            "provider" | "name" | "weight" | "strategy" | "targets" | "cache" | "retry" | "request_timeout" => {}
            "override_params" => {
                for (name, value) in value.members().iter().filter(|(name, _)| name != "model") {
                    imported.say(
                        value,
                        &format!("{inner}.{name}"),
                        Not,
                        "a route sets no such parameter; the caller does",
                    );
                }
            }
            "api_key" | "virtual_key" => {
                imported.say(value, &inner, Not, "a key is not copied; store it as a provider's key")
            }
            "custom_host" => imported.say(
                value,
                &inner,
                Partly,
                "not copied; make a custom provider of it, or set the provider's base URL",
            ),
            _ => imported.say(value, &inner, Not, "Tollgate has nothing of this name"),
        }
    }
    let weight = node.get("weight").and_then(Node::number);
    Some(Target { provider: row.segment().to_owned(), model: model.to_owned(), timeout_ms, weight })
}

/// Its queries are written as our conditions are.
fn conditional(imported: &mut Imported, strategy: &Node, targets: &[(String, Target)]) -> Option<Vec<Value>> {
    let find = |name: Option<&str>| targets.iter().position(|(each, _)| Some(each.as_str()) == name);
    let conditions = strategy.get("conditions").map_or(&[][..], Node::items);
    let known: Vec<(&Node, usize)> =
        conditions.iter().filter_map(|node| Some((node, find(node.get("then").and_then(Node::text))?))).collect();
    let Some(default) = find(strategy.get("default").and_then(Node::text)) else {
        imported.say(strategy, "strategy", Not, "conditions without a default that is one of the targets");
        return None;
    };
    imported.say(
        strategy,
        "strategy",
        if known.len() == conditions.len() { Understood } else { Partly },
        "conditions in their order, then the default",
    );
    for node in conditions.iter().filter(|node| find(node.get("then").and_then(Node::text)).is_none()) {
        imported.say(node, "strategy.conditions", Not, "it leads to a target that was not understood");
    }
    let id = |index: usize| format!("m{}", index + 1);
    let mut all = vec![start(if known.is_empty() { "m1" } else { "c1" })];
    for (index, (node, then)) in known.iter().enumerate() {
        let otherwise = if index + 1 == known.len() { id(default) } else { format!("c{}", index + 2) };
        let query = node.get("query").map(Node::json).unwrap_or_default();
        all.push(json!({
            "id": format!("c{}", index + 1), "type": "conditional", "properties": { "conditions": query },
            "outputs": { "true": id(*then), "false": otherwise }
        }));
    }
    all.extend(targets.iter().enumerate().map(|(index, (_, target))| model(&id(index), target, None)));
    all.push(end());
    Some(all)
}

fn cache(imported: &mut Imported, settings: &mut Map<String, Value>, node: &Node) {
    let age = node.get("max_age").and_then(Node::number).unwrap_or(86_400.0);
    settings.insert("cache_ttl".to_owned(), (age as u64).into());
    match node.get("mode").and_then(Node::text) {
        Some("simple") | None => imported.say(node, "cache", Understood, format!("answers are cached for {age} s")),
        Some(_) => imported.say(node, "cache", Partly, "only of questions that are the same"),
    }
}

fn retry(imported: &mut Imported, settings: &mut Map<String, Value>, node: &Node) {
    let retries = node.get("attempts").and_then(Node::number).unwrap_or_default();
    let attempts = (retries + 1.0).clamp(1.0, ATTEMPTS_MAX);
    settings.insert("retry_max_attempts".to_owned(), (attempts as u64).into());
    imported.say(
        node,
        "retry",
        if attempts < retries + 1.0 { Partly } else { Understood },
        format!("{attempts} attempts"),
    );
    if let Some(codes) = node.get("on_status_codes") {
        imported.say(codes, "retry.on_status_codes", Partly, "Tollgate asks again on 408, 429 and 5xx");
    }
}
