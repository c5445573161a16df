//! One line of the table of endpoints.
//!
//! Enters: what a resource declares about an endpoint. Leaves: everything that is made from it: a route, a permission, a page of the manual, an
//! operation of the OpenAPI document. Never: a row that anyone may call by omission: [`Access`] has no default, and what is open sees nothing of the desk.

use http::Method;

use crate::answer::Answer;
use crate::call::Call;
use crate::problem::Problem;
use crate::router::Public;
use crate::shape::{Member, Shape};

pub use crate::authorize::Needs;

pub type Handler = fn(&Call) -> Result<Answer, Problem>;
pub type OpenHandler = fn(&Public) -> Answer;

#[derive(Debug)]
pub struct Row {
    pub method: Method,
    /// Served below [`PREFIX`] and without it, unless it is open.
    pub path: &'static str,
    /// The operation's name in the OpenAPI document: the original's where it has one, else it begins with `tollgate-`.
    pub op: &'static str,
    pub access: Access,
    /// The manual: rendered to the reference page.
    pub doc: &'static str,
    /// Every parameter that the handler reads. Debug builds refuse to read another.
    pub query: &'static [Member],
    /// Only where there is one is a body read at all.
    pub body: Option<&'static Shape>,
    /// A longer body is refused. Where it is more than [`BODY_BYTES_MAX`], the token is judged before the body is read.
    pub body_bytes_max: usize,
    pub answer: Answers,
    /// The handler itself shows and changes only what the caller's token is for: a token of some gateways may call it although no gateway is in its path.
    pub narrowed: bool,
    /// Why a success of a method that changes things leaves no entry in the audit log. `None`: it leaves one, and a test proves it.
    pub unaudited: Option<&'static str>,
    /// How a shell says it; without one only `tollgate api` can.
    pub verb: Option<Verb>,
}

/// `tollgate dataset list`: a noun, and what is done with it.
#[derive(Clone, Copy, Debug)]
pub struct Verb {
    pub noun: &'static str,
    pub name: &'static str,
    /// Of a list for people: which members are its columns.
    pub columns: &'static [&'static str],
    /// JSON for the members of a body that a shell need not say.
    pub fills: &'static str,
}

/// More settings of one thing than anyone writes.
pub const BODY_BYTES_MAX: usize = 1 << 20;

#[derive(Clone, Copy, Debug)]
pub enum Access {
    /// Runs for callers whose token is enough, on a thread that may wait.
    Guarded(Needs, Handler),
    /// Runs for anyone, at once.
    Open(OpenHandler),
    /// Open where only this machine can ask; beyond loopback it needs a token.
    OpenOnLoopback(Needs, OpenHandler),
}

/// What a good answer holds.
#[derive(Clone, Copy, Debug)]
pub enum Answers {
    /// `result` is this.
    One(&'static Shape),
    /// `result` is a page of these, `result_info` says which.
    Page(&'static Shape),
    /// Members of the envelope itself.
    Whole(&'static [Member]),
    /// No envelope: this content type.
    Plain(&'static str),
    /// No envelope: bytes as they were stored, of whatever type they came with.
    Stored,
}

/// Open, yet served below the prefix too: it describes what is there.
pub(crate) const OPENAPI: &str = "/openapi.json";

/// Where the original's clients expect the API.
pub const PREFIX: &str = "/client/v4";

/// An endpoint's method, path, operation, who may, and what it is for: none of them can be left out.
pub(crate) const fn row(
    method: Method,
    path: &'static str,
    op: &'static str,
    access: Access,
    answer: Answers,
    doc: &'static str,
) -> Row {
    let body_bytes_max = BODY_BYTES_MAX;
    Row {
        method,
        path,
        op,
        access,
        doc,
        query: &[],
        body: None,
        body_bytes_max,
        answer,
        narrowed: false,
        unaudited: None,
        verb: None,
    }
}

pub(crate) const fn get(
    path: &'static str,
    op: &'static str,
    access: Access,
    answer: Answers,
    doc: &'static str,
) -> Row {
    row(Method::GET, path, op, access, answer, doc)
}

// === impl Row ===

impl Row {
    pub(crate) const fn query(mut self, members: &'static [Member]) -> Self {
        self.query = members;
        self
    }

    pub(crate) const fn body(mut self, shape: &'static Shape) -> Self {
        self.body = Some(shape);
        self
    }

    pub(crate) const fn body_up_to(mut self, bytes_max: usize) -> Self {
        self.body_bytes_max = bytes_max;
        self
    }

    pub(crate) const fn said(mut self, noun: &'static str, name: &'static str) -> Self {
        self.verb = Some(Verb { noun, name, columns: &[], fills: "{}" });
        self
    }

    pub(crate) const fn columns(mut self, columns: &'static [&'static str]) -> Self {
        if let Some(verb) = &mut self.verb {
            verb.columns = columns;
        }
        self
    }

    pub(crate) const fn fills(mut self, fills: &'static str) -> Self {
        if let Some(verb) = &mut self.verb {
            verb.fills = fills;
        }
        self
    }

    pub(crate) const fn narrowed(mut self) -> Self {
        self.narrowed = true;
        self
    }

    pub(crate) const fn unaudited(mut self, why: &'static str) -> Self {
        self.unaudited = Some(why);
        self
    }

    /// All paths it answers to; one trailing slash is tolerated.
    pub fn paths(&self) -> Vec<String> {
        let prefixes: &[&str] = if self.is_of_the_api() { &["", PREFIX] } else { &[""] };
        let both = |prefix: &&str| {
            let path = format!("{prefix}{}", self.path);
            if self.path == "/" { vec![path] } else { vec![format!("{path}/"), path] }
        };
        prefixes.iter().flat_map(both).collect()
    }

    /// Pages and probes beside it have no prefix.
    pub fn is_of_the_api(&self) -> bool {
        matches!(self.access, Access::Guarded(..)) || self.path == OPENAPI
    }
}
