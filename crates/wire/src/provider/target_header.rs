//! Reads a header that names a request's whole target, as one provider's SDK sends it to proxies.
//!
//! Enters: the header's value. Leaves: origin, path and query. Never: leads anywhere but to the hosts that the row lists, by https.

use std::sync::Arc;

use http::{HeaderMap, HeaderName};

use super::Origin;
use super::fault::{BadRow, Misdirected, quoted};
use super::path;
use super::raw::RawTargetHeader;
use super::url::Url;

#[derive(Clone, Debug)]
pub(super) struct TargetHeader {
    name: HeaderName,
    hosts: Vec<String>,
}

/// Where the header leads: a path without leading slash, and the query.
pub(super) struct Told<'a> {
    pub(super) origin: Arc<Origin>,
    pub(super) path: &'a str,
    pub(super) query: Option<&'a str>,
}

// === impl TargetHeader ===

impl TargetHeader {
    pub(super) fn compile(raw: &RawTargetHeader) -> Result<Self, BadRow> {
        let name = HeaderName::try_from(raw.name.as_str()).map_err(|_| {
            BadRow::new("target_header.name", format!("{} is no header name", quoted(&raw.name)), "write one")
        })?;
        let fault = |host: &String| {
            let wrong = format!("{} is no host of at least two labels", quoted(host));
            BadRow::new("target_header.hosts", wrong, "write `host.example` or `*.host.example`")
        };
        match raw.hosts.iter().find(|host| !is_listable(host)) {
            Some(host) => Err(fault(host)),
            None => Ok(Self { name, hosts: raw.hosts.clone() }),
        }
    }

    pub(super) fn read<'a>(&self, headers: &'a HeaderMap) -> Option<Result<Told<'a>, Misdirected>> {
        headers.get(&self.name).map(|value| self.told(value.to_str().unwrap_or_default()))
    }

    fn told<'a>(&self, text: &'a str) -> Result<Told<'a>, Misdirected> {
        let wrong = |wrong: &str| {
            let hosts = self.hosts.join(", ");
            Misdirected::new(
                self.name.as_str(),
                format!("{} {wrong}", quoted(text)),
                format!("write an https URL on {hosts}"),
            )
        };
        let url = Url::cut(text).map_err(|_| wrong("is no plain URL"))?;
        if url.scheme != "https" || url.port_or_usual() != 443 {
            return Err(wrong("is not https on its usual port"));
        }
        let host = url.host.to_ascii_lowercase();
        if !self.hosts.iter().any(|known| is_on(known, &host)) {
            return Err(wrong("leads to another host"));
        }
        let (path, query) = super::target::split(url.rest);
        path::check(path)
            .and_then(|()| query.map_or(Ok(()), path::check_query))
            .map_err(|cause| wrong(&cause.to_string()))?;
        let origin = Arc::new(Origin { scheme: "https".to_owned(), host, port: 443 });
        Ok(Told { origin, path, query })
    }
}

fn is_listable(host: &str) -> bool {
    let name = host.strip_prefix("*.").unwrap_or(host);
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
    name.contains('.') && name.bytes().all(known) && !name.split('.').any(str::is_empty)
}

fn is_on(known: &str, host: &str) -> bool {
    match known.strip_prefix('*') {
        Some(domain) => host.len() > domain.len() && host.ends_with(domain),
        None => host == known,
    }
}
