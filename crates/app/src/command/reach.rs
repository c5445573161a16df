//! Where a command works: on the data directory of this machine, or on a server.
//!
//! Enters: a row of the table of endpoints, what its path names, a query, a body. Leaves: what the row answers: both ways the same handler made it.
//! Never: falls back from one to the other.

mod here;

use anyhow::Context;
use http::StatusCode;
use serde_json::Value;
use tollgate_control::resources::rows;
use tollgate_control::row::Row;

pub(crate) use here::Here;

use super::nouns::told;
use super::remote::Remote;

/// Names and values, of a path or of a query.
pub(crate) type Pairs = Vec<(String, String)>;

pub(crate) enum Reach {
    Here(Box<Here>),
    There(Remote),
}

/// An answer in the envelope, or text when it has none.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: StatusCode,
    pub(crate) text: String,
    pub(crate) body: Value,
}

// === impl Reach ===

impl Reach {
    pub(crate) fn ask(
        &self,
        row: &'static Row,
        path: &Pairs,
        query: &Pairs,
        body: Option<&Value>,
    ) -> anyhow::Result<Said> {
        let written: Vec<String> =
            query.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        let query = written.join("&");
        let (status, text) = match self {
            Self::Here(here) => here.ask(row, path, &query, body)?,
            Self::There(remote) => {
                let mut to = row.path.replace("{account}", &encoded(remote.account()));
                for (name, value) in path {
                    to = to.replace(&format!("{{{name}}}"), &encoded(value));
                }
                let to = if query.is_empty() { to } else { format!("{to}?{query}") };
                remote.call(row.method.clone(), &to, body).map_err(told::unreachable)?
            }
        };
        let body = serde_json::from_str(&text).unwrap_or_default();
        Ok(Said { status, text, body })
    }

    /// `result` of an operation, for a command that is more than a row of the table.
    pub(crate) fn result(
        &self,
        op: &str,
        path: &[(&str, &str)],
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let row = operation(op)?;
        let owned = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Pairs>()
        };
        let path = owned(path);
        let said = self.ask(row, &path, &owned(query), body)?;
        if said.status.is_success() { Ok(said.result()) } else { Err(told::failed(self, row, &path, &said)) }
    }
}

pub(crate) fn operation(op: &str) -> anyhow::Result<&'static Row> {
    rows().find(|row| row.op == op).with_context(|| format!("there is no operation {op:?}"))
}

// === impl Said ===

impl Said {
    /// Some answers have their members beside the envelope's.
    pub(crate) fn result(mut self) -> Value {
        for name in ["success", "errors", "messages"] {
            self.body.as_object_mut().map(|body| body.remove(name));
        }
        match self.body.get_mut("result") {
            Some(result) => result.take(),
            None => self.body,
        }
    }
}

/// Everything but what no URL reads otherwise.
pub(crate) fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
