//! The URL surfaces of the data plane: one table.
//!
//! Enters: a path. Leaves: the row that it belongs to, and whose call it is. Never: decides which methods or models a surface has beyond its row.
//!
//! A row says what a path asks for; how that is read stands in the file of its surface. All of them end in the same stages (`serve`).

pub(crate) mod compat;
pub(crate) mod models;
pub(crate) mod native;
pub(crate) mod rest;
pub(crate) mod run;
pub(crate) mod universal;

use http::Method;
use tollgate_rules::naming::Naming;
use tollgate_wire::dialect::Dialect;
use tollgate_wire::provider::Use;

/// One row.
#[derive(Debug)]
pub(crate) struct Surface {
    pub(crate) host: Host,
    /// Below the host's root: what follows `compat/`, or `ai/`.
    pub(crate) path: &'static str,
    pub(crate) call: Call,
}

/// Which of the original's two hosts this would be: they differ in how a gateway is named, who may call, and how a no is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// `/v1/{account}/{gateway}/...`
    Gateway,
    /// `/client/v4/accounts/{account}/ai/...`
    Rest,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// A provider's own API, bytes through.
    Native,
    /// A model of any provider, in one dialect.
    Unified(Asked),
    /// A list of steps.
    Universal,
    /// A model of any provider, wrapped in an object.
    Run,
    /// What models there are.
    Models,
    /// There is nothing here.
    Nowhere,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) used_for: Use,
    /// The caller's.
    pub(crate) dialect: Dialect,
    /// Wire family, as records name it.
    pub(crate) kind: &'static str,
}

pub(crate) const CHAT: Asked = asked(Use::Chat, Dialect::OpenaiChat, "chat");
pub(crate) const RESPONSES: Asked = asked(Use::Chat, Dialect::OpenaiResponses, "responses");
pub(crate) const MESSAGES: Asked = asked(Use::Chat, Dialect::AnthropicMessages, "messages");
pub(crate) const GENERATE: Asked = asked(Use::Chat, Dialect::Gemini, "generate");
pub(crate) const EMBEDDINGS: Asked = asked(Use::Embeddings, Dialect::OpenaiEmbeddings, "embeddings");
pub(crate) const COUNT_TOKENS: Asked = asked(Use::CountTokens, Dialect::Raw, "count_tokens");

const fn asked(used_for: Use, dialect: Dialect, kind: &'static str) -> Asked {
    Asked { used_for, dialect, kind }
}

// === impl Surface ===

impl Surface {
    const fn gateway(path: &'static str, call: Call) -> Self {
        Self { host: Host::Gateway, path, call }
    }

    const fn rest(path: &'static str, call: Call) -> Self {
        Self { host: Host::Rest, path, call }
    }

    /// Whose words name providers here.
    pub(crate) fn naming(&self) -> Naming {
        match self.host {
            Host::Gateway => Naming::Compat,
            Host::Rest => Naming::Rest,
        }
    }

    /// The one method that this is asked by; `None`: any, since it is the provider's affair.
    pub(crate) fn method(&self) -> Option<Method> {
        match self.call {
            Call::Native | Call::Nowhere => None,
            Call::Models => Some(Method::GET),
            _ => Some(Method::POST),
        }
    }
}

/// The row of a table for this path. SDKs and people write slashes twice, and at the end.
fn find(rows: &'static [Surface], path: &str) -> Option<&'static Surface> {
    let path = path.trim_matches('/');
    rows.iter().find(|row| row.path == path)
}
