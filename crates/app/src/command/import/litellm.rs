//! LiteLLM's `config.yaml`.
//!
//! Enters: its model list, router and proxy settings. Leaves: a route for each model name, fallbacks included. Never: a key: it names where the key comes from.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tollgate_wire::provider::Providers;

use super::Imported;
use super::Verdict::{Not, Partly, Understood};
use super::elements::{Target, shared};
use super::source::Node;

/// Its prefix of a model, our provider.
const PROVIDERS: &[(&str, &str)] = &[
    // tidy-allow(provider-names): another program's words, translated as data
    ("azure", "azure-openai"),
    ("gemini", "google-ai-studio"),
    ("vertex_ai", "google-vertex-ai"),
    ("bedrock", "aws-bedrock"),
    ("xai", "grok"),
    ("together_ai", "together"),
    ("fireworks_ai", "fireworks"),
    ("perplexity", "perplexity-ai"),
    ("cohere_chat", "cohere"),
    ("hosted_vllm", "vllm"),
    ("text-completion-openai", "openai"),
];
/// Five shares and the rest.
const TARGETS_MAX: usize = 6;
const RETRIES_MAX: f64 = 4.0;

#[derive(Default)]
struct Reading {
    imported: Imported,
    models: BTreeMap<String, Vec<Target>>,
    /// In the order of the file.
    names: Vec<String>,
    fallbacks: BTreeMap<String, Vec<String>>,
    settings: Map<String, Value>,
}

pub(super) fn translate(root: &Node, gateway: &str) -> Imported {
    let mut reading = Reading::default();
    for (name, node) in root.members() {
        match name.as_str() {
            "model_list" => node.items().iter().enumerate().for_each(|(index, item)| reading.deployment(index, item)),
            "litellm_settings" | "router_settings" => reading.settings(name, node),
            "general_settings" => reading.general(node),
            "environment_variables" => {
                reading.imported.say(node, name, Not, "set them where Tollgate runs; values are not copied");
            }
            other => reading.imported.say(node, other, Not, "Tollgate has nothing of this name"),
        }
    }
    reading.finish(gateway)
}

// === impl Reading ===

impl Reading {
    fn deployment(&mut self, index: usize, item: &Node) {
        let at = format!("model_list[{index}]");
        let name = item.get("model_name").and_then(Node::text);
        let params = item.get("litellm_params");
        let model = params.and_then(|params| params.get("model")).and_then(Node::text);
        let (Some(name), Some(params), Some(model)) = (name, params, model) else {
            return self.imported.say(item, &at, Not, "expected model_name and litellm_params.model");
        };
        let Some((provider, model)) = target(model) else {
            return self.imported.say(params, &at, Not, format!("no provider of Tollgate's serves {model:?}"));
        };
        let seconds = ["timeout", "request_timeout"].iter().find_map(|name| params.get(name)?.number());
        let timeout_ms = seconds.map(|seconds| (seconds * 1_000.0) as u64);
        let weight = params.get("weight").and_then(Node::number);
        let target = Target { provider: provider.clone(), model, timeout_ms, weight };
        let told = format!("dynamic/{name} goes to {provider}/{}", target.model);
        self.imported.say(item, &at, Understood, told);
        for (member, node) in params.members() {
            self.parameter(&format!("{at}.{member}"), member, node, &provider);
        }
        for (member, node) in
            item.members().iter().filter(|(member, _)| member != "model_name" && member != "litellm_params")
        {
            self.imported.say(
                node,
                &format!("{at}.{member}"),
                Not,
                "prices and windows come from Tollgate's own table",
            );
        }
        if !self.names.contains(&name.to_owned()) {
            self.names.push(name.to_owned());
        }
        self.models.entry(name.to_owned()).or_default().push(target);
    }

    fn parameter(&mut self, at: &str, member: &str, node: &Node, provider: &str) {
        match member {
            "model" | "timeout" | "request_timeout" | "weight" => {}
            "api_key" => self.key(at, node, provider),
            "api_base" => self.imported.say(
                node,
                at,
                Partly,
                format!(
                    "not copied; set it for the server: TOLLGATE_PROVIDERS_{}_BASE_URL",
                    provider.to_ascii_uppercase().replace('-', "_")
                ),
            ),
            "rpm" | "tpm" => self.imported.say(
                node,
                at,
                Not,
                "a bound of one deployment; a `rate` element before the model does this",
            ),
            _ => self.imported.say(node, at, Not, "a route sets no such parameter; the caller does"),
        }
    }

    fn key(&mut self, at: &str, node: &Node, provider: &str) {
        let known = Providers::builtin().get(provider).map(|row| row.key_env().to_vec()).unwrap_or_default();
        match node.text().and_then(|text| text.strip_prefix("os.environ/")) {
            Some(name) if known.iter().any(|each| each == name) => {
                self.imported.say(node, at, Understood, format!("{name} is read from the environment of Tollgate too"));
            }
            Some(name) => {
                let instead =
                    known.first().map_or_else(|| "a stored key".to_owned(), |name| format!("{name}, or a stored key"));
                self.imported.say(node, at, Partly, format!("{name}: Tollgate reads {instead}"));
            }
            None => self.imported.say(node, at, Not, "a key in the file is not copied; store it as a provider's key"),
        }
    }

    fn settings(&mut self, section: &str, node: &Node) {
        for (name, node) in node.members() {
            let at = format!("{section}.{name}");
            match (name.as_str(), node.number(), &node.json()) {
                ("fallbacks" | "context_window_fallbacks" | "default_fallbacks", ..) => self.fallbacks(&at, name, node),
                ("num_retries", Some(retries), _) => {
                    let attempts = retries.clamp(0.0, RETRIES_MAX) as u64 + 1;
                    self.settings.insert("retry_max_attempts".to_owned(), attempts.into());
                    self.imported.say(
                        node,
                        &at,
                        if retries > RETRIES_MAX { Partly } else { Understood },
                        format!("{attempts} attempts"),
                    );
                }
                ("cache", _, Value::Bool(true)) => {
                    self.settings.entry("cache_ttl").or_insert_with(|| 600.into());
                    self.imported.say(node, &at, Understood, "answers are cached by Tollgate itself");
                }
                ("cache_params", ..) => {
                    if let Some(ttl) = node.get("ttl").and_then(Node::number) {
                        self.settings.insert("cache_ttl".to_owned(), (ttl as u64).into());
                    }
                    self.imported.say(node, &at, Partly, "the time to live; Tollgate needs no other cache server");
                }
                ("drop_params", _, Value::Bool(true)) => {
                    self.imported.say(
                        node,
                        &at,
                        Understood,
                        "what a provider does not know is left out and told in a header",
                    );
                }
                ("routing_strategy", _, Value::String(strategy)) if strategy == "simple-shuffle" => {
                    self.imported.say(node, &at, Understood, "deployments of one name are drawn by their weights");
                }
                ("routing_strategy", ..) => self.imported.say(node, &at, Partly, "drawn by weights instead"),
                _ => self.imported.say(node, &at, Not, "Tollgate has nothing of this name"),
            }
        }
    }

    fn fallbacks(&mut self, at: &str, kind: &str, node: &Node) {
        if kind != "fallbacks" {
            return self.imported.say(node, at, Not, "Tollgate falls back on failures, whatever they are");
        }
        for pair in node.items().iter().flat_map(Node::members) {
            let others = pair.1.items().iter().filter_map(|item| item.text().map(str::to_owned)).collect();
            self.fallbacks.insert(pair.0.clone(), others);
        }
        self.imported.say(node, at, Understood, "each becomes a fallback of the route");
    }

    fn general(&mut self, node: &Node) {
        for (name, node) in node.members() {
            let at = format!("general_settings.{name}");
            match name.as_str() {
                "master_key" => {
                    self.settings.insert("authentication".to_owned(), true.into());
                    self.imported.say(
                        node,
                        &at,
                        Partly,
                        "callers need a token: tollgate token create --permissions run; the key is not copied",
                    );
                }
                "database_url" | "database_connection_pool_limit" => {
                    self.imported.say(
                        node,
                        &at,
                        Understood,
                        "not needed: Tollgate keeps everything in its data directory",
                    );
                }
                _ => self.imported.say(node, &at, Not, "Tollgate has nothing of this name"),
            }
        }
    }

    fn finish(mut self, gateway: &str) -> Imported {
        let settings = std::mem::take(&mut self.settings);
        self.imported.section(&["gateway", gateway], settings);
        for name in &self.names {
            let targets: Vec<Target> = self.models[name].iter().take(TARGETS_MAX).cloned().collect();
            let others = self.fallbacks.get(name).into_iter().flatten();
            let others: Vec<Target> = others.filter_map(|other| self.models.get(other)?.first().cloned()).collect();
            self.imported.route(gateway, name, shared(&targets, &others));
        }
        self.imported
    }
}

/// `openai/gpt-5` and `gpt-5`.
fn target(model: &str) -> Option<(String, String)> {
    let rows = Providers::builtin();
    match model.split_once('/') {
        Some((prefix, rest)) => {
            let ours = PROVIDERS.iter().find(|(theirs, _)| *theirs == prefix).map_or(prefix, |(_, ours)| *ours);
            rows.get(ours).map(|row| (row.segment().to_owned(), rest.to_owned()))
        }
        None => {
            let row = rows.by_bare_model(model).or_else(|| rows.get("openai"))?;
            Some((row.segment().to_owned(), model.to_owned()))
        }
    }
}
