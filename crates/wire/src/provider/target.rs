//! Finds a request's target.
//!
//! Enters: a row, the account, what follows the provider's segment, headers. Leaves: a `Target`. Never: fails for a path whose operation
//! is not known: it is passed on unread.

use std::sync::Arc;

use http::HeaderMap;
use percent_encoding::percent_decode_str;

use super::fault::{Misdirected, quoted};
use super::pattern::Found;
use super::upstream::Filling;
use super::{Mapping, Operation, Origin, ProviderRow, path};
use crate::dialect::Dialect;

/// Where a request goes, and what it asks for there.
#[derive(Clone, Debug)]
pub struct Target {
    pub origin: Arc<Origin>,
    /// As it stands in the upstream request line.
    pub path_and_query: String,
    /// As the log shows it: what the caller wrote after the segment, without query.
    pub log_path: String,
    /// `None`: not known; the bytes pass unread.
    pub operation: Option<Arc<Operation>>,
    /// Decoded.
    pub model_in_path: Option<String>,
}

// === impl Target ===

impl Target {
    /// In which language: unknown bytes are raw.
    pub fn dialect(&self) -> Dialect {
        self.operation.as_ref().map_or(Dialect::Raw, |operation| operation.dialect)
    }
}

// === impl ProviderRow ===

impl ProviderRow {
    /// `rest` is what follows the segment and its slash, as received, with the query.
    pub fn target(&self, account: &str, rest: &str, headers: &HeaderMap) -> Result<Target, Misdirected> {
        let (path, query) = split(rest);
        let path = path.trim_start_matches('/');
        path::check(path)?;
        query.map_or(Ok(()), path::check_query)?;
        match self.target_header.as_ref().and_then(|header| header.read(headers)) {
            Some(told) => self.told(told?, path),
            None => self.mapped(account, path, query),
        }
    }

    fn mapped(&self, account: &str, path: &str, query: Option<&str>) -> Result<Target, Misdirected> {
        let (mapping, found) = self.mapping(self.stripped(path)).ok_or_else(|| self.unknown(path))?;
        let filling = Filling { account, found, pattern: &mapping.from };
        // Made even when the settings send everything elsewhere: what could not be mapped is refused all the same.
        let made = mapping.host.as_ref().map(|host| host.origin(&filling)).transpose()?;
        let made = made.filter(|_| !self.base.is_overridden());
        let origin = made.or_else(|| self.base.origin().cloned()).ok_or_else(|| self.unknown(path))?;
        let mut out = String::with_capacity(path.len() + query.map_or(0, str::len) + 64);
        self.base.write(mapping.host.is_none(), &filling, &mut out)?;
        let joint = out.len();
        mapping.path.write(&filling, &mut out)?;
        let joint = joint.min(out.len());
        let joint = self.base.mend(&mut out, joint);
        let mut target = self.finished(origin, out, joint, query, path);
        let named = mapping.model.and_then(|hole| filling.found.get(hole));
        target.model_in_path = target.model_in_path.or_else(|| named.map(decoded));
        Ok(target)
    }

    /// The header names everything; what the path said is only for the log, when the header's path is empty.
    fn told(&self, told: super::target_header::Told<'_>, path: &str) -> Result<Target, Misdirected> {
        let origin = if self.base.is_overridden() { self.base.origin().cloned() } else { None };
        let log_path = if told.path.is_empty() { path } else { told.path };
        let before = self.base.path_elsewhere();
        let out = format!("{before}{}", told.path);
        Ok(self.finished(origin.unwrap_or(told.origin), out, before.len(), told.query, log_path))
    }

    fn finished(
        &self,
        origin: Arc<Origin>,
        mut out: String,
        joint: usize,
        query: Option<&str>,
        log_path: &str,
    ) -> Target {
        if out.is_empty() {
            out.push('/');
        }
        let (operation, model_in_path) = self.operation(out.get(joint..).unwrap_or_default(), query);
        if let Some(query) = query {
            out.push('?');
            out.push_str(query);
        }
        Target { origin, path_and_query: out, log_path: log_path.to_owned(), operation, model_in_path }
    }

    /// Without the first prefix that fits: only whole segments do.
    fn stripped<'a>(&self, path: &'a str) -> &'a str {
        let fits = |prefix: &String| {
            let rest = path.strip_prefix(prefix.as_str())?;
            (rest.is_empty() || rest.starts_with('/')).then_some(rest)
        };
        self.strip_prefixes.iter().find_map(fits).unwrap_or(path).trim_start_matches('/')
    }

    fn mapping<'a>(&self, path: &'a str) -> Option<(&Mapping, Found<'a>)> {
        self.paths.iter().find_map(|mapping| Some((mapping, mapping.from.read(path)?)))
    }

    fn unknown(&self, path: &str) -> Misdirected {
        let known: Vec<&str> = self.paths.iter().map(|mapping| mapping.from.text()).collect();
        let wrong = format!("{} leads nowhere at {}", quoted(path), self.title);
        Misdirected::new("request path", wrong, format!("after /{}/ write {}", self.name, known.join(" or ")))
    }

    fn operation(&self, path: &str, query: Option<&str>) -> (Option<Arc<Operation>>, Option<String>) {
        for operation in &self.operations {
            let Some(found) = operation.pattern.read(path) else { continue };
            let model = match operation.model {
                // A model that is all slashes, or missing, is another path.
                Some(hole) => match found.get(hole).filter(|text| !text.is_empty()) {
                    Some(text) => Some(decoded(text)),
                    None => continue,
                },
                None => operation.model_query.as_ref().and_then(|name| parameter(query?, name)),
            };
            return (Some(operation.clone()), model);
        }
        (None, None)
    }
}

/// Path and query, the latter without its question mark.
pub(super) fn split(rest: &str) -> (&str, Option<&str>) {
    rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)))
}

fn parameter(query: &str, name: &str) -> Option<String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| decoded(value))
}

fn decoded(text: &str) -> String {
    match percent_decode_str(text).decode_utf8() {
        Ok(decoded) => decoded.into_owned(),
        Err(_) => text.to_owned(),
    }
}
