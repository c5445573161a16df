//! Walks a JSON text along a table of wanted members, building nothing.
//!
//! Enters: JSON text and a table. Leaves: [`Facts`].
//! Never: fails because a member has an unexpected type, is missing or comes twice (the last one counts): only text that
//! is not JSON is refused. Numbers beyond 64 bits saturate; nesting is bounded.

use memchr::memmem;

use super::amount::nanos;
use super::facts::{Facts, Members, Want, find};
use crate::json::{Fault, Json, Place, Quoted, Token};

/// Words some answers carry where others have the reason for their end.
const NOT_FINISHED: [&str; 5] = ["", "in_progress", "queued", "FINISH_REASON_UNSPECIFIED", "null"];

/// Longer names are not names.
const WORD_BYTES_MAX: usize = 512;

/// Arrays within arrays where a table expects objects.
const DEPTH_MAX: usize = 64;

/// Reads one document. An array at the top is read as several: `each` hears of every one that was complete, also when
/// the text breaks off or goes wrong after it.
pub(crate) fn walk(text: &[u8], members: Members, each: &mut dyn FnMut(Facts)) -> Result<(), Fault> {
    let mut json = Json::new(text);
    match json.value()? {
        Token::Object => {
            let mut facts = Facts::default();
            inside(&mut json, members, &mut facts, 0)?;
            json.end()?;
            each(facts);
            Ok(())
        }
        Token::Array => {
            let (want, mut place) = (Want::Inside(members), Place::First);
            while json.element(place)? {
                place = Place::Later;
                let mut facts = Facts::default();
                value(&mut json, &want, &mut facts, 0)?;
                each(facts);
            }
            json.end()
        }
        _ => Err(json.fault("neither an object nor an array")),
    }
}

/// Reads what can be read of a text whose beginning is lost: the usage, since providers write it last. Its name in quotes
/// can be no piece of generated text, whose quotes are escaped.
pub(crate) fn walk_tail(text: &[u8], members: Members, each: &mut dyn FnMut(Facts)) {
    let Some(at) = memmem::rfind(text, b"\"usage\"") else { return };
    let mut facts = Facts::default();
    if inside(&mut Json::new(&text[at..]), members, &mut facts, 0).is_ok() {
        each(facts);
    }
}

/// The members of an object whose bracket has been read.
fn inside(json: &mut Json<'_>, members: Members, facts: &mut Facts, depth: usize) -> Result<(), Fault> {
    let mut place = Place::First;
    while let Some(name) = json.name(place)? {
        place = Place::Later;
        match name.find(members) {
            Some(want) => value(json, want, facts, depth)?,
            None => json.skip()?,
        }
    }
    facts.close_pair();
    Ok(())
}

/// The value of a wanted member.
fn value(json: &mut Json<'_>, want: &Want, facts: &mut Facts, depth: usize) -> Result<(), Fault> {
    if depth > DEPTH_MAX {
        return Err(json.fault("brackets nested too deeply"));
    }
    match (json.value()?, want) {
        (Token::Object, Want::Inside(members) | Want::Money(_, _, members)) => inside(json, members, facts, depth + 1)?,
        (Token::Array, Want::Inside(_)) => drop(elements(json, |json| value(json, want, facts, depth + 1))?),
        (Token::Object, _) => {
            let is_empty = passed_members(json)? == 0;
            facts.failed |= matches!(want, Want::Error) && !is_empty;
            note_presence(want, facts);
        }
        (Token::Array, _) => match (elements(json, Json::skip)?, want) {
            (length, Want::Length(slot)) => facts.counts.set(*slot, length),
            (length, Want::Error) if length > 0 => facts.failed = true,
            _ => note_presence(want, facts),
        },
        (Token::Text(word), _) => note_word(want, facts, word),
        (Token::Number(number), Want::Money(slot, shift, _)) => {
            if let Some(nanos) = nanos(number, *shift) {
                facts.counts.set(*slot, nanos);
            }
        }
        (Token::Number(number), _) => {
            if let Some(number) = count(number) {
                note_number(want, facts, number);
            }
        }
        (Token::Flag(flag), _) => note_flag(want, facts, flag),
        (Token::Null, _) => {}
    }
    Ok(())
}

/// Reads each element of an array whose bracket has been read; how many there were.
fn elements<'a>(json: &mut Json<'a>, mut each: impl FnMut(&mut Json<'a>) -> Result<(), Fault>) -> Result<u64, Fault> {
    let (mut length, mut place) = (0, Place::First);
    while json.element(place)? {
        (length, place) = (length + 1, Place::Later);
        each(json)?;
    }
    Ok(length)
}

fn passed_members(json: &mut Json<'_>) -> Result<u64, Fault> {
    let (mut length, mut place) = (0, Place::First);
    while json.name(place)?.is_some() {
        (length, place) = (length + 1, Place::Later);
        json.skip()?;
    }
    Ok(length)
}

fn note_number(want: &Want, facts: &mut Facts, number: u64) {
    match want {
        Want::Count(slot) => facts.counts.set(*slot, number),
        Want::Sum(slot) => facts.counts.add(*slot, number),
        Want::Tagged => facts.tagged = Some(number),
        _ => note_presence(want, facts),
    }
}

fn note_presence(want: &Want, facts: &mut Facts) {
    match want {
        Want::Piece(slot) => facts.counts.add(*slot, 1),
        Want::End => facts.ended = true,
        Want::Recap => (facts.ended, facts.recap) = (true, true),
        _ => {}
    }
}

fn note_flag(want: &Want, facts: &mut Facts, flag: bool) {
    match want {
        Want::Stream => facts.stream = flag,
        Want::Success => facts.failed |= !flag,
        Want::Error => facts.failed |= flag,
        _ if flag => note_presence(want, facts),
        _ => {}
    }
}

fn note_word(want: &Want, facts: &mut Facts, word: Quoted<'_>) {
    if word.is_empty() {
        return;
    }
    let text = || word.text().filter(|word| word.len() <= WORD_BYTES_MAX);
    match want {
        Want::Model => facts.model = text().map(Into::into).or(facts.model.take()),
        Want::Finish | Want::FinishAndEnd => {
            if let Some(word) = text().filter(|word| !NOT_FINISHED.contains(&&**word)) {
                facts.finish = Some(word.into());
                facts.ended |= matches!(want, Want::FinishAndEnd);
            }
        }
        Want::Error => facts.failed = true,
        Want::Kind(signs) => facts.note_kind(&text().unwrap_or_default(), signs),
        Want::Letters => facts.letters = word.text().map_or(0, |text| text.chars().count() as u64),
        Want::Term(term) => facts.terms.note(*term, &text().unwrap_or_default()),
        Want::Each(slots) => {
            if let Some(slot) = find(slots, &text().unwrap_or_default()) {
                facts.counts.add(slot, 1);
            }
        }
        Want::Tag(slots) => facts.tag = find(slots, &text().unwrap_or_default()),
        _ => note_presence(want, facts),
    }
}

/// A number that counts something. Some write `4.0`; what is below nothing counts nothing.
fn count(number: &[u8]) -> Option<u64> {
    let digit = |sum: u64, byte: &u8| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        Some(sum.saturating_mul(10).saturating_add(digit))
    };
    number.iter().try_fold(0, digit).or_else(|| {
        let number: f64 = std::str::from_utf8(number).ok()?.parse().ok()?;
        (number >= 0.0).then_some(number as u64)
    })
}
