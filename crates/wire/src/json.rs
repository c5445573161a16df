//! Passes over JSON text, value by value, and builds nothing.
//!
//! Enters: JSON text. Leaves: names, strings and numbers as they stand in it, or the place where it stops being JSON (RFC 8259).
//! Never: allocates, recurses, or looks twice at what nobody asked for. Whether the text is UTF-8 it leaves to who reads a string.
//!
//! Why not serde_json's deserializer: every request and every answer is read here, mostly to find out that it is JSON, and most of it is a few long
//! strings. Here these are searched with vector instructions, short ones eight bytes at a time without a call, and no value is built to be dropped.

mod open;
mod plain;

use std::borrow::Cow;
use std::fmt;

use open::{Bracket, Open};
use plain::{escape, plain, special};

/// Where in a text JSON ends: the text has been read up to `left`.
pub(crate) struct Json<'a> {
    whole: usize,
    left: &'a [u8],
}

/// The beginning of a value: all of it, unless it is an object or an array.
pub(crate) enum Token<'a> {
    Object,
    Array,
    Text(Quoted<'a>),
    Number(&'a [u8]),
    Flag(bool),
    Null,
}

/// A string as it stands in the text.
#[derive(Clone, Copy)]
pub(crate) struct Quoted<'a> {
    with_quotes: &'a [u8],
    escaped: bool,
}

/// The text is no JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) struct Fault {
    what: &'static str,
    at: usize,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.what, self.at)
    }
}

/// Whether an element or a member is the first of its array or object: what may stand before it depends on that.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    First,
    Later,
}

// === impl Json ===

impl<'a> Json<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { whole: text.len(), left: text }
    }

    /// The next value, or what opens it.
    pub(crate) fn value(&mut self) -> Result<Token<'a>, Fault> {
        match self.glimpse() {
            Some(b'"') => self.quoted().map(Token::Text),
            Some(b'{') => Ok(self.past(1, Token::Object)),
            Some(b'[') => Ok(self.past(1, Token::Array)),
            Some(b't') => self.word(b"true", Token::Flag(true)),
            Some(b'f') => self.word(b"false", Token::Flag(false)),
            Some(b'n') => self.word(b"null", Token::Null),
            Some(b'-' | b'0'..=b'9') => self.number().map(Token::Number),
            _ => Err(self.fault("no value")),
        }
    }

    /// Inside an object: the next member's name, with its colon; `None` once the object is closed.
    pub(crate) fn name(&mut self, place: Place) -> Result<Option<Quoted<'a>>, Fault> {
        if !self.goes_on(b'}', place)? {
            return Ok(None);
        }
        if self.glimpse() != Some(b'"') {
            return Err(self.fault("no name of a member"));
        }
        let name = self.quoted()?;
        match self.glimpse() {
            Some(b':') => Ok(self.past(1, Some(name))),
            _ => Err(self.fault("no colon after a name")),
        }
    }

    /// Inside an array: whether another element follows.
    pub(crate) fn element(&mut self, place: Place) -> Result<bool, Fault> {
        self.goes_on(b']', place)
    }

    /// Passes over a whole value.
    pub(crate) fn skip(&mut self) -> Result<(), Fault> {
        match self.value()? {
            token @ (Token::Object | Token::Array) => self.skip_rest(&token),
            _ => Ok(()),
        }
    }

    /// Passes over what the token has opened.
    fn skip_rest(&mut self, token: &Token<'_>) -> Result<(), Fault> {
        let mut open = Open::default();
        if !self.enter(token, &mut open)? {
            return Ok(());
        }
        loop {
            let token = self.value()?;
            if self.enter(&token, &mut open)? {
                continue;
            }
            while !self.next_in(open.innermost())? {
                if !open.close() {
                    return Ok(());
                }
            }
        }
    }

    /// Nothing but white space may follow.
    pub(crate) fn end(&mut self) -> Result<(), Fault> {
        if self.glimpse().is_some() { Err(self.fault("more than one value")) } else { Ok(()) }
    }

    pub(crate) fn fault(&self, what: &'static str) -> Fault {
        Fault { what, at: self.whole - self.left.len() }
    }

    /// Whether a value follows in what the token has opened, if it has opened anything.
    fn enter(&mut self, token: &Token<'_>, open: &mut Open) -> Result<bool, Fault> {
        let (bracket, has_some) = match token {
            Token::Object => (Bracket::Object, self.name(Place::First)?.is_some()),
            Token::Array => (Bracket::Array, self.element(Place::First)?),
            _ => return Ok(false),
        };
        if has_some && !open.push(bracket) {
            return Err(self.fault("brackets nested too deeply"));
        }
        Ok(has_some)
    }

    fn next_in(&mut self, bracket: Bracket) -> Result<bool, Fault> {
        match bracket {
            Bracket::Object => Ok(self.name(Place::Later)?.is_some()),
            Bracket::Array => self.element(Place::Later),
        }
    }

    /// Reads a comma or the closing bracket, or neither before the first element.
    fn goes_on(&mut self, closing: u8, place: Place) -> Result<bool, Fault> {
        match (self.glimpse(), place) {
            (Some(found), _) if found == closing => Ok(self.past(1, false)),
            (Some(_), Place::First) => Ok(true),
            (Some(b','), Place::Later) => Ok(self.past(1, true)),
            _ => Err(self.fault("neither a comma nor a closing bracket")),
        }
    }

    /// The first byte that is not white space.
    #[inline]
    fn glimpse(&mut self) -> Option<u8> {
        while let Some((first, rest)) = self.left.split_first() {
            match first {
                b' ' | b'\n' | b'\t' | b'\r' => self.left = rest,
                other => return Some(*other),
            }
        }
        None
    }

    fn past<T>(&mut self, bytes: usize, read: T) -> T {
        self.left = self.left.get(bytes..).unwrap_or_default();
        read
    }

    fn word(&mut self, word: &[u8], token: Token<'a>) -> Result<Token<'a>, Fault> {
        match self.left.starts_with(word) {
            true => Ok(self.past(word.len(), token)),
            false => Err(self.fault("no value")),
        }
    }

    fn number(&mut self) -> Result<&'a [u8], Fault> {
        let text = self.left;
        let whole = usize::from(text.starts_with(b"-"));
        let mut at = match text.get(whole) {
            Some(b'0') => whole + 1,
            _ => self.digits(whole)?,
        };
        if text.get(at) == Some(&b'.') {
            at = self.digits(at + 1)?;
        }
        if matches!(text.get(at), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
            at = self.digits(at + 1 + sign)?;
        }
        Ok(self.past(at, &text[..at]))
    }

    /// Where the digits that begin at `from` end; there has to be one.
    fn digits(&self, from: usize) -> Result<usize, Fault> {
        let digits = self.left.get(from..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 { Err(self.fault("a broken number")) } else { Ok(from + digits) }
    }

    /// A string, whose opening quote comes next. Names, and most words, end within the first few words of the machine.
    fn quoted(&mut self) -> Result<Quoted<'a>, Fault> {
        let mut at = 1;
        let inside = self.left.get(1..).unwrap_or_default();
        for word in inside.as_chunks().0.iter().take(SHORT / 8) {
            let special = special(u64::from_le_bytes(*word));
            if special != 0 {
                at += special.trailing_zeros() as usize / 8;
                if self.left.get(at) == Some(&b'"') {
                    return Ok(self.quoted_up_to(at, false));
                }
                break;
            }
            at += 8;
        }
        self.quoted_from(at)
    }

    /// The same, of which so much is known to be neither an end nor an escape.
    #[inline(never)]
    fn quoted_from(&mut self, mut at: usize) -> Result<Quoted<'a>, Fault> {
        let text = self.left;
        let mut escaped = false;
        loop {
            at += plain(text.get(at..).unwrap_or_default());
            match text.get(at) {
                Some(b'"') => return Ok(self.quoted_up_to(at, escaped)),
                Some(b'\\') => {
                    escaped = true;
                    at +=
                        escape(&text[at..]).ok_or_else(|| self.fault("a string with an escape that does not exist"))?;
                }
                Some(_) => return Err(self.fault("a string with a control character")),
                None => return Err(self.fault("a string without an end")),
            }
        }
    }

    fn quoted_up_to(&mut self, closing: usize, escaped: bool) -> Quoted<'a> {
        let with_quotes = &self.left[..=closing];
        self.past(closing + 1, Quoted { with_quotes, escaped })
    }
}

/// How far strings are looked through word by word, before vector instructions are worth their start.
const SHORT: usize = 32;

// === impl Quoted ===

impl<'a> Quoted<'a> {
    /// `None` when it cannot be said in UTF-8.
    pub(crate) fn text(self) -> Option<Cow<'a, str>> {
        match self.escaped {
            true => serde_json::from_slice::<String>(self.with_quotes).ok().map(Cow::Owned),
            false => std::str::from_utf8(self.inner()).ok().map(Cow::Borrowed),
        }
    }

    /// What stands beside this word in a table.
    pub(crate) fn find<'t, T>(self, table: &'t [(&str, T)]) -> Option<&'t T> {
        let (inner, unescaped);
        let word = match self.escaped {
            true => {
                unescaped = self.text()?;
                unescaped.as_bytes()
            }
            false => {
                inner = self.inner();
                inner
            }
        };
        table.iter().find(|(known, _)| known.as_bytes() == word).map(|(_, found)| found)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.inner().is_empty()
    }

    fn inner(self) -> &'a [u8] {
        &self.with_quotes[1..self.with_quotes.len() - 1]
    }
}

#[cfg(test)]
mod tests;
