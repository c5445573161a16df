//! Where a provider lives, how its paths are mapped, and what each path asks for: all of it data.
//!
//! Enters: rows of `catalog/providers/<segment>/provider.toml`, and what a caller's path says after the segment.
//! Leaves: a `Target`: origin, path, operation, model. Never: branches on a provider's name, or opens a connection.
//!
//! The vocabulary of a row is closed and small (`raw.rs` is its manual): prefixes to strip, paths from one pattern to another, operations by
//! pattern, one header that may name the target. A path the caller wrote goes on byte by byte, and so does the query; only slashes at its
//! very beginning are dropped, because base URLs are written with and without one at their end. What a base URL in the
//! settings does to a mapping is told in `base.rs`.

mod base;
mod builtin;
mod compile;
mod fault;
mod fix;
mod path;
mod pattern;
mod quirk;
mod raw;
mod reach;
mod target;
mod target_header;
mod upstream;
mod url;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::dialect::Dialect;
use base::Base;
use pattern::Pattern;
use quirk::Quirk;
use target_header::TargetHeader;
use upstream::{Host, PathTemplate};

pub use fault::{BadRow, Misdirected};
pub use raw::{
    RawAuth, RawAuthKind, RawOperation, RawPath, RawQuirk, RawRange, RawReach, RawRow, RawTargetHeader, RawUse,
    RawValue,
};
pub use reach::{Reach, Use};
pub use target::Target;

/// Every provider there is, by path segment.
#[derive(Clone, Debug, Default)]
pub struct Providers {
    /// Sorted by segment.
    rows: Vec<Arc<ProviderRow>>,
}

/// One provider, ready to map requests.
#[derive(Clone, Debug)]
pub struct ProviderRow {
    name: Arc<str>,
    title: String,
    docs: String,
    key_env: Vec<String>,
    compat_prefix: Option<String>,
    rest_author: Option<String>,
    auth: Auth,
    credential_headers: Vec<HeaderName>,
    credential_query: Option<String>,
    own_headers: Vec<HeaderName>,
    base: Base,
    strip_prefixes: Vec<String>,
    paths: Vec<Mapping>,
    target_header: Option<TargetHeader>,
    operations: Vec<Arc<Operation>>,
    reaches: Vec<Arc<Reach>>,
    values: BTreeMap<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
    fixed_headers: Vec<(HeaderName, HeaderValue)>,
    bare_models: Option<String>,
    model_dots: Option<String>,
    never_withheld: bool,
    quirks: Vec<Quirk>,
}

/// The operator's part of a unified call's path.
#[derive(Clone, Debug, Default)]
struct Value {
    env: Vec<String>,
    /// The settings', the environment's, or the row's own.
    text: Option<String>,
    names_owner: bool,
}

/// How a provider wants to see its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    Bearer,
    Header {
        name: HeaderName,
        prefix: String,
    },
    Query {
        name: String,
    },
    /// Signed for a service and a region that the host names; some services are named otherwise than their host.
    Sigv4 {
        services: BTreeMap<String, String>,
    },
    /// A bearer token, which a service account's key is exchanged for.
    Google,
    None,
}

/// What a path asks for, and in which language.
#[derive(Clone, Debug)]
pub struct Operation {
    pub name: Arc<str>,
    pub dialect: Dialect,
    pattern: Pattern,
    model: Option<usize>,
    model_query: Option<String>,
}

/// Scheme, host and port: what a connection is opened to, and what a key is bound to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// `http`, `https`, or `builtin` for what the engine answers itself.
    pub scheme: String,
    /// Lower case; an IPv6 address keeps its brackets.
    pub host: String,
    pub port: u16,
}

#[derive(Clone, Debug)]
struct Mapping {
    from: Pattern,
    /// `None`: the base URL's.
    host: Option<Host>,
    path: PathTemplate,
    /// The hole that holds the model's name, where the upstream path has none.
    model: Option<usize>,
}

// === impl Providers ===

impl Providers {
    pub fn get(&self, segment: &str) -> Option<&Arc<ProviderRow>> {
        let at = self.rows.binary_search_by(|row| row.segment().cmp(segment)).ok()?;
        self.rows.get(at)
    }

    pub fn all(&self) -> impl Iterator<Item = &Arc<ProviderRow>> {
        self.rows.iter()
    }

    /// The one that the unified API calls by this prefix. A provider without one goes by its segment.
    pub fn by_compat_prefix(&self, prefix: &str) -> Option<&Arc<ProviderRow>> {
        let named = self.rows.iter().find(|row| row.compat_prefix() == Some(prefix));
        named.or_else(|| self.get(prefix).filter(|row| row.compat_prefix().is_none()))
    }

    /// The one that the REST API calls by this author's name.
    pub fn by_rest_author(&self, author: &str) -> Option<&Arc<ProviderRow>> {
        self.rows.iter().find(|row| row.rest_author() == Some(author))
    }

    /// The one whose models need no author.
    pub fn by_bare_model(&self, model: &str) -> Option<&Arc<ProviderRow>> {
        self.rows.iter().find(|row| row.is_bare(model))
    }

    /// The same providers, with this one in the place of the one of its segment, or added.
    #[must_use]
    pub fn with(mut self, row: ProviderRow) -> Self {
        match self.rows.binary_search_by(|known| known.segment().cmp(row.segment())) {
            Ok(at) => self.rows[at] = Arc::new(row),
            Err(at) => self.rows.insert(at, Arc::new(row)),
        }
        self
    }

    /// The same providers, with all of these; of two with one segment the later counts.
    #[must_use]
    pub fn with_all(mut self, rows: impl IntoIterator<Item = Arc<ProviderRow>>) -> Self {
        self.rows.extend(rows);
        // The later one first, so that it is the one that stays.
        self.rows.reverse();
        self.rows.sort_by(|one, other| one.segment().cmp(other.segment()));
        self.rows.dedup_by(|one, other| one.segment() == other.segment());
        self
    }

    /// The same providers, one of them elsewhere (see `base.rs`).
    pub fn with_base_url(&self, segment: &str, url: &str) -> Result<Self, BadRow> {
        let row = self.get(segment).ok_or_else(|| {
            BadRow::new(
                "provider",
                format!("there is none called {}", fault::quoted(segment)),
                "use a path segment of the catalog",
            )
        })?;
        Ok(self.clone().with(row.with_base_url(url)?))
    }
}

// === impl ProviderRow ===

impl ProviderRow {
    pub fn with_base_url(&self, url: &str) -> Result<Self, BadRow> {
        Ok(Self { base: self.base.overridden(url)?, ..self.clone() })
    }

    /// The path segment, as records and cache keys hold it.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub fn segment(&self) -> &str {
        &self.name
    }

    pub fn title(&self) -> &str {
        &self.title
    }

    pub fn docs(&self) -> &str {
        &self.docs
    }

    /// Environment variables where a key is usually found, the likeliest first.
    pub fn key_env(&self) -> &[String] {
        &self.key_env
    }

    pub fn compat_prefix(&self) -> Option<&str> {
        self.compat_prefix.as_deref()
    }

    pub fn rest_author(&self) -> Option<&str> {
        self.rest_author.as_deref()
    }

    pub fn auth(&self) -> &Auth {
        &self.auth
    }

    /// Every request header that may carry a key for this provider.
    pub fn credential_headers(&self) -> &[HeaderName] {
        &self.credential_headers
    }

    /// Headers that only this provider may hear.
    pub fn own_headers(&self) -> &[HeaderName] {
        &self.own_headers
    }

    /// The query parameter that may carry a key.
    pub fn credential_query(&self) -> Option<&str> {
        self.credential_query.as_deref()
    }

    pub fn operations(&self) -> &[Arc<Operation>] {
        &self.operations
    }

    /// Whether this model of its is called by its bare name.
    pub fn is_bare(&self, model: &str) -> bool {
        self.bare_models.as_deref().is_some_and(|prefix| model.starts_with(prefix))
    }

    /// Whether the operator's key goes there even for gateways that demand stored keys.
    pub fn is_never_withheld(&self) -> bool {
        self.never_withheld
    }

    /// Headers that its API asks for besides a credential.
    pub fn required_headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.headers
    }

    /// The same row, with headers that the operator adds to every request. Their values may be credentials: mark them so.
    #[must_use]
    pub fn with_fixed_headers(mut self, headers: Vec<(HeaderName, HeaderValue)>) -> Self {
        self.fixed_headers = headers;
        self
    }

    /// Adds the operator's headers to a request. They take the place of the caller's, but for credentials: a key of the caller's own is its own affair.
    pub fn write_fixed_headers(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.fixed_headers {
            if !(self.credential_headers.contains(name) && headers.contains_key(name)) {
                headers.insert(name.clone(), value.clone());
            }
        }
    }

    /// The one origin that requests go to, unless a caller's path or header has a say in it: a key must not follow it there.
    pub fn fixed_origin(&self) -> Option<Origin> {
        self.base.origin().map(|origin| (**origin).clone())
    }
}

// === impl Operation ===

impl Operation {
    /// The pattern of its paths, as the row spells it.
    pub fn pattern(&self) -> &str {
        self.pattern.text()
    }
}

// === impl Origin ===

impl Origin {
    /// Of an `https://...` that somebody asks to be called, with path and query.
    pub fn of_https(text: &str) -> Result<(Self, String), BadRow> {
        let (origin, path) = Self::of_url(text)?;
        match origin.scheme.as_str() {
            "https" => Ok((origin, path)),
            _ => Err(BadRow::new("url", format!("{} is not https", fault::quoted(text)), "write https://host/path")),
        }
    }

    /// The same, plain `http://` included.
    pub fn of_url(text: &str) -> Result<(Self, String), BadRow> {
        let url = url::Url::cut(text)?;
        if !matches!(url.scheme, "http" | "https") || url.host.contains(['{', '}']) {
            return Err(BadRow::new("url", format!("{} leads to no server", fault::quoted(text)), url::EXPECTED));
        }
        let origin =
            Self { scheme: url.scheme.to_owned(), host: url.host.to_ascii_lowercase(), port: url.port_or_usual() };
        // `?` may follow a host directly; a request line wants its slash.
        Ok((origin, format!("/{}", url.rest)))
    }

    /// `https://api.openai.com`, with a port where it is not the usual one.
    pub fn text(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        match (self.scheme.as_str(), self.port) {
            ("https", 443) | ("http", 80) | (_, 0) => Ok(()),
            (_, port) => write!(f, ":{port}"),
        }
    }
}
