//! Turns a row as it is written into one that maps requests.
//!
//! Enters: a segment and a `RawRow`. Leaves: a `ProviderRow`, or the field that is wrong. Never: lets half a row through.

use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};

use super::base::Base;
use super::fault::{BadRow, quoted};
use super::pattern::Pattern;
use super::quirk::Quirk;
use super::raw::{RawAuth, RawAuthKind, RawOperation, RawPath, RawRow, RawValue};
use super::target_header::TargetHeader;
use super::upstream::{Host, PathTemplate};
use super::url::Url;
use super::{Auth, Mapping, Operation, ProviderRow, Value};
use crate::dialect::{self, Dialect};

const EVERYTHING: &str = "{rest*}";

// === impl ProviderRow ===

impl ProviderRow {
    pub fn compile(segment: &str, raw: &RawRow) -> Result<Self, BadRow> {
        check_segment(segment)?;
        let base = Base::compile(raw.base_url.as_deref())?;
        let auth = auth(&raw.auth)?;
        let row = Self {
            name: segment.into(),
            title: raw.title.clone(),
            docs: raw.docs.clone(),
            key_env: raw.key_env.clone(),
            compat_prefix: raw.compat_prefix.clone(),
            rest_author: raw.rest_author.clone(),
            credential_headers: credential_headers(&auth, &raw.credential_headers)?,
            credential_query: raw.credential_query.clone(),
            own_headers: raw.own_headers.iter().map(|name| own_header(name)).collect::<Result<_, _>>()?,
            strip_prefixes: strip_prefixes(&raw.strip_prefixes)?,
            paths: paths(&raw.paths, base.is_given())?,
            target_header: raw.target_header.as_ref().map(TargetHeader::compile).transpose()?,
            operations: operations(&raw.operations)?,
            reaches: Vec::new(),
            values: raw.values.iter().map(value).collect(),
            headers: raw.headers.iter().map(required_header).collect::<Result<_, _>>()?,
            fixed_headers: Vec::new(),
            bare_models: raw.bare_models.clone(),
            model_dots: raw.model_dots.clone(),
            never_withheld: raw.never_withheld,
            quirks: raw.quirks.iter().map(Quirk::compile).collect::<Result<_, _>>()?,
            auth,
            base,
        };
        row.with_reach(&raw.reach)
    }
}

fn value((name, raw): (&String, &RawValue)) -> (String, Value) {
    (name.clone(), Value { env: raw.env.clone(), text: raw.default.clone(), names_owner: raw.names_owner })
}

fn required_header((name, value): (&String, &String)) -> Result<(HeaderName, HeaderValue), BadRow> {
    let value = HeaderValue::try_from(value)
        .map_err(|_| BadRow::new("headers", format!("{} cannot stand in a header", quoted(value)), "correct it"))?;
    Ok((header("headers", name)?, value))
}

fn check_segment(segment: &str) -> Result<(), BadRow> {
    // Upper case is for providers that operators name; `cargo xtask tidy` keeps it out of the catalog.
    let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if !segment.is_empty() && segment.bytes().all(known) {
        return Ok(());
    }
    Err(BadRow::new(
        "segment",
        format!("{} cannot stand in a URL as it is", quoted(segment)),
        "use letters, digits and hyphens",
    ))
}

fn auth(raw: &RawAuth) -> Result<Auth, BadRow> {
    let name =
        || raw.name.as_deref().ok_or_else(|| BadRow::new("auth.name", "is missing", "name the header or parameter"));
    if raw.name.is_some() && !matches!(raw.kind, RawAuthKind::Header | RawAuthKind::Query) {
        return Err(BadRow::new("auth.name", "means nothing for this kind", "remove it"));
    }
    if raw.prefix.is_some() && raw.kind != RawAuthKind::Header {
        return Err(BadRow::new("auth.prefix", "means nothing for this kind", "remove it"));
    }
    if !raw.services.is_empty() && raw.kind != RawAuthKind::Sigv4 {
        return Err(BadRow::new("auth.services", "means nothing for this kind", "remove it"));
    }
    Ok(match raw.kind {
        RawAuthKind::Bearer => Auth::Bearer,
        RawAuthKind::Header => {
            Auth::Header { name: header("auth.name", name()?)?, prefix: raw.prefix.clone().unwrap_or_default() }
        }
        RawAuthKind::Query => Auth::Query { name: name()?.to_owned() },
        RawAuthKind::Sigv4 => Auth::Sigv4 { services: raw.services.clone() },
        RawAuthKind::Google => Auth::Google,
        RawAuthKind::None => Auth::None,
    })
}

fn header(field: &str, name: &str) -> Result<HeaderName, BadRow> {
    HeaderName::try_from(name)
        .map_err(|_| BadRow::new(field, format!("{} is no header name", quoted(name)), "correct it"))
}

/// Only what is named for us, or a row could ask for what the header policy keeps back from everybody: gateway tokens, cookies.
fn own_header(name: &str) -> Result<HeaderName, BadRow> {
    let name = header("own_headers", name)?;
    if name.as_str().starts_with("tollgate-") {
        return Ok(name);
    }
    Err(BadRow::new("own_headers", format!("{} is not one of ours", quoted(name.as_str())), "name it `tollgate-...`"))
}

/// `authorization` is always among them: SDKs put keys and gateway tokens there whatever the provider prefers.
fn credential_headers(auth: &Auth, more: &[String]) -> Result<Vec<HeaderName>, BadRow> {
    let mut names = vec![AUTHORIZATION];
    if let Auth::Header { name, .. } = auth {
        names.push(name.clone());
    }
    for name in more {
        names.push(header("credential_headers", name)?);
    }
    let mut unique = Vec::with_capacity(names.len());
    for name in names {
        if !unique.contains(&name) {
            unique.push(name);
        }
    }
    Ok(unique)
}

/// Kept without their last slash.
fn strip_prefixes(raw: &[String]) -> Result<Vec<String>, BadRow> {
    let read = |prefix: &String| match prefix.strip_suffix('/') {
        Some(inner) if !inner.is_empty() && !inner.starts_with('/') => Ok(inner.to_owned()),
        _ => Err(BadRow::new(
            "strip_prefixes",
            format!("{} is not whole segments", quoted(prefix)),
            "write it like `v1/`",
        )),
    };
    raw.iter().map(read).collect()
}

fn paths(raw: &[RawPath], has_base: bool) -> Result<Vec<Mapping>, BadRow> {
    let everything = [RawPath { from: EVERYTHING.to_owned(), to: "{rest}".to_owned() }];
    let raw = if raw.is_empty() { &everything } else { raw };
    raw.iter().map(|path| mapping(path, has_base)).collect()
}

fn mapping(raw: &RawPath, has_base: bool) -> Result<Mapping, BadRow> {
    let from = Pattern::compile(&raw.from).map_err(|fault| fault.within("paths.from"))?;
    let model = from.hole_named("model");
    let to = |fault: BadRow| fault.within("paths.to");
    if raw.to.contains("://") {
        let url = Url::cut(&raw.to).map_err(to)?;
        let host = Host::compile(&url, Some(&from)).map_err(to)?;
        let path = PathTemplate::compile(url.rest, Some(&from)).map_err(to)?;
        return Ok(Mapping { from, host: Some(host), path, model });
    }
    if !has_base {
        return Err(BadRow::new(
            "base_url",
            format!("is missing, and {} names no host", quoted(&raw.to)),
            "give one of them",
        ));
    }
    let path = PathTemplate::compile(&raw.to, Some(&from)).map_err(to)?;
    Ok(Mapping { from, host: None, path, model })
}

fn operations(raw: &[RawOperation]) -> Result<Vec<Arc<Operation>>, BadRow> {
    raw.iter().map(|operation| self::operation(operation).map(Arc::new)).collect()
}

fn operation(raw: &RawOperation) -> Result<Operation, BadRow> {
    let pattern = Pattern::compile(&raw.path).map_err(|fault| fault.within("operations.path"))?;
    Ok(Operation {
        name: raw.name.as_str().into(),
        dialect: dialect("operations.dialect", &raw.dialect)?,
        model: pattern.hole_named("model"),
        model_query: raw.model_query.clone(),
        pattern,
    })
}

pub(super) fn dialect(field: &str, name: &str) -> Result<Dialect, BadRow> {
    Dialect::from_name(name).ok_or_else(|| {
        let known: Vec<&str> = dialect::ALL.iter().map(|(name, _)| *name).collect();
        BadRow::new(field, format!("{} is not known", quoted(name)), format!("use one of {}", known.join(", ")))
    })
}
