//! A provider's base URL: the row's own, or another one that the settings put in its place.
//!
//! Enters: a base URL. Leaves: the origin and the beginning of the path for a mapped request. Never: lets a mapping leave an
//! origin that the settings chose.
//!
//! What an override means:
//! - Its origin is where everything goes, also what the row would spread over many hosts (regions, resources, models).
//! - Without a path (`http://127.0.0.1:9000`) requests arrive with the very path the provider would see: it is a stand-in.
//! - With a path (`http://127.0.0.1:9000/v1`, `https://proxy.example/team`) that path replaces the base URL's own, as in SDKs.
//!   Should it end in a version and the mapped path begin with one, the mapped path's counts: `…/v1` and `v1/messages` is not `v1/v1/messages`.

use std::sync::Arc;

use super::Origin;
use super::fault::{BadRow, Misdirected, quoted};
use super::path;
use super::upstream::{Filling, Host, PathTemplate};
use super::url::Url;

#[derive(Clone, Debug, Default)]
pub(super) struct Base {
    own: Option<(Host, PathTemplate)>,
    over: Option<Override>,
}

#[derive(Clone, Debug)]
struct Override {
    origin: Arc<Origin>,
    /// `/` at both ends, or just `/`.
    path: String,
    /// How much of `path` is left without a version at its end.
    unversioned: usize,
}

// === impl Base ===

impl Base {
    pub(super) fn compile(url: Option<&str>) -> Result<Self, BadRow> {
        let Some(text) = url else { return Ok(Self::default()) };
        let compile = || {
            let url = plain(Url::cut(text)?, text)?;
            Ok((Host::compile(&url, None)?, PathTemplate::compile(url.rest, None)?))
        };
        let own = compile().map_err(|fault: BadRow| fault.within("base_url"))?;
        Ok(Self { own: Some(own), over: None })
    }

    pub(super) fn overridden(&self, text: &str) -> Result<Self, BadRow> {
        let over = Override::read(text).map_err(|fault| fault.within("base_url"))?;
        Ok(Self { own: self.own.clone(), over: Some(over) })
    }

    pub(super) fn is_given(&self) -> bool {
        self.own.is_some()
    }

    /// Where a mapping that names no host goes, when that does not depend on the request.
    pub(super) fn origin(&self) -> Option<&Arc<Origin>> {
        match (&self.over, &self.own) {
            (Some(over), _) => Some(&over.origin),
            (None, Some((Host::Fixed(origin), _))) => Some(origin),
            _ => None,
        }
    }

    pub(super) fn is_overridden(&self) -> bool {
        self.over.is_some()
    }

    /// The path that the settings put in front of what names its own host: `/` at both ends, or just `/`.
    pub(super) fn path_elsewhere(&self) -> &str {
        self.over.as_ref().map_or("/", |over| &over.path)
    }

    /// Writes the path in front of a mapped one, always ending in a slash. `of_base`: the mapping is relative to the base URL.
    pub(super) fn write(&self, of_base: bool, filling: &Filling<'_>, out: &mut String) -> Result<(), Misdirected> {
        out.push('/');
        match (&self.over, &self.own) {
            (Some(over), _) if over.path.len() > 1 => out.push_str(&over.path[1..]),
            (_, Some((_, path))) if of_base && !path.is_empty() => {
                path.write(filling, out)?;
                out.push('/');
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes the doubled version out of a path that `write` began and a mapping continued. `joint` is where the mapped path begins;
    /// returns where it begins afterwards.
    pub(super) fn mend(&self, out: &mut String, joint: usize) -> usize {
        match &self.over {
            Some(over) if over.unversioned < over.path.len() && is_version(first_segment(&out[joint..])) => {
                out.replace_range(over.unversioned..joint, "");
                over.unversioned
            }
            _ => joint,
        }
    }
}

// === impl Override ===

impl Override {
    fn read(text: &str) -> Result<Self, BadRow> {
        let url = plain(Url::cut(text)?, text)?;
        let Host::Fixed(origin) = Host::compile(&url, None)? else {
            return Err(BadRow::new("url", format!("{} has holes in its host", quoted(text)), "write one host"));
        };
        if !matches!(url.scheme, "http" | "https") {
            return Err(BadRow::new(
                "url",
                format!("{} leads to no server", quoted(text)),
                "write http:// or https://",
            ));
        }
        let inner = url.rest.trim_end_matches('/');
        let path = if inner.is_empty() { "/".to_owned() } else { format!("/{inner}/") };
        let (before, last) = inner.rsplit_once('/').unwrap_or(("", inner));
        let unversioned = match (is_version(last), before.len()) {
            (false, _) => path.len(),
            (true, 0) => 1,
            (true, length) => length + 2,
        };
        Ok(Self { origin, path, unversioned })
    }
}

/// A base URL has neither query nor dot segments.
fn plain<'a>(url: Url<'a>, text: &str) -> Result<Url<'a>, BadRow> {
    match path::check(url.rest) {
        Ok(()) => Ok(url),
        Err(cause) => Err(BadRow::new(
            "url",
            format!("{} has a path that cannot be used ({cause})", quoted(text)),
            "write a plain path, without query",
        )),
    }
}

fn first_segment(path: &str) -> &str {
    path.split('/').next().unwrap_or_default()
}

/// `v1`, `v2`, `v1beta`, ...
pub(super) fn is_version(segment: &str) -> bool {
    let mut bytes = segment.bytes();
    bytes.next() == Some(b'v')
        && bytes.next().is_some_and(|byte| byte.is_ascii_digit())
        && bytes.all(|byte| byte.is_ascii_alphanumeric())
}
