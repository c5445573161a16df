//! What a request says about itself at its top level, read without building a tree.
//!
//! Enters: a request body. Leaves: the model it names and whether it asks for a stream.
//! Never: changes a byte, or judges members it does not know.

use memchr::memmem;
use tollgate_model::usage::{Term, Terms};

use crate::dialect::{
    facts::{Facts, Members, Want},
    walk::walk,
};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peek {
    pub model: Option<String>,
    pub stream: bool,
    /// In which way it wants to be served.
    pub terms: Terms,
}

/// Enough to find the fault in someone else's JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: expected {expected}, found {found}")]
pub struct Malformed {
    pub at: &'static str,
    pub expected: &'static str,
    pub found: String,
}

/// Every dialect spells both alike. Members of another type than expected count as missing. A form (`multipart/form-data`) is no JSON and yet not malformed:
/// audio and images are sent that way, and name their model in it.
pub fn peek(body: &[u8]) -> Result<Peek, Malformed> {
    if body.starts_with(b"--") {
        return Ok(peek_form(body));
    }
    let mut found = Facts::default();
    walk(body, WANTED, &mut |facts| found = facts).map_err(|error| Malformed {
        at: "request body",
        expected: "JSON",
        found: error.to_string(),
    })?;
    Ok(Peek { model: found.model, stream: found.stream, terms: found.terms })
}

const WANTED: Members = &[
    ("model", Want::Model),
    ("stream", Want::Stream),
    ("service_tier", Want::Term(Term::Tier)),
    ("serviceTier", Want::Inside(&[("type", Want::Term(Term::Tier))])),
    ("speed", Want::Term(Term::Tier)),
    ("inference_geo", Want::Term(Term::Region)),
    ("size", Want::Term(Term::Size)),
    ("quality", Want::Term(Term::Quality)),
    ("web_search_options", Want::Inside(&[("search_context_size", Want::Term(Term::Depth))])),
];

/// How many characters a text has that is to be read aloud; 0 where there is none.
pub fn letters(body: &[u8]) -> u64 {
    let mut letters = 0;
    let read = walk(body, &[("input", Want::Letters)], &mut |facts| letters = facts.letters);
    read.map_or(0, |()| letters)
}

fn peek_form(body: &[u8]) -> Peek {
    let text = |name| form_field(body, name).and_then(|value| std::str::from_utf8(value).ok());
    let model = text("model").filter(|name| !name.is_empty()).map(str::to_owned);
    let mut terms = Terms::default();
    for (name, term) in [("size", Term::Size), ("quality", Term::Quality)] {
        if let Some(word) = text(name) {
            terms.note(term, word);
        }
    }
    Peek { model, stream: text("stream") == Some("true"), terms }
}

/// A form's field of one line. Fields come before files or after them, so the whole body is searched; that a file holds
/// the same words right at the start of one of its lines is left to chance.
fn form_field<'a>(body: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let at = memmem::find(body, format!("\r\nContent-Disposition: form-data; name=\"{name}\"\r\n").as_bytes())?;
    let part = &body[at + 2..];
    let value = &part[memmem::find(part, b"\r\n\r\n")? + 4..];
    let line = &value[..memmem::find(value, b"\r\n")?];
    (line.len() <= FIELD_BYTES_MAX).then_some(line)
}

const FIELD_BYTES_MAX: usize = 512;
