//! Looks at a frame without parsing it: is there anything in it but text, and how much text?
//!
//! Enters: a frame. Leaves: yes or no, and a number of bytes.
//! Never: allocates, or passes over a frame that has something to say. It may take a dull one for more; the parser then finds
//! nothing.
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
    Search { parse: Vec<Member>, hold: Vec<Member> },
}

/// What to do with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    Parse,
    /// Only if no later frame takes its place.
    Hold,
    Pass,
}

/// A name in its quotes.
#[derive(Debug)]
struct Member(Finder<'static>);

static SCANNERS: LazyLock<Vec<Scanner>> =
    LazyLock::new(|| ALL.iter().map(|(_, dialect)| Scanner::new(*dialect)).collect());

/// How values begin that say nothing.
const NOTHING: [&[u8]; 5] = [b"null", b"false", b"{}", b"[]", b"\"\""];

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
            Dull::Search { parse, hold } => Test::Search { parse: Member::all(parse), hold: Member::all(hold) },
        };
        Self { dull, frame_text: Member::all(shape.frame_text), whole_text: Member::all(shape.whole_text) }
    }

    /// `kind` is what the framing says; where it says nothing, the JSON's own beginning does.
    pub(crate) fn look(&self, kind: &[u8], data: &[u8]) -> Look {
        match &self.dull {
            Test::Never => Look::Parse,
            Test::Kinds(kinds) => {
                let kind = if kind.is_empty() { kind_within(data) } else { kind };
                let dull = kinds.iter().any(|known| kind.ends_with(known.as_bytes()));
                if dull { Look::Pass } else { Look::Parse }
            }
            Test::Search { parse, .. } if parse.iter().any(|member| member.says_something(data)) => Look::Parse,
            Test::Search { hold, .. } if hold.iter().any(|member| member.is_object(data)) => Look::Hold,
            Test::Search { .. } => Look::Pass,
        }
    }

    /// Does [`Self::look`] search the whole frame?
    pub(crate) fn searches(&self) -> bool {
        matches!(self.dull, Test::Search { .. })
    }

    /// A frame carries one kind of text, so the first that is found is all there is.
    pub(crate) fn frame_text_bytes(&self, data: &[u8]) -> u64 {
        self.frame_text
            .iter()
            .map(|member| member.strings(data).map(|text| text.bytes).sum())
            .find(|bytes| *bytes > 0)
            .unwrap_or(0)
    }

    /// Where the first of it is.
    pub(crate) fn frame_text(&self, data: &[u8]) -> Option<Text> {
        self.frame_text.iter().find_map(|member| member.strings(data).find(|text| text.bytes > 0))
    }

    pub(crate) fn whole_text_bytes(&self, data: &[u8]) -> u64 {
        self.whole_text.iter().flat_map(|member| member.strings(data)).map(|text| text.bytes).sum()
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

    /// What follows each place where the name stands: a colon and a value, or, where it is a value itself, neither.
    fn followers<'a>(&'a self, data: &'a [u8]) -> impl Iterator<Item = &'a [u8]> + 'a {
        self.0.find_iter(data).map(|at| data[at + self.0.needle().len()..].trim_ascii_start())
    }

    /// Is there such a member with a value that is more than nothing? Where the name is a value, the answer is yes: for
    /// `"object":"error"` it matters, and elsewhere a frame is parsed in vain.
    fn says_something(&self, data: &[u8]) -> bool {
        self.followers(data).any(|after| {
            let value = after.strip_prefix(b":").map(<[u8]>::trim_ascii_start);
            !value.is_some_and(|value| NOTHING.iter().any(|nothing| value.starts_with(nothing)))
        })
    }

    /// Is there such a member, and is it an object that is not empty? Here a vain yes would push out a frame that is held.
    fn is_object(&self, data: &[u8]) -> bool {
        self.followers(data).any(|after| {
            let value = after.strip_prefix(b":").map(<[u8]>::trim_ascii_start);
            value.is_some_and(|value| value.starts_with(b"{") && !value.starts_with(b"{}"))
        })
    }

    /// All strings that are values of such a member.
    fn strings<'a>(&'a self, data: &'a [u8]) -> impl Iterator<Item = Text> + 'a {
        let mut from = 0;
        std::iter::from_fn(move || {
            loop {
                from += self.0.find(&data[from..])? + self.0.needle().len();
                let value = data[from..].trim_ascii_start().strip_prefix(b":").map(<[u8]>::trim_ascii_start);
                let Some(text) = value.and_then(|value| value.strip_prefix(b"\"")) else { continue };
                let (bytes, length) = text_length(text)?;
                let start = data.len() - text.len();
                from = start + length;
                return Some(Text { start, end: from, bytes });
            }
        })
    }
}

/// A string within a frame: between its quotes, and how long it is once its escapes are undone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) bytes: u64,
}

/// How long the string that begins here is once its escapes are undone, near enough: `\n` is one byte, and `\u` with its
/// four digits is the three of most letters beyond Latin; and where its closing quote is. `None` when it has none.
pub(super) fn text_length(text: &[u8]) -> Option<(u64, usize)> {
    let (mut at, mut saved) = (0, 0);
    loop {
        at += memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(((at - saved) as u64, at));
        }
        let (escaped, length) = if text.get(at + 1) == Some(&b'u') { (3, 6) } else { (1, 2) };
        saved += length - escaped;
        at += length;
    }
}
