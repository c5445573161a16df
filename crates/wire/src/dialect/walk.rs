//! Walks a JSON text along a table of wanted members, building nothing.
//!
//! Enters: JSON text and a table. Leaves: [`Facts`].
//! Never: fails because a member has an unexpected type, is missing or comes twice (the last one counts): only text that
//! is not JSON is refused. Numbers beyond 64 bits saturate; nesting is bounded by serde_json's own limit.

use std::{fmt, io::Read};

use memchr::memmem;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::facts::{Facts, Members, Want, find};

/// Words some answers carry where others have the reason for their end.
const NOT_FINISHED: [&str; 5] = ["", "in_progress", "queued", "FINISH_REASON_UNSPECIFIED", "null"];

/// Longer names are not names.
const WORD_BYTES_MAX: usize = 512;

/// Reads one document. An array at the top is read as several: `each` hears of every one that was complete, also when
/// the text breaks off or goes wrong after it.
pub(crate) fn walk(text: &[u8], members: Members, each: &mut dyn FnMut(Facts)) -> Result<(), serde_json::Error> {
    let mut json = serde_json::Deserializer::from_slice(text);
    let single = Top { members, each }.deserialize(&mut json)?;
    json.end()?;
    if let Some(facts) = single {
        each(facts);
    }
    Ok(())
}

/// Reads what can be read of a text whose beginning is lost: the usage, since providers write it last. Its name in quotes
/// can be no piece of generated text, whose quotes are escaped.
pub(crate) fn walk_tail(text: &[u8], members: Members, each: &mut dyn FnMut(Facts)) {
    let Some(at) = memmem::rfind(text, b"\"usage\"") else { return };
    let text = b"{".chain(&text[at..]);
    let mut json = serde_json::Deserializer::from_reader(text);
    if let Ok(Some(facts)) = (Top { members, each: &mut |_| {} }).deserialize(&mut json) {
        each(facts);
    }
}

struct Top<'a> {
    members: Members,
    each: &'a mut dyn FnMut(Facts),
}

/// Reads the value of one wanted member.
struct Value<'a> {
    want: &'a Want,
    facts: &'a mut Facts,
}

/// Reads a name, and finds what is wanted of the member it names.
struct Name<'a>(&'a [(&'static str, Want)]);

// === impl Top ===

impl<'de> DeserializeSeed<'de> for Top<'_> {
    type Value = Option<Facts>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Top<'_> {
    type Value = Option<Facts>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let mut facts = Facts::default();
        inside(self.members, &mut facts, map)?;
        Ok(Some(facts))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let want = Want::Inside(self.members);
        loop {
            let mut facts = Facts::default();
            match seq.next_element_seed(Value { want: &want, facts: &mut facts })? {
                Some(()) => (self.each)(facts),
                None => return Ok(None),
            }
        }
    }
}

fn inside<'de, A: MapAccess<'de>>(
    members: &[(&'static str, Want)],
    facts: &mut Facts,
    mut map: A,
) -> Result<(), A::Error> {
    while let Some(known) = map.next_key_seed(Name(members))? {
        match known {
            Some(want) => map.next_value_seed(Value { want, facts })?,
            None => drop(map.next_value::<IgnoredAny>()?),
        }
    }
    facts.close_pair();
    Ok(())
}

// === impl Name ===

impl<'de, 'a> DeserializeSeed<'de> for Name<'a> {
    type Value = Option<&'a Want>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl<'a> Visitor<'_> for Name<'a> {
    type Value = Option<&'a Want>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().find(|(wanted, _)| *wanted == name).map(|(_, want)| want))
    }
}

// === impl Value ===

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl Value<'_> {
    fn note_number(&mut self, number: u64) {
        match self.want {
            Want::Count(slot) => self.facts.counts.set(*slot, number),
            Want::Sum(slot) => self.facts.counts.add(*slot, number),
            Want::Tagged => self.facts.tagged = Some(number),
            _ => self.note_presence(),
        }
    }

    fn note_presence(&mut self) {
        match self.want {
            Want::Piece(slot) => self.facts.counts.add(*slot, 1),
            Want::End => self.facts.ended = true,
            Want::Recap => (self.facts.ended, self.facts.recap) = (true, true),
            _ => {}
        }
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(mut self, value: bool) -> Result<(), E> {
        match self.want {
            Want::Stream => self.facts.stream = value,
            Want::Success if !value => self.facts.failed = true,
            Want::Error if value => self.facts.failed = true,
            _ if value => self.note_presence(),
            _ => {}
        }
        Ok(())
    }

    fn visit_u64<E>(mut self, number: u64) -> Result<(), E> {
        self.note_number(number);
        Ok(())
    }

    fn visit_i64<E>(self, _negative: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(mut self, number: f64) -> Result<(), E> {
        if let Some(number) = whole(number) {
            self.note_number(number);
        }
        Ok(())
    }

    fn visit_str<E>(mut self, word: &str) -> Result<(), E> {
        if word.is_empty() {
            return Ok(());
        }
        let fits = word.len() <= WORD_BYTES_MAX;
        match self.want {
            Want::Model if fits => self.facts.model = Some(word.to_owned()),
            Want::Finish | Want::FinishAndEnd if fits && !NOT_FINISHED.contains(&word) => {
                self.facts.finish = Some(word.to_owned());
                self.facts.ended |= matches!(self.want, Want::FinishAndEnd);
            }
            Want::Error => self.facts.failed = true,
            Want::Kind(signs) => self.facts.note_kind(word, signs),
            Want::Tag(slots) => self.facts.tag = find(slots, word),
            _ => self.note_presence(),
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        let mut length = 0;
        match self.want {
            Want::Inside(_) => while seq.next_element_seed(Value { want: self.want, facts: self.facts })?.is_some() {},
            _ => {
                while seq.next_element::<IgnoredAny>()?.is_some() {
                    length += 1;
                }
            }
        }
        match self.want {
            Want::Length(slot) => self.facts.counts.set(*slot, length),
            Want::Error if length > 0 => self.facts.failed = true,
            _ => self.note_presence(),
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        if let Want::Inside(members) = self.want {
            return inside(members, self.facts, map);
        }
        let mut empty = true;
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            empty = false;
        }
        self.facts.failed |= matches!(self.want, Want::Error) && !empty;
        self.note_presence();
        Ok(())
    }
}

/// Some write counts as `4.0`. What is no count at all is not made one.
fn whole(number: f64) -> Option<u64> {
    (number >= 0.0).then_some(number as u64)
}
