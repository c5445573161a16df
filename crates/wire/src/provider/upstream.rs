//! Writes the upstream side of a mapping: `https://bedrock-runtime.{region}.amazonaws.com/{rest}`.
//!
//! Enters: the account and what stood in a pattern's holes. Leaves: an origin, and a path.
//! Never: lets a caller's text into a host unless it is letters, digits and hyphens, followed by a fixed domain: nobody steers where a request goes.

use std::sync::Arc;

use super::Origin;
use super::fault::{BadRow, Misdirected, quoted};
use super::pattern::{Found, Pattern};
use super::url::Url;

/// What fills the templates of one request.
pub(super) struct Filling<'a> {
    pub(super) account: &'a str,
    pub(super) found: Found<'a>,
    /// Gives the holes their names.
    pub(super) pattern: &'a Pattern,
}

#[derive(Clone, Debug)]
pub(super) enum Host {
    Fixed(Arc<Origin>),
    Made { scheme: String, parts: Vec<Part> },
}

#[derive(Clone, Debug, Default)]
pub(super) struct PathTemplate(Vec<Part>);

#[derive(Clone, Debug)]
pub(super) enum Part {
    Text(String),
    Account,
    Hole(usize),
}

/// A label of a host name cannot be longer.
const LABEL_BYTES_MAX: usize = 63;

// === impl Host ===

impl Host {
    /// `known` says which holes there are; a base URL has none.
    pub(super) fn compile(url: &Url<'_>, known: Option<&Pattern>) -> Result<Self, BadRow> {
        if !url.host.contains(['{', '}']) {
            let (scheme, host) = (url.scheme.to_owned(), url.host.to_ascii_lowercase());
            return Ok(Self::Fixed(Arc::new(Origin { scheme, host, port: url.port_or_usual() })));
        }
        let parts = parts(url.host, known)?;
        let Some(Part::Text(domain)) = parts.last() else { return Err(steerable(url.host)) };
        if domain.matches('.').count() < 2
            || url.port.is_some()
            || parts.iter().any(|part| matches!(part, Part::Account))
        {
            return Err(steerable(url.host));
        }
        Ok(Self::Made { scheme: url.scheme.to_owned(), parts })
    }

    pub(super) fn origin(&self, filling: &Filling<'_>) -> Result<Arc<Origin>, Misdirected> {
        let (scheme, parts) = match self {
            Self::Fixed(origin) => return Ok(origin.clone()),
            Self::Made { scheme, parts } => (scheme, parts),
        };
        let mut host = String::with_capacity(64);
        for part in parts {
            match part {
                Part::Text(text) => host.push_str(text),
                Part::Account => {}
                Part::Hole(hole) => host.push_str(filling.label(*hole)?),
            }
        }
        host.make_ascii_lowercase();
        let port = if scheme == "http" { 80 } else { 443 };
        Ok(Arc::new(Origin { scheme: scheme.clone(), host, port }))
    }
}

fn steerable(host: &str) -> BadRow {
    let instead = "end the host in a fixed domain such as `.example.com`, without port or account";
    BadRow::new("host", format!("{} lets a caller choose where requests go", quoted(host)), instead)
}

// === impl PathTemplate ===

impl PathTemplate {
    pub(super) fn compile(text: &str, known: Option<&Pattern>) -> Result<Self, BadRow> {
        parts(text.trim_matches('/'), known).map(Self)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Appends to a path that ends in a slash. A hole that stands for no segment leaves no slash behind.
    pub(super) fn write(&self, filling: &Filling<'_>, out: &mut String) -> Result<(), Misdirected> {
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Account => out.push_str(filling.account()?),
                Part::Hole(hole) => match filling.found.get(*hole) {
                    Some(text) => out.push_str(text),
                    None if out.ends_with('/') => out.truncate(out.len() - 1),
                    None => {}
                },
            }
        }
        Ok(())
    }
}

fn parts(text: &str, known: Option<&Pattern>) -> Result<Vec<Part>, BadRow> {
    let mut parts = Vec::new();
    let mut left = text;
    while let Some((before, rest)) = left.split_once('{') {
        let (name, after) = rest.split_once('}').ok_or_else(|| unknown(text, rest))?;
        if !before.is_empty() {
            parts.push(Part::Text(before.to_owned()));
        }
        let hole = known.and_then(|pattern| pattern.hole_named(name));
        parts.push(match (name, hole) {
            ("account", _) => Part::Account,
            (_, Some(hole)) => Part::Hole(hole),
            (_, None) => return Err(unknown(text, name)),
        });
        left = after;
    }
    if !left.is_empty() {
        parts.push(Part::Text(left.to_owned()));
    }
    Ok(parts)
}

fn unknown(text: &str, name: &str) -> BadRow {
    let wrong = format!("{} has a hole {} that nothing fills", quoted(text), quoted(name));
    BadRow::new("template", wrong, "use the names of the pattern's holes, or `account`")
}

// === impl Filling ===

impl<'a> Filling<'a> {
    fn label(&self, hole: usize) -> Result<&'a str, Misdirected> {
        let text = self.found.get(hole).unwrap_or_default();
        if is_label(text) {
            return Ok(text);
        }
        let wrong = format!("{} cannot be the {} in a host name", quoted(text), self.pattern.hole_name(hole));
        Err(Misdirected::new("request path", wrong, "use letters, digits and hyphens only"))
    }

    fn account(&self) -> Result<&'a str, Misdirected> {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if !self.account.is_empty() && self.account.bytes().all(known) {
            return Ok(self.account);
        }
        let wrong = format!("{} cannot be an account", quoted(self.account));
        Err(Misdirected::new("account in the request path", wrong, "use letters, digits, hyphens and underscores only"))
    }
}

fn is_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=LABEL_BYTES_MAX).contains(&text.len())
        && text.bytes().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}
