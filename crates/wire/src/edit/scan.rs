//! Where the members of a JSON object stand in its text.
//!
//! Enters: the text. Leaves: its members, changed or as they are, and the text again. Never: looks inside a value.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::chat::BadField;

#[derive(Debug)]
pub(super) struct Members<'a> {
    text: &'a [u8],
    members: Vec<Member<'a>>,
    /// Behind the last member that was read.
    tail: usize,
}

#[derive(Debug)]
pub(super) struct Member<'a> {
    name: Cow<'a, str>,
    /// `None`: it was inserted.
    place: Option<Place>,
    value: Value<'a>,
    renamed: bool,
    dropped: bool,
}

/// In the text: from the name's opening quote, and the value within.
#[derive(Debug)]
struct Place {
    start: usize,
    value: Range<usize>,
}

#[derive(Debug)]
enum Value<'a> {
    Kept(&'a RawValue),
    New(Box<RawValue>),
}

/// What was found under a name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) any: bool,
    pub(super) changed: bool,
}

struct Top;

// === impl Members ===

impl<'a> Members<'a> {
    pub(super) fn read(text: &'a [u8]) -> Result<Self, BadField> {
        let mut json = serde_json::Deserializer::from_slice(text);
        let pairs = json.deserialize_map(Top).and_then(|pairs| json.end().map(|()| pairs));
        let pairs = pairs.map_err(|fault| BadField {
            path: String::new(),
            expected: "a JSON object".into(),
            found: fault.to_string(),
        })?;
        // Behind the opening brace.
        let mut at = text.iter().position(|byte| *byte == b'{').map_or(0, |brace| brace + 1);
        let mut members = Vec::with_capacity(pairs.len());
        for (name, raw) in pairs {
            let start = at + text[at..].iter().position(|byte| *byte == b'"').unwrap_or(0);
            // A raw value is a piece of the text it was read from.
            let from = raw.get().as_ptr().addr() - text.as_ptr().addr();
            at = from + raw.get().len();
            let place = Some(Place { start, value: from..at });
            members.push(Member { name, place, value: Value::Kept(raw), renamed: false, dropped: false });
        }
        Ok(Self { text, members, tail: at })
    }

    /// Is there one with a value?
    pub(super) fn has(&self, name: &str) -> bool {
        self.value(name).is_some_and(|value| value != "null")
    }

    /// Of several, the last one's.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.members.iter().rev().find(|member| member.is(name)).map(Member::value)
    }

    pub(super) fn each(&mut self, name: &str, mut change: impl FnMut(&mut Member<'a>) -> bool) -> Found {
        let mut found = Found { any: false, changed: false };
        for member in self.members.iter_mut().filter(|member| member.is(name)) {
            found.any = true;
            found.changed |= change(member);
        }
        found
    }

    pub(super) fn insert(&mut self, name: &str, value: &str) {
        let Some(value) = raw(value) else { return };
        let (name, value) = (Cow::Owned(name.to_owned()), Value::New(value));
        self.members.push(Member { name, place: None, value, renamed: false, dropped: false });
    }

    /// Members keep the text in front of them: the comma, and how it was laid out.
    pub(super) fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.text.len() + 64);
        let head = self.members.iter().find_map(|member| member.place.as_ref()).map_or(self.tail, |first| first.start);
        out.extend_from_slice(&self.text[..head]);
        let (mut first, mut behind) = (true, head);
        for member in &self.members {
            let before = member.place.as_ref().map_or(&b","[..], |place| &self.text[behind..place.start]);
            if !member.dropped {
                out.extend_from_slice(if first { b"" } else { before });
                member.write(self.text, &mut out);
                first = false;
            }
            behind = member.place.as_ref().map_or(behind, |place| place.value.end);
        }
        out.extend_from_slice(&self.text[self.tail..]);
        out
    }
}

// === impl Member ===

impl Member<'_> {
    fn is(&self, name: &str) -> bool {
        !self.dropped && self.name == name
    }

    pub(super) fn raw(&self) -> &RawValue {
        match &self.value {
            Value::Kept(raw) => raw,
            Value::New(raw) => raw,
        }
    }

    pub(super) fn value(&self) -> &str {
        self.raw().get()
    }

    /// Is that another value than it had?
    pub(super) fn set(&mut self, value: &str) -> bool {
        match raw(value).filter(|new| new.get() != self.value()) {
            Some(new) => {
                self.value = Value::New(new);
                true
            }
            None => false,
        }
    }

    pub(super) fn rename(&mut self, to: &str) -> bool {
        self.name = Cow::Owned(to.to_owned());
        self.renamed = true;
        true
    }

    pub(super) fn drop(&mut self) -> bool {
        self.dropped = true;
        true
    }

    fn write(&self, text: &[u8], out: &mut Vec<u8>) {
        match &self.place {
            Some(place) if !self.renamed => out.extend_from_slice(&text[place.start..place.value.start]),
            Some(place) => {
                let name = serde_json::Value::from(&*self.name).to_string();
                out.extend_from_slice(name.as_bytes());
                out.extend_from_slice(behind_name(&text[place.start..place.value.start]));
            }
            None => {
                let name = serde_json::Value::from(&*self.name).to_string();
                out.extend_from_slice(name.as_bytes());
                out.push(b':');
            }
        }
        out.extend_from_slice(self.value().as_bytes());
    }
}

/// The colon between name and value, with the blanks around it. No blank and no colon of the name's own is behind its last quote.
fn behind_name(text: &[u8]) -> &[u8] {
    let quote = text.iter().rposition(|byte| *byte == b'"').map_or(0, |quote| quote + 1);
    &text[quote..]
}

/// Values come from rows and from code, where they were made of values: `None` would be a row that was not compiled.
fn raw(value: &str) -> Option<Box<RawValue>> {
    RawValue::from_string(value.to_owned()).ok()
}

// === impl Top ===

impl<'de> Visitor<'de> for Top {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::with_capacity(map.size_hint().unwrap_or(16));
        while let Some(pair) = map.next_entry::<Name<'de>, &'de RawValue>()? {
            pairs.push((pair.0.0, pair.1));
        }
        Ok(pairs)
    }
}

/// A name, borrowed where no escape stands in it. `Cow` alone would always be owned.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);
