//! Names of things in a request: `metadata.plan`, `headers.x-tenant`, `body.messages.0.role`, `model`, `stream`, `budget.used`.
//!
//! Enters: the text of a path; facts. Leaves: what stands there. Never: reads a header that holds a credential.
//!
//! Everything after `metadata.` is one key, dots included, since metadata is flat. In `body.` a number is an index of an array, `-1` its last;
//! in an object it is a name.

use std::borrow::Cow;

use http::HeaderName;
use serde_json::{Number, Value};
use tollgate_model::Meta;

use crate::facts::Facts;

use super::problem::{meant, quoted};

const SEGMENTS_MAX: usize = 32;
const ROOTS: [&str; 6] = ["metadata.", "headers.", "body.", "budget.", "model", "stream"];

/// Conditions are shown in logs and could be used to guess a key letter by letter.
const SECRET_HEADERS: [&str; 11] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "x-api-key",
    "x-goog-api-key",
    "api-key",
    "xi-api-key",
    "cf-aig-authorization",
    "cf-access-token",
    "cf-access-client-secret",
    "sec-websocket-protocol",
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    /// As it was written.
    pub(crate) text: String,
    root: Root,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Root {
    Metadata(String),
    Header(HeaderName),
    Body(Vec<String>),
    /// How much of the caller's budgets is used: 0 to 1, and beyond.
    BudgetUsed,
    Model,
    Stream,
}

/// Paths of which the first one that is there counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source(Vec<Path>);

/// What stands at a path.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found<'a> {
    Missing,
    Json(&'a Value),
    Flag(bool),
    /// Text that may stand for a number or a flag: headers, and values of metadata.
    Label(&'a str),
    Null,
}

/// The session of a request, when nobody says which key tells it.
const SESSION: [&str; 4] =
    ["headers.cf-aig-session-id", "body.prompt_cache_key", "metadata.session_id", "metadata.user_id"];

// === impl Path ===

impl Path {
    /// The path, or what is wrong with it and what may have been meant.
    pub(crate) fn read(text: &str) -> Result<Self, (String, Option<String>)> {
        let root = match text.split_once('.') {
            Some(("metadata", key)) if !key.is_empty() => Root::Metadata(key.to_owned()),
            Some(("headers" | "header", name)) => Root::Header(header(name)?),
            Some(("body", rest)) => Root::Body(segments(rest)?),
            Some(("budget", "used")) => Root::BudgetUsed,
            Some(("budget", _)) => {
                return Err((
                    format!("{} is not a path", quoted(text)),
                    Some("did you mean \"budget.used\"?".to_owned()),
                ));
            }
            None if text == "model" => Root::Model,
            None if text == "stream" => Root::Stream,
            _ => return Err(unknown(text)),
        };
        Ok(Self { text: text.to_owned(), root })
    }

    pub(crate) fn find<'a>(&self, facts: &'a Facts) -> Found<'a> {
        match &self.root {
            Root::Metadata(key) => facts.metadata.get(key).map_or(Found::Missing, Found::of_meta),
            Root::Header(name) => {
                let value = facts.headers.get(name).and_then(|value| value.to_str().ok());
                value.map_or(Found::Missing, Found::Label)
            }
            Root::Body(segments) => descend(&facts.body, segments).map_or(Found::Missing, Found::Json),
            Root::BudgetUsed if facts.budget_used.is_null() => Found::Missing,
            Root::BudgetUsed => Found::Json(&facts.budget_used),
            Root::Model => facts.body.get("model").map_or(Found::Missing, Found::Json),
            Root::Stream => Found::Flag(facts.stream()),
        }
    }

    pub(crate) fn reads_body(&self) -> bool {
        matches!(self.root, Root::Body(_) | Root::Model | Root::Stream)
    }

    pub(crate) fn reads_budget(&self) -> bool {
        self.root == Root::BudgetUsed
    }

    /// Labels and the model may be written into a log; bodies and headers only when their logging is on, which a trace does not know.
    pub(crate) fn may_be_shown(&self) -> bool {
        !matches!(self.root, Root::Body(_) | Root::Header(_))
    }
}

fn header(name: &str) -> Result<HeaderName, (String, Option<String>)> {
    let name = name.to_ascii_lowercase();
    if SECRET_HEADERS.contains(&name.as_str()) {
        let message = format!("the header {name} holds a credential and cannot be looked at");
        return Err((message, Some("use metadata, or a header of your own".to_owned())));
    }
    HeaderName::try_from(&name).map_err(|_| (format!("{} is not the name of a header", quoted(&name)), None))
}

fn segments(rest: &str) -> Result<Vec<String>, (String, Option<String>)> {
    let segments: Vec<String> = rest.split('.').map(str::to_owned).collect();
    match segments.len() <= SEGMENTS_MAX && segments.iter().all(|segment| !segment.is_empty()) {
        true => Ok(segments),
        false => Err((format!("expected 1 to {SEGMENTS_MAX} names with a dot between them after `body.`"), None)),
    }
}

fn unknown(text: &str) -> (String, Option<String>) {
    let root = text.split_once('.').map_or(text.to_owned(), |(root, _)| format!("{root}."));
    let guess = meant(&root, ROOTS).unwrap_or_else(|| match text.contains('.') {
        true => "a path begins with metadata., headers. or body., or is model, stream or budget.used".to_owned(),
        false => format!("did you mean \"metadata.{}\"?", text.chars().take(64).collect::<String>()),
    });
    (format!("{} is not a path", quoted(text)), Some(guess))
}

fn descend<'a>(mut value: &'a Value, segments: &[String]) -> Option<&'a Value> {
    for segment in segments {
        value = match value {
            Value::Object(members) => members.get(segment)?,
            Value::Array(items) => items.get(index(segment, items.len())?)?,
            _ => return None,
        };
    }
    Some(value)
}

fn index(segment: &str, len: usize) -> Option<usize> {
    match segment.strip_prefix('-') {
        Some(back) => len.checked_sub(back.parse().ok().filter(|back| *back > 0)?),
        None => segment.parse().ok(),
    }
}

// === impl Source ===

impl Source {
    pub(crate) fn session() -> Self {
        let known = |text: &&str| Path::read(text).ok();
        Self(SESSION.iter().filter_map(known).collect())
    }

    pub(crate) fn of(paths: Vec<Path>) -> Self {
        Self(paths)
    }

    /// The path that was there, and the text of what stands at it. Null, empty text, lists and objects are nothing.
    pub(crate) fn read<'a>(&'a self, facts: &'a Facts) -> Option<(&'a str, Cow<'a, str>)> {
        self.0.iter().find_map(|path| Some((path.text.as_str(), path.find(facts).key()?)))
    }

    pub(crate) fn reads_body(&self) -> bool {
        self.0.iter().any(Path::reads_body)
    }

    pub(crate) fn reads_budget(&self) -> bool {
        self.0.iter().any(Path::reads_budget)
    }
}

// === impl Found ===

impl<'a> Found<'a> {
    fn of_meta(meta: &'a Meta) -> Self {
        match meta {
            Meta::Text(text) | Meta::Number(text) => Self::Label(text),
            Meta::Flag(flag) => Self::Flag(*flag),
            Meta::Null => Self::Null,
        }
    }

    fn key(self) -> Option<Cow<'a, str>> {
        let text = match self {
            Self::Label(text) => Cow::Borrowed(text),
            Self::Flag(flag) => Cow::Borrowed(if flag { "true" } else { "false" }),
            Self::Json(Value::String(text)) => Cow::Borrowed(text.as_str()),
            Self::Json(Value::Number(number)) => Cow::Owned(Number::to_string(number)),
            Self::Json(Value::Bool(flag)) => Cow::Borrowed(if *flag { "true" } else { "false" }),
            _ => return None,
        };
        Some(text).filter(|text| !text.is_empty())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_path_finds_what_stands_there() {
        let mut facts = Facts {
            body: json!({"model": "dynamic/x", "a": {"0": [1, {"b": "deep"}]}, "stream": true}),
            budget_used: json!(0.8),
            metadata: crate::metadata::read(r#"{"plan":"free","a.b":1}"#),
            ..Facts::default()
        };
        facts.headers.insert("x-tenant", "acme".parse().unwrap());
        for (path, expected) in [
            ("metadata.plan", Some("free")),
            ("metadata.a.b", Some("1")),
            ("metadata.nope", None),
            ("headers.X-Tenant", Some("acme")),
            ("body.a.0.1.b", Some("deep")),
            ("body.a.0.-1.b", Some("deep")),
            ("body.a.0.-3", None),
            ("body.a.0.-0", None),
            ("body.a", None),
            ("model", Some("dynamic/x")),
            ("stream", Some("true")),
            ("budget.used", Some("0.8")),
        ] {
            assert_eq!(Path::read(path).unwrap().find(&facts).key().as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn what_is_no_path_is_told_with_a_guess() {
        for (path, guess) in [
            ("plan", "metadata.plan"),
            ("metdata.plan", "metadata."),
            ("tenant", "metadata.tenant"),
            ("xyz.plan", "begins with"),
            ("budget.left", "budget.used"),
            ("headers.authorization", "of your own"),
            ("headers.X-Api-Key", "of your own"),
        ] {
            let (_, found) = Path::read(path).unwrap_err();
            assert!(found.as_deref().unwrap_or_default().contains(guess), "{path}: {found:?}");
        }
        assert!(Path::read("body..a").is_err() && Path::read("metadata.").is_err() && Path::read("").is_err());
    }
}
