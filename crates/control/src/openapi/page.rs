//! The reference page, docs/api.md.
//!
//! Enters: rows. Leaves: Markdown, each line short enough for a diff. Never: explains: docs/*.md do.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::permission;
use crate::resources::resources;
use crate::row::{Answers, Row};
use crate::shape::{Member, Presence, Shape};

const HEAD: &str = "\
# REST API

Written by `BLESS=1 cargo test -p tollgate-control openapi` from the table of endpoints; a test compares them. The same as OpenAPI 3.1:
[openapi.json](openapi.json), served at `/client/v4/openapi.json`.

Paths are below `/client/v4`, and also work without that prefix (probes only without). Answers are
`{success, errors, messages, result}`; lists add `result_info` (`count`, `page`, `per_page`, `total_count`, `total_pages`), and a page past
the end is empty. A body that is no JSON counts as `{}`; unknown members are dropped; `null` for what is optional means: not set.
Operations that begin with `tollgate-` are not in the original.
";
const LINE_CHARS_MAX: usize = 190;

/// Markdown as it grows.
#[derive(Debug, Default)]
struct Page {
    text: String,
    /// Names whose members were told.
    told: BTreeSet<&'static str>,
}

/// The whole page.
pub fn page() -> String {
    let mut page = Page { text: HEAD.to_owned(), ..Page::default() };
    for (title, rows) in resources() {
        let _ = write!(page.text, "\n## {title}\n");
        rows.iter().for_each(|row| page.endpoint(row));
    }
    page.text
}

// === impl Page ===

impl Page {
    fn endpoint(&mut self, row: &'static Row) {
        let _ = write!(self.text, "\n### {} {}\n\n", row.method, row.path);
        self.paragraph("", &format!("{} {} Operation `{}`.", row.doc, permission(row), row.op));
        self.members("Query", row.query);
        if let Some(shape) = row.body {
            self.described("Body", shape);
        }
        match row.answer {
            Answers::One(shape) => self.described("Result", shape),
            Answers::Page(shape) => self.described("Each of the result", shape),
            Answers::Whole(members) => self.members("Answer", members),
            Answers::Plain(content_type) => self.said(&format!("Answer: `{content_type}`.")),
            Answers::Stored => self.said("Answer: the stored bytes, with the content type they came with."),
        }
    }

    fn described(&mut self, title: &str, shape: &'static Shape) {
        match shape {
            Shape::Object(members) => self.members(title, members),
            Shape::Parts(parts) => {
                for (index, part) in parts.iter().enumerate() {
                    self.members(if index == 0 { title } else { "and" }, part);
                }
            }
            Shape::Named(name, of) if self.told.insert(name) => self.described(&format!("{title}, `{name}`"), of),
            other => self.said(&format!("{title}: {}.", kind(other))),
        }
    }

    fn members(&mut self, title: &str, members: &[Member]) {
        if members.is_empty() {
            return;
        }
        let _ = write!(self.text, "\n{title}:\n\n");
        for member in members {
            let presence = match member.presence {
                Presence::Required => "required",
                Presence::RequiredOrNull => "required, may be null",
                Presence::Optional => "optional",
                Presence::Default(text) => &format!("default `{text}`"),
            };
            let Member { name, shape, doc, .. } = member;
            self.paragraph("- ", &format!("`{name}`: {}, {presence}. {doc}", kind(shape)));
        }
    }

    fn said(&mut self, text: &str) {
        self.text.push('\n');
        self.paragraph("", text);
    }

    /// Broken at spaces, with what follows the first line under it.
    fn paragraph(&mut self, mark: &str, text: &str) {
        let mut line = mark.to_owned();
        for word in text.split(' ') {
            if line.len() > mark.len() && line.len() + 1 + word.len() > LINE_CHARS_MAX {
                let _ = writeln!(self.text, "{line}");
                line = " ".repeat(mark.len());
            } else if line.len() > mark.len() {
                line.push(' ');
            }
            line.push_str(word);
        }
        let _ = writeln!(self.text, "{line}");
    }
}

fn kind(shape: &Shape) -> String {
    match shape {
        Shape::Flag => "boolean".to_owned(),
        Shape::Switch => "boolean, or 0 or 1".to_owned(),
        Shape::Whole { min, max } => format!("integer {min} to {max}"),
        Shape::Positive => "number above 0".to_owned(),
        Shape::Number { .. } => "number".to_owned(),
        Shape::Text { .. } => "text".to_owned(),
        Shape::Url { .. } => "URL".to_owned(),
        Shape::Time => "time".to_owned(),
        Shape::Word(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" or "),
        Shape::List { of, .. } => format!("list of {}", kind(of)),
        Shape::Object(_) | Shape::Parts(_) | Shape::ByMember(..) | Shape::Keys(..) => "object".to_owned(),
        Shape::Map(of) => format!("object, each value: {}", kind(of)),
        Shape::Any => "any JSON".to_owned(),
        Shape::OrNull(of) => format!("{} or null", kind(of)),
        Shape::Some(of) => format!("{}, not empty", kind(of)),
        Shape::Like(of, _) => kind(of),
        Shape::Named(name, _) => format!("`{name}`"),
    }
}
