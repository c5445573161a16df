//! A provider's row as it is written: in `provider.toml`, and later in the REST API's JSON for custom providers.
//!
//! Enters: a document. Leaves: its members, unjudged. Never: depends on the rest of this crate: `build.rs` includes this file to read
//! the catalog at build time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One provider. The doc comments here are the manual of `provider.toml`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawRow {
    /// What people call it.
    pub title: String,
    /// `https://host/path` that mapped paths are appended to. May hold `{account}` in its path. Left out when every path names its own host.
    #[serde(default)]
    pub base_url: Option<String>,
    /// The provider's own reference of its API.
    #[serde(default)]
    pub docs: String,
    /// Environment variables where its key is usually found; the first that is set counts.
    #[serde(default)]
    pub key_env: Vec<String>,
    /// How the unified API calls it in `prefix/model`.
    #[serde(default)]
    pub compat_prefix: Option<String>,
    /// How the REST API calls it in `author/model`.
    #[serde(default)]
    pub rest_author: Option<String>,
    /// How it wants to see its key.
    #[serde(default)]
    pub auth: RawAuth,
    /// Further headers that may carry its key. `authorization` and the header of `auth` need not be repeated.
    #[serde(default)]
    pub credential_headers: Vec<String>,
    /// A query parameter that may carry its key.
    #[serde(default)]
    pub credential_query: Option<String>,
    /// Headers named `tollgate-...` that would be kept back from any other provider, and are meant for this one.
    #[serde(default)]
    pub own_headers: Vec<String>,
    /// Beginnings of a caller's path that say what the base URL says already: the first that fits is dropped, once.
    #[serde(default)]
    pub strip_prefixes: Vec<String>,
    /// Tried in order; without any, what follows the segment is appended to the base URL.
    #[serde(default)]
    pub paths: Vec<RawPath>,
    /// Lets a request name its whole target in a header.
    #[serde(default)]
    pub target_header: Option<RawTargetHeader>,
    /// What a mapped path asks for; the first that fits counts. Paths without one are passed on unread.
    #[serde(default)]
    pub operations: Vec<RawOperation>,
    /// How the unified API asks it. A caller whose dialect one of these speaks is led there and its bytes are kept; anybody else is translated for
    /// the first one whose dialect can be written.
    #[serde(default)]
    pub reach: Vec<RawReach>,
    /// What fills the holes of `reach` besides `{model}`: the operator's project, region, resource.
    #[serde(default)]
    pub values: BTreeMap<String, RawValue>,
    /// Headers that requests of the unified API go out with, unless the caller sent its own.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Names of models that begin like this are its own without any prefix, on the REST API.
    #[serde(default)]
    pub bare_models: Option<String>,
    /// What it writes where unified names of its models have a dot: `claude-haiku-4.5` is `claude-haiku-4-5`.
    #[serde(default)]
    pub model_dots: Option<String>,
    /// The operator's own key is used for it although a gateway demands stored keys (`byok_only`).
    #[serde(default)]
    pub never_withheld: bool,
    /// What it wants otherwise than its dialect has it. What is dropped or clamped is told to the caller.
    #[serde(default)]
    pub quirks: Vec<RawQuirk>,
}

/// One way of the unified API to a provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawReach {
    #[serde(rename = "for")]
    pub used_for: RawUse,
    /// As a caller of the native API would write it after the segment: it is mapped and its dialect found in the same way. `{model}` is the model,
    /// other holes are `values`. May have a query.
    pub path: String,
    /// For streamed answers, where that is another path.
    #[serde(default)]
    pub stream_path: Option<String>,
    /// Where it is another than that of the operation which the path leads to: some paths mean what the model makes of them.
    #[serde(default)]
    pub dialect: Option<String>,
    /// Only for models whose name begins like this, and without it.
    #[serde(default)]
    pub model_prefix: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RawUse {
    Chat,
    Embeddings,
    CountTokens,
}

/// A value that is the operator's to know: said in the settings, or found in the environment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawValue {
    /// Environment variables where it is usually found; the first that is set counts.
    #[serde(default)]
    pub env: Vec<String>,
    #[serde(default)]
    pub default: Option<String>,
    /// It names whose hosts these are: a stored key for one is never sent to another's.
    #[serde(default)]
    pub names_owner: bool,
}

/// A caller's path and where it leads. In both, `{name}` stands for part of a segment and `{name*}` for any number of segments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawPath {
    /// A hole named `model` is the model's name.
    pub from: String,
    /// Relative to the base URL, or a whole `https://...` whose host may hold parts of the path.
    pub to: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawOperation {
    /// Path below the base URL, or the whole path when the mapping names a host. `{model}` or `{model*}` is the model's name.
    pub path: String,
    pub name: String,
    /// One of the names in `dialect.rs`.
    pub dialect: String,
    /// The query parameter that names the model.
    #[serde(default)]
    pub model_query: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawTargetHeader {
    pub name: String,
    /// Host names that it may lead to; `*.` stands for one or more labels.
    pub hosts: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawAuth {
    pub kind: RawAuthKind,
    /// Of the header or the query parameter.
    #[serde(default)]
    pub name: Option<String>,
    /// What stands before the key in the header, with its space.
    #[serde(default)]
    pub prefix: Option<String>,
    /// Of a signature: services whose name is another than the first label of their host.
    #[serde(default)]
    pub services: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RawAuthKind {
    /// `Authorization: Bearer KEY`.
    #[default]
    Bearer,
    Header,
    Query,
    /// A signature over the request, AWS's way.
    Sigv4,
    /// As `bearer`. A key that is a service account's JSON is exchanged for access tokens, Google's way.
    Google,
    None,
}

/// Changes of a request's body on its way to the provider. Names are those of its top-level members.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawQuirk {
    /// Dialects of the operations it is about; without any, `openai-chat`.
    #[serde(default)]
    pub dialects: Vec<String>,
    /// Models it is about, `*` for any characters; one that begins with `!` takes models out again. Without any, all.
    #[serde(default)]
    pub models: Vec<String>,
    /// Members it does not take.
    #[serde(default)]
    pub drop: Vec<String>,
    /// Members it calls otherwise: `{ max_completion_tokens = "max_tokens" }`. Where both are there, the provider's own name counts.
    #[serde(default)]
    pub rename: BTreeMap<String, String>,
    /// Numbers it takes within a range: `{ temperature = { max = 1.0 } }`.
    #[serde(default)]
    pub clamp: BTreeMap<String, RawRange>,
    /// Members it must be told, with the value for those who do not say, as JSON: `{ max_tokens = "4096" }`.
    #[serde(default)]
    pub default: BTreeMap<String, String>,
    /// Members without which it is not asked.
    #[serde(default)]
    pub require: Vec<String>,
    /// Changes further inside, by name: see `fix.rs`.
    #[serde(default)]
    pub fix: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawRange {
    #[serde(default)]
    pub min: Option<f64>,
    #[serde(default)]
    pub max: Option<f64>,
}
