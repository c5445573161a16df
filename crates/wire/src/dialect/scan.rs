//! Looks at a frame without parsing it: is there anything in it but text, and how much text?
//!
//! Enters: a frame. Leaves: yes or no, and a number of bytes.
//! Never: allocates, or is wrong in saying that a frame is dull. It may be wrong the other way; the parser then finds nothing.
//!
//! Inside a JSON string a quote is escaped, so `"usage"` with both its quotes can only be a name or a value, never a piece
//! of generated text. That is what makes a search for bytes safe here.

use std::sync::LazyLock;

use memchr::{memchr2, memmem::Finder};

use super::{ALL, Dialect, Dull};

/// A dialect's words, made ready for searching once per process.
#[derive(Debug)]
pub(crate) struct Scanner {
    dull: Test,
    frame_text: Vec<Member>,
    whole_text: Vec<Member>,
}

#[derive(Debug)]
enum Test {
    Never,
    Kinds(&'static [&'static str]),
    Without(Vec<Member>),
}

/// A name in its quotes.
#[derive(Debug)]
struct Member(Finder<'static>);

static SCANNERS: LazyLock<Vec<Scanner>> =
    LazyLock::new(|| ALL.iter().map(|(_, dialect)| Scanner::new(*dialect)).collect());

// === impl Scanner ===

impl Scanner {
    pub(crate) fn of(dialect: Dialect) -> &'static Self {
        &SCANNERS[dialect as usize]
    }

    fn new(dialect: Dialect) -> Self {
        let shape = dialect.shape();
        let dull = match shape.dull {
            Dull::Never => Test::Never,
            Dull::Kinds(kinds) => Test::Kinds(kinds),
            Dull::Without(names) => Test::Without(Member::all(names)),
        };
        Self { dull, frame_text: Member::all(shape.frame_text), whole_text: Member::all(shape.whole_text) }
    }

    /// `kind` is what the framing says; where it says nothing, the JSON's own beginning does.
    pub(crate) fn is_dull(&self, kind: &[u8], data: &[u8]) -> bool {
        match &self.dull {
            Test::Never => false,
            Test::Kinds(kinds) => {
                let kind = if kind.is_empty() { kind_within(data) } else { kind };
                kinds.iter().any(|known| kind.ends_with(known.as_bytes()))
            }
            Test::Without(members) => !members.iter().any(|member| member.says_something(data)),
        }
    }

    /// A frame carries one kind of text, so the first that is found is all there is.
    pub(crate) fn frame_text_bytes(&self, data: &[u8]) -> u64 {
        self.frame_text.iter().map(|member| member.string_bytes(data)).find(|bytes| *bytes > 0).unwrap_or(0)
    }

    pub(crate) fn whole_text_bytes(&self, data: &[u8]) -> u64 {
        self.whole_text.iter().map(|member| member.string_bytes(data)).sum()
    }
}

/// `{"type":"KIND",...` or, with Nova, `{"KIND":{...}}`. Empty when the JSON does not begin like that.
fn kind_within(data: &[u8]) -> &[u8] {
    let Some((name, after)) = data.strip_prefix(b"{").and_then(quoted) else { return b"" };
    if name != b"type" {
        return name;
    }
    let value = after.trim_ascii_start().strip_prefix(b":").and_then(quoted);
    value.map_or(b"", |(kind, _)| kind)
}

/// A string without escapes, and what follows it.
fn quoted(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let data = data.trim_ascii_start().strip_prefix(b"\"")?;
    let end = memchr2(b'"', b'\\', data)?;
    (data[end] == b'"').then(|| (&data[..end], &data[end + 1..]))
}

// === impl Member ===

impl Member {
    fn all(names: &[&str]) -> Vec<Self> {
        names.iter().map(|name| Self(Finder::new(&format!("\"{name}\"")).into_owned())).collect()
    }

    /// Is there such a member with a value other than null and false?
    fn says_something(&self, data: &[u8]) -> bool {
        let mut rest = data;
        while let Some(at) = self.0.find(rest) {
            rest = rest[at + self.0.needle().len()..].trim_ascii_start();
            let value = rest.strip_prefix(b":").map(<[u8]>::trim_ascii_start);
            if !value.is_some_and(|value| value.starts_with(b"null") || value.starts_with(b"false")) {
                return true;
            }
        }
        false
    }

    /// Bytes of text in all strings that are values of such a member.
    fn string_bytes(&self, data: &[u8]) -> u64 {
        let mut rest = data;
        let mut bytes = 0;
        while let Some(at) = self.0.find(rest) {
            rest = rest[at + self.0.needle().len()..].trim_ascii_start();
            let Some(value) = rest.strip_prefix(b":") else { continue };
            let Some(text) = value.trim_ascii_start().strip_prefix(b"\"") else { continue };
            let (length, after) = text_length(text);
            bytes += length;
            rest = after;
        }
        bytes
    }
}

/// How long the string that begins here is once its escapes are undone, near enough: `\n` is one byte, and `\u` with its
/// four digits is the three of most letters beyond Latin. The second value follows the closing quote.
fn text_length(text: &[u8]) -> (u64, &[u8]) {
    let (mut rest, mut bytes) = (text, 0);
    loop {
        let Some(at) = memchr2(b'"', b'\\', rest) else { return (bytes + rest.len() as u64, b"") };
        bytes += at as u64;
        if rest[at] == b'"' {
            return (bytes, &rest[at + 1..]);
        }
        let (escaped, length) = if rest.get(at + 1) == Some(&b'u') { (3, 6) } else { (1, 2) };
        bytes += escaped;
        rest = rest.get(at + length..).unwrap_or_default();
    }
}
