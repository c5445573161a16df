//! A server somewhere else, as the command line talks to it: the REST API with a token.
//!
//! Enters: `--url`, `--token` or their environment variables. Leaves: what the server answered. Never: follows a redirect with the token, or sends it in
//! the clear beyond private networks.

use std::sync::Arc;

use anyhow::Context;
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde_json::Value;
use tollgate_dial::{Client, Limits, Resolver, TlsRoots};
use tollgate_rules::egress::Egress;

use super::config::PATIENCE;

const ANSWER_BYTES_MAX: usize = 64 << 20;
/// Any well-formed account means the one of the installation, unless the server names its own.
const ACCOUNT: &str = "local";

pub(crate) struct Remote {
    base: String,
    token: String,
    account: String,
}

/// An answer in the envelope.
pub(crate) struct Said {
    status: StatusCode,
    body: Value,
}

// === impl Remote ===

impl Remote {
    pub(crate) fn new(url: &str, token: Option<&str>, account: Option<&str>) -> anyhow::Result<Self> {
        let token =
            token.context("a server asks for a token: set TOLLGATE_TOKEN (`tollgate token create` makes one)")?;
        let base = url.trim_end_matches('/').trim_end_matches("/client/v4").to_owned();
        let is_http = base.starts_with("http://") || base.starts_with("https://");
        anyhow::ensure!(is_http, "--url begins with https:// or http://, found {url:?}");
        Ok(Self { base, token: token.to_owned(), account: account.unwrap_or(ACCOUNT).to_owned() })
    }

    pub(crate) fn get(&self, path: &str) -> anyhow::Result<Said> {
        self.ask(Method::GET, path, None)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> anyhow::Result<Said> {
        self.ask(Method::POST, path, Some(body))
    }

    /// Below the account's AI gateway.
    pub(crate) fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Said> {
        let path = format!("/accounts/{}/ai-gateway/{path}", self.account);
        let (status, bytes) = self.send(method, &path, body)?;
        let body = serde_json::from_slice(&bytes);
        let body = body.with_context(|| format!("{} answered {status}, and no JSON: is it a Tollgate?", self.base))?;
        Ok(Said { status, body })
    }

    /// An answer without an envelope.
    pub(crate) fn text(&self, path: &str) -> anyhow::Result<String> {
        let path = format!("/accounts/{}/ai-gateway/{path}", self.account);
        let (status, bytes) = self.send(Method::GET, &path, None)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        match status.is_success() {
            true => Ok(text),
            false => Err(Said { status, body: serde_json::from_str(&text).unwrap_or_default() }.into_error("")),
        }
    }

    /// Any path of the API, and the answer as it came.
    pub(crate) fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<(StatusCode, String)> {
        let (status, bytes) = self.send(method, path, body)?;
        Ok((status, String::from_utf8_lossy(&bytes).into_owned()))
    }

    pub(crate) fn account(&self) -> &str {
        &self.account
    }

    fn send(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<(StatusCode, Bytes)> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}/client/v4{path}", self.base))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .body(body.map(|body| Bytes::from(body.to_string())).unwrap_or_default())
            .context("--url or the token cannot stand in a request")?;
        // Whoever types a command may reach what this machine can reach; in the clear only what is private.
        let anywhere = [
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "127.0.0.0/8",
            "100.64.0.0/10",
            "::1/128",
            "fc00::/7",
            "fe80::/10",
        ];
        let allow_private = anywhere.iter().filter_map(|range| range.parse().ok()).collect();
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let client = Client::new(Arc::new(Egress { allow_private }), TlsRoots::System, Resolver::System);
        let limits = Limits { total: PATIENCE, body_bytes_max: ANSWER_BYTES_MAX };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let answer = runtime.block_on(client.send(request, limits));
        let answer = answer.with_context(|| format!("cannot reach {}: does it run, and is --url right?", self.base))?;
        let (head, bytes) = answer.into_parts();
        Ok((head.status, bytes))
    }
}

// === impl Said ===

impl Said {
    pub(crate) fn result(mut self) -> Result<Value, Self> {
        if self.status.is_success() { Ok(self.body["result"].take()) } else { Err(self) }
    }

    /// What was asked for is wrong, rather than who asked.
    pub(crate) fn is_invalid(&self) -> bool {
        self.status == StatusCode::BAD_REQUEST
    }

    pub(crate) fn errors(&self) -> Vec<Value> {
        self.body["errors"].as_array().cloned().unwrap_or_default()
    }

    /// What went wrong, and what can be done about it.
    pub(crate) fn into_error(self, hint: &str) -> anyhow::Error {
        let errors = self.errors();
        let said: Vec<&str> = errors.iter().filter_map(|error| error["message"].as_str()).collect();
        let hint = match self.status {
            StatusCode::UNAUTHORIZED => "the token is not known (any more): set TOLLGATE_TOKEN",
            StatusCode::FORBIDDEN => "the token may not: one with the permission `admin` may",
            _ => hint,
        };
        let status = self.status.as_u16();
        match hint.is_empty() {
            true => anyhow::anyhow!("the server said {status}: {}", said.join("; ")),
            false => anyhow::anyhow!("the server said {status}: {}\n{hint}", said.join("; ")),
        }
    }
}
