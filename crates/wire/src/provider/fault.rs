//! What can be wrong with a request's direction, or with a row.
//!
//! Enters: a place, what is wrong there, what to do instead. Leaves: one sentence. Never: quotes more than a line of what was sent.

use std::borrow::Cow;
use std::fmt;

/// A request that leads nowhere it may go. The caller is wrong, and the text may be shown to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misdirected(Box<Sentence>);

/// A row, or a base URL in the settings, that cannot be used. Whoever wrote it is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow(Box<Sentence>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Sentence {
    place: String,
    wrong: String,
    instead: String,
}

/// Of somebody else's text, so many characters are repeated.
const QUOTED_CHARS_MAX: usize = 80;

pub(super) fn quoted(text: &str) -> String {
    let text = &without_userinfo(text);
    let mut start: String = text.chars().take(QUOTED_CHARS_MAX).flat_map(char::escape_debug).collect();
    if text.chars().nth(QUOTED_CHARS_MAX).is_some() {
        start.push('…');
    }
    format!("`{start}`")
}

/// A URL may hold a password. All that stands before its last `@` may be one, also where a `/` in it was not escaped.
fn without_userinfo(text: &str) -> Cow<'_, str> {
    let Some((before, host)) = text.rsplit_once('@') else { return Cow::Borrowed(text) };
    let scheme = before.find("://").map_or("", |end| &before[..end + 3]);
    Cow::Owned(format!("{scheme}***@{host}"))
}

// === impl Misdirected ===

impl Misdirected {
    pub(super) fn new(place: impl Into<String>, wrong: impl Into<String>, instead: impl Into<String>) -> Self {
        Self(Sentence::boxed(place.into(), wrong.into(), instead.into()))
    }

    /// The part of the request that is wrong.
    pub fn place(&self) -> &str {
        &self.0.place
    }
}

impl fmt::Display for Misdirected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Misdirected {}

// === impl BadRow ===

impl BadRow {
    pub(super) fn new(field: impl Into<String>, wrong: impl Into<String>, instead: impl Into<String>) -> Self {
        Self(Sentence::boxed(field.into(), wrong.into(), instead.into()))
    }

    /// The same fault, seen from the field that holds the text.
    pub(super) fn within(mut self, field: &str) -> Self {
        self.0.place = field.to_owned();
        self
    }

    /// The same fault, said of a provider.
    pub(super) fn of(mut self, segment: &str) -> Self {
        self.0.place = format!("providers.{segment}.{}", self.0.place);
        self
    }

    pub fn field(&self) -> &str {
        &self.0.place
    }
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for BadRow {}

// === impl Sentence ===

impl Sentence {
    fn boxed(place: String, wrong: String, instead: String) -> Box<Self> {
        Box::new(Self { place, wrong, instead })
    }
}

impl fmt::Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.place, self.wrong, self.instead)
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_password_in_a_url_is_not_repeated() {
        for (text, said) in [
            ("https://user:s3/cr@et@h.example/v1", "`https://***@h.example/v1`"),
            ("user:secret@h.example", "`***@h.example`"),
            ("https://h.example/v1", "`https://h.example/v1`"),
        ] {
            assert_eq!(quoted(text), said);
        }
    }
}
