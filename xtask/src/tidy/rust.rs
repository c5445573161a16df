//! Splits Rust text into code, comments and strings, as far as the rules need it.
//!
//! Enters: the text of a file. Leaves: the same text with comments and strings blanked, and the strings apart.
//! Never: parses the language: a rule that needs more than tokens belongs in clippy.
//!
//! Every blanked byte becomes a space and every newline stays, so places in the views are places in the file.

use std::ops::Range;

pub(super) struct Code {
    /// Without comments and strings.
    pub(super) bare: String,
    /// Without comments, strings and tests: what runs at the user's.
    pub(super) shipped: String,
    /// The string literals of the shipped part.
    pub(super) strings: Vec<Literal>,
}

pub(super) struct Literal {
    /// From the first quote (or its prefix) to the last.
    pub(super) span: Range<usize>,
    /// As written between the quotes, escapes not resolved.
    pub(super) text: String,
}

enum Piece {
    Comment,
    String { open: usize, close: usize },
    Char,
    Code,
}

// === impl Code ===

impl Code {
    pub(super) fn read(text: &str, is_shipped: bool) -> Self {
        let mut bare = text.as_bytes().to_vec();
        let mut strings = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let (piece, end) = next_piece(text.as_bytes(), at);
            match piece {
                Piece::Code => {}
                Piece::Comment | Piece::Char => blank(&mut bare, at..end),
                Piece::String { open, close } => {
                    strings.push(Literal { span: at..end, text: text[at + open..end - close].to_owned() });
                    blank(&mut bare, at..end);
                }
            }
            at = end;
        }
        let mut shipped = bare.clone();
        let tests = if is_shipped { test_modules(&bare) } else { std::iter::once(0..text.len()).collect() };
        for span in tests {
            strings.retain(|literal| !span.contains(&literal.span.start));
            blank(&mut shipped, span);
        }
        Self { bare: ascii(bare), shipped: ascii(shipped), strings }
    }
}

/// The line of a byte, from 1.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// Where `needle` stands as a whole: not as the tail of a longer name.
pub(super) fn places(text: &str, needle: &str) -> Vec<usize> {
    let starts_a_name = needle.starts_with(is_name);
    let mut found: Vec<usize> = text.match_indices(needle).map(|(at, _)| at).collect();
    found.retain(|at| !starts_a_name || !text[..*at].ends_with(is_name));
    found
}

fn is_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

fn blank(bytes: &mut [u8], span: Range<usize>) {
    for byte in &mut bytes[span] {
        if *byte != b'\n' {
            *byte = b' ';
        }
    }
}

/// Letters beyond ASCII only stand in comments and strings; a stray one must not shift the places.
fn ascii(bytes: Vec<u8>) -> String {
    bytes.into_iter().map(|byte| if byte.is_ascii() { byte as char } else { ' ' }).collect()
}

/// What begins at `at`, and where it ends. Always moves on by at least one byte.
fn next_piece(text: &[u8], at: usize) -> (Piece, usize) {
    let rest = &text[at..];
    if rest.starts_with(b"//") {
        return (Piece::Comment, at + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()));
    }
    if rest.starts_with(b"/*") {
        return (Piece::Comment, at + block_comment(rest));
    }
    let inside_a_name = at > 0 && is_name(text[at - 1] as char);
    if let Some((open, hashes)) = string_opening(rest).filter(|(open, _)| *open == 1 || !inside_a_name) {
        let end = open + string_length(&rest[open..], hashes);
        let close = (1 + hashes.unwrap_or(0)).min(end - open);
        return (Piece::String { open, close }, at + end);
    }
    match char_length(rest) {
        Some(length) => (Piece::Char, at + length),
        None => (Piece::Code, at + 1),
    }
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// `"`, `b"`, `c"`, `r"`, `br#"`...: how long the opening is, and how many `#` if it is a raw string.
fn string_opening(rest: &[u8]) -> Option<(usize, Option<usize>)> {
    let prefix = rest.iter().take(2).take_while(|byte| matches!(byte, b'b' | b'c' | b'r')).count();
    let raw = rest[..prefix].ends_with(b"r");
    let hashes = if raw { rest[prefix..].iter().take_while(|byte| **byte == b'#').count() } else { 0 };
    let quoted = rest.get(prefix + hashes) == Some(&b'"');
    quoted.then_some((prefix + hashes + 1, raw.then_some(hashes)))
}

/// How much of `rest`, which begins behind the opening quote, belongs to the string, the closing included.
fn string_length(rest: &[u8], hashes: Option<usize>) -> usize {
    let mut at = 0;
    while at < rest.len() {
        match (rest[at], hashes) {
            (b'\\', None) => at += 1,
            (b'"', None) => return at + 1,
            (b'"', Some(hashes)) if rest[at + 1..].iter().take_while(|byte| **byte == b'#').count() >= hashes => {
                return at + 1 + hashes;
            }
            _ => {}
        }
        at += 1;
    }
    rest.len()
}

/// `'x'` and `'\n'`, but not the lifetime `'a`.
fn char_length(rest: &[u8]) -> Option<usize> {
    let inner = rest.strip_prefix(b"'")?;
    if inner.first() == Some(&b'\\') {
        let close = inner.iter().skip(2).position(|byte| *byte == b'\'')?;
        return Some(close + 4);
    }
    let letter = std::str::from_utf8(&inner[..inner.len().min(4)]).unwrap_or_else(|cut| {
        // The window may cut the letter after ours in two.
        std::str::from_utf8(&inner[..cut.valid_up_to()]).unwrap_or_default()
    });
    let width = letter.chars().next()?.len_utf8();
    (inner.get(width) == Some(&b'\'')).then_some(width + 2)
}

/// The modules and functions behind `#[cfg(test)]`.
fn test_modules(bare: &[u8]) -> Vec<Range<usize>> {
    const MARK: &[u8] = b"#[cfg(test)]";
    let mut found: Vec<Range<usize>> = Vec::new();
    for start in 0..bare.len() {
        if bare[start..].starts_with(MARK) && found.last().is_none_or(|last| last.end <= start) {
            found.push(start..start + item_length(&bare[start..]));
        }
    }
    found
}

/// To the brace that closes the first one opened, or to a `;` before any.
fn item_length(rest: &[u8]) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in rest.iter().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth <= 1 => return at + 1,
            b'}' => depth -= 1,
            b';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    rest.len()
}
