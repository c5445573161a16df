//! How the unified API asks a provider: paths of its native API, with the model and the operator's own values filled in.
//!
//! Enters: the ways that a row lists, a model, whether the answer is to be streamed. Leaves: a path as a native caller would have written it.
//! Never: lets a model's name choose another path than the one that the row says: it is percent-encoded as one segment.

use std::sync::Arc;

use http::HeaderMap;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::base::is_version;
use super::compile::dialect;
use super::fault::{BadRow, Misdirected, quoted};
use super::raw::{RawReach, RawRow, RawUse};
use super::{Origin, ProviderRow, Providers};
use crate::dialect::Dialect;

/// What a unified call wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Use {
    /// A conversation, in whichever dialect.
    Chat,
    Embeddings,
    CountTokens,
}

/// One way to ask a provider.
#[derive(Clone, Debug)]
pub struct Reach {
    pub used_for: Use,
    /// Of the operation that the path leads to.
    pub dialect: Dialect,
    path: Template,
    stream_path: Option<Template>,
    model_prefix: Option<String>,
}

#[derive(Clone, Debug)]
struct Template(Vec<Part>);

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Model,
    Value(String),
}

/// What stands in a segment as it is. Everything else of a model's name is escaped, slashes too.
const IN_SEGMENT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b':').remove(b'@').remove(b'*');
/// Workers AI's names are paths: their slashes stay.
const IN_PATH: &AsciiSet = &IN_SEGMENT.remove(b'/');

// === impl Reach ===

impl Reach {
    /// The model as this way names it; `None` when it is not for this model.
    pub fn model<'a>(&self, model: &'a str) -> Option<&'a str> {
        match &self.model_prefix {
            None => Some(model),
            Some(prefix) => model.strip_prefix(prefix.as_str()).filter(|rest| !rest.is_empty()),
        }
    }

    fn template(&self, streamed: bool) -> &Template {
        self.stream_path.as_ref().filter(|_| streamed).unwrap_or(&self.path)
    }
}

// === impl ProviderRow ===

impl ProviderRow {
    /// The ways to have this done for this model, in the row's order.
    pub fn reaches(&self, used_for: Use, model: &str) -> impl Iterator<Item = &Arc<Reach>> {
        self.reaches.iter().filter(move |reach| reach.used_for == used_for && reach.model(model).is_some())
    }

    /// What a native caller would have written after the segment. `model` is [`Reach::model`]'s.
    pub fn reach_path(&self, reach: &Reach, model: &str, streamed: bool) -> Result<String, Misdirected> {
        let mut path = String::with_capacity(64);
        for part in &reach.template(streamed).0 {
            match part {
                Part::Text(text) => path.push_str(text),
                Part::Model if self.bare_models.is_some() => path.extend(utf8_percent_encode(model, IN_PATH)),
                Part::Model => path.extend(utf8_percent_encode(model, IN_SEGMENT)),
                Part::Value(name) => path.push_str(self.value(name)?),
            }
        }
        Ok(path)
    }

    fn value(&self, name: &str) -> Result<&str, Misdirected> {
        let value = self.values.get(name);
        if let Some(text) = value.and_then(|value| value.text.as_deref()) {
            return Ok(text);
        }
        let env = value.map(|value| value.env.join(" or ")).filter(|env| !env.is_empty());
        let instead = match env {
            Some(env) => format!("set [providers.{}.values] {name}, or {env} in the environment", self.segment()),
            None => format!("set [providers.{}.values] {name}", self.segment()),
        };
        Err(Misdirected::new(format!("{}'s {name}", self.title()), "is not configured", instead))
    }

    /// The model as its provider spells it.
    pub fn own_model_name(&self, model: &str) -> String {
        match &self.model_dots {
            Some(instead) => model.replace('.', instead),
            None => model.to_owned(),
        }
    }

    /// The row with the values that `look` knows, by name and the variables where each is usually found. What stands in a path is taken as it is,
    /// so only what cannot be anything but one segment is taken at all.
    pub fn with_values(&self, look: impl Fn(&str, &[String]) -> Option<String>) -> Result<Self, BadRow> {
        let mut row = self.clone();
        for (name, value) in &mut row.values {
            if let Some(text) = look(name, &value.env) {
                if !is_plain(&text) {
                    let wrong = format!("{} cannot stand in a path", quoted(&text));
                    return Err(BadRow::new(format!("values.{name}"), wrong, "use letters, digits and . _ - :"));
                }
                value.text = Some(text);
            }
        }
        Ok(row)
    }

    /// Where a stored key may go when the row's hosts have different owners: to the hosts that its values name. `None`: all hosts of the row are the
    /// provider's own.
    pub fn owners_origins(&self, account: &str) -> Option<Vec<Origin>> {
        if !self.values.values().any(|value| value.names_owner) {
            return None;
        }
        let origin = |reach: &Arc<Reach>| {
            let path = self.reach_path(reach, "model", false).ok()?;
            Some((*self.target(account, &path, &HeaderMap::new()).ok()?.origin).clone())
        };
        let mut origins: Vec<Origin> = self.reaches.iter().filter_map(origin).collect();
        origins.dedup();
        Some(origins)
    }

    /// The values that there are holes for.
    pub fn value_names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    pub(super) fn with_reach(mut self, raw: &[RawReach]) -> Result<Self, BadRow> {
        let reaches = raw.iter().map(|reach| self.compile_reach(reach)).collect::<Result<_, _>>()?;
        self.reaches = reaches;
        Ok(self)
    }

    fn compile_reach(&self, raw: &RawReach) -> Result<Arc<Reach>, BadRow> {
        let template = |text: &String| Template::compile(text, self).map_err(|fault| fault.within("reach.path"));
        let path = template(&raw.path)?;
        let leads_to = self.dialect_of(&path)?;
        let dialect = raw.dialect.as_deref().map_or(Ok(leads_to), |name| dialect("reach.dialect", name))?;
        let stream_path = raw.stream_path.as_ref().map(template).transpose()?;
        if let Some(other) = stream_path.as_ref().map(|path| self.dialect_of(path)).transpose()?
            && other != leads_to
        {
            return Err(BadRow::new("reach.stream_path", "speaks another dialect than `path`", "make two of them"));
        }
        let used_for = match raw.used_for {
            RawUse::Chat => Use::Chat,
            RawUse::Embeddings => Use::Embeddings,
            RawUse::CountTokens => Use::CountTokens,
        };
        Ok(Arc::new(Reach { used_for, dialect, path, stream_path, model_prefix: raw.model_prefix.clone() }))
    }

    /// Found as for a caller: the way there and the operation are the row's own.
    fn dialect_of(&self, template: &Template) -> Result<Dialect, BadRow> {
        let sample: String = template.0.iter().map(Part::sample).collect();
        let target = self.target("account", &sample, &HeaderMap::new());
        let target =
            target.map_err(|cause| BadRow::new("reach.path", cause.to_string(), "use a path that is mapped"))?;
        target.operation.map(|operation| operation.dialect).ok_or_else(|| {
            BadRow::new("reach.path", format!("{} is no operation of this provider", quoted(&sample)), "list it")
        })
    }
}

/// Letters, digits and what names of projects, regions, resources and versions have besides.
fn is_plain(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b':');
    !text.is_empty() && text.len() <= 256 && text.bytes().all(plain) && !text.bytes().all(|byte| byte == b'.')
}

// === impl Template ===

impl Template {
    fn compile(text: &str, row: &ProviderRow) -> Result<Self, BadRow> {
        let mut parts = Vec::new();
        let mut left = text;
        while let Some((before, rest)) = left.split_once('{') {
            let (name, after) = rest.split_once('}').ok_or_else(|| {
                BadRow::new("template", format!("{} has a hole that does not end", quoted(text)), "end it")
            })?;
            parts.push(Part::Text(before.to_owned()));
            parts.push(match name {
                "model" => Part::Model,
                _ if row.values.contains_key(name) => Part::Value(name.to_owned()),
                _ => {
                    return Err(BadRow::new(
                        "template",
                        format!("nothing fills {}", quoted(name)),
                        "list it in `values`",
                    ));
                }
            });
            left = after;
        }
        parts.push(Part::Text(left.to_owned()));
        Ok(Self(parts))
    }
}

// === impl Part ===

impl Part {
    fn sample(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Model | Self::Value(_) => "x",
        }
    }
}

// === impl Providers ===

impl Providers {
    /// The same providers, each with the values that `look` knows: segment, name, usual variables.
    pub fn with_values(&self, look: impl Fn(&str, &str, &[String]) -> Option<String>) -> Result<Self, BadRow> {
        let mut providers = self.clone();
        for row in self.all().filter(|row| !row.values.is_empty()) {
            let filled = row.with_values(|name, env| look(row.segment(), name, env));
            providers = providers.with(filled.map_err(|fault| fault.of(row.segment()))?);
        }
        Ok(providers)
    }
}

impl RawRow {
    /// A provider that somebody made through the API (data-plane specification, section 1.10): one that speaks OpenAI's language at
    /// `{base_url}/v1/chat/completions` and is called `custom-{slug}` everywhere.
    ///
    /// Local servers and SDKs also write base URLs that end in their version (`http://127.0.0.1:11434/v1`): there the version is the base's to say, and
    /// a path that says it again loses it, as everywhere in the catalog.
    pub fn custom(slug: &str, base_url: &str) -> (String, Self) {
        let segment = format!("custom-{slug}");
        let last = base_url.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let version = if is_version(last) { "" } else { "v1/" };
        let operation = |path: String, name: &str, dialect: &str| super::raw::RawOperation {
            path,
            name: name.to_owned(),
            dialect: dialect.to_owned(),
            model_query: None,
        };
        let operations = CUSTOM_OPERATIONS.iter().flat_map(|(path, name, dialect)| {
            [format!("v1/{path}"), (*path).to_owned()].map(|path| operation(path, name, dialect))
        });
        let reach = |used_for, path: &str| RawReach {
            used_for,
            path: format!("{version}{path}"),
            stream_path: None,
            dialect: None,
            model_prefix: None,
        };
        let row = Self {
            title: segment.clone(),
            base_url: Some(base_url.to_owned()),
            compat_prefix: Some(segment.clone()),
            rest_author: Some(segment.clone()),
            strip_prefixes: if last == "v1" { vec!["v1/".to_owned()] } else { Vec::new() },
            operations: operations.collect(),
            reach: vec![reach(RawUse::Chat, "chat/completions"), reach(RawUse::Embeddings, "embeddings")],
            ..Self::default()
        };
        (segment, row)
    }
}

/// Path, name, dialect of what such a provider is taken to understand; all else passes unread.
const CUSTOM_OPERATIONS: &[(&str, &str, &str)] = &[
    ("chat/completions", "chat", "openai-chat"),
    ("responses", "responses", "openai-responses"),
    ("messages", "messages", "anthropic-messages"),
    ("embeddings", "embeddings", "openai-embeddings"),
];
