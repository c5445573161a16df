//! The log asked in one line: `status:>=400 model:gpt-5* cost:>0.05 meta.team:search "refund"`.
//!
//! Enters: the text of `q`, and what time it is. Leaves: conditions of the record store, or what is wrong with which word.
//! Never: guesses at a key it does not know: a typing error would show rows that were not asked for. docs/logs.md is the manual.
//!
//! Words are separated by spaces; all of them hold. `key:value` compares, `-` in front says it must not be so, `a,b` is one of both, `*` stands for anything.
//! A word without a key is looked for in names and metadata.

use tollgate_store::records::{Condition, Field, Filter, Operator, Value};

use crate::time;

const WORDS_MAX: usize = 50;
const VALUES_MAX: usize = 200;

/// How the values of a key are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    /// Milliseconds, or with a unit: `1.5s`, `200ms`, `2m`.
    Lasting,
    Flag,
}

static KEYS: &[(&str, Field, Kind)] = &[
    ("id", Field::Id, Kind::Text),
    ("event", Field::EventId, Kind::Text),
    ("provider", Field::Provider, Kind::Text),
    ("model", Field::Model, Kind::Text),
    ("path", Field::Path, Kind::Text),
    ("type", Field::RequestType, Kind::Text),
    ("model_type", Field::ModelType, Kind::Text),
    ("agent", Field::UserAgent, Kind::Text),
    ("status", Field::Status, Kind::Number),
    ("cost", Field::Cost, Kind::Number),
    ("tokens", Field::Tokens, Kind::Number),
    ("tokens_in", Field::TokensIn, Kind::Number),
    ("tokens_out", Field::TokensOut, Kind::Number),
    ("duration", Field::Duration, Kind::Lasting),
    ("feedback", Field::Feedback, Kind::Number),
    ("score", Field::Score, Kind::Number),
    ("success", Field::Success, Kind::Flag),
    ("cached", Field::Cached, Kind::Flag),
    ("cost_differs", Field::CostDiffers, Kind::Flag),
    ("wholesale", Field::Wholesale, Kind::Flag),
    ("authenticated", Field::Authentication, Kind::Flag),
];

/// Longest first: `>=` is not `>` and a value that begins with `=`.
static COMPARISONS: &[(&str, Operator)] =
    &[(">=", Operator::AtLeast), ("<=", Operator::AtMost), (">", Operator::Gt), ("<", Operator::Lt)];

/// One word of the text.
#[derive(Debug, PartialEq, Eq)]
struct Word {
    negated: bool,
    key: Option<String>,
    /// What stood behind the key, or the word itself.
    value: String,
    /// It stood in quotation marks: nothing in it means anything.
    quoted: bool,
}

/// Adds what the text asks for to a filter. Else what is wrong, for people.
pub(crate) fn read(text: &str, now_ms: u64, filter: &mut Filter) -> Result<(), String> {
    let words = words(text)?;
    if words.len() > WORDS_MAX {
        return Err(format!("At most {WORDS_MAX} words"));
    }
    for word in &words {
        match &word.key {
            Some(key) if matches!(&**key, "since" | "until") => since(key, word, now_ms, filter)?,
            _ => {
                let into = |filter: &mut Filter, condition| match word.negated {
                    true => filter.none_of.push(condition),
                    false => filter.conditions.push(condition),
                };
                conditions(word)?.into_iter().for_each(|condition| into(filter, condition));
            }
        }
    }
    Ok(())
}

// === words ===

fn words(text: &str) -> Result<Vec<Word>, String> {
    let (mut words, mut rest) = (Vec::new(), text.trim_start());
    while !rest.is_empty() {
        let (word, behind) = word(rest)?;
        words.push(word);
        rest = behind.trim_start();
    }
    Ok(words)
}

fn word(text: &str) -> Result<(Word, &str), String> {
    let (negated, text) = match text.strip_prefix('-') {
        Some(rest) if !rest.is_empty() && !rest.starts_with(char::is_whitespace) => (true, rest),
        _ => (false, text),
    };
    // A key ends at the first colon, if that comes before any space or quotation mark.
    let end = text.find(|character: char| character.is_whitespace() || matches!(character, ':' | '"'));
    let (key, text) = match end.filter(|end| *end > 0 && text[*end..].starts_with(':')) {
        Some(end) => (Some(text[..end].to_lowercase()), &text[end + 1..]),
        None => (None, text),
    };
    if let Some(inside) = text.strip_prefix('"') {
        let (value, behind) = inside.split_once('"').ok_or("A quotation mark is not closed")?;
        return Ok((Word { negated, key, value: value.to_owned(), quoted: true }, behind));
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (value, behind) = text.split_at(end);
    if value.is_empty() {
        return Err(format!("{}: needs a value", key.unwrap_or_default()));
    }
    Ok((Word { negated, key, value: value.to_owned(), quoted: false }, behind))
}

// === what they mean ===

fn conditions(word: &Word) -> Result<Vec<Condition>, String> {
    let Some(key) = word.key.as_deref() else {
        let values = vec![Value::Text(word.value.clone())];
        return Ok(vec![Condition { field: Field::AnyText, operator: Operator::Contains, values }]);
    };
    if key == "has" {
        return has(&word.value).map(|condition| vec![condition]);
    }
    let (field, kind) = field(key)?;
    if !word.quoted {
        if let Some((low, high)) = word.value.split_once("..").filter(|_| kind != Kind::Text && kind != Kind::Flag) {
            let ends = [(low, Operator::AtLeast), (high, Operator::AtMost)];
            let ends = ends.into_iter().filter(|(end, _)| !end.is_empty());
            let ends = ends.map(|(end, operator)| one(key, &field, operator, kind, end));
            // "Not from 1 to 2" is not "neither above 1 nor below 2".
            return match word.negated {
                true => Err(format!("-{key}: a range cannot be negated; say {key}:<{low} or {key}:>{high}")),
                false => ends.collect(),
            };
        }
        if let Some((sign, operator)) = COMPARISONS.iter().find(|(sign, _)| word.value.starts_with(sign)) {
            return one(key, &field, *operator, kind, &word.value[sign.len()..]).map(|condition| vec![condition]);
        }
    }
    let texts: Vec<&str> = if word.quoted { vec![&word.value] } else { word.value.split(',').collect() };
    let operator = match kind == Kind::Text && !word.quoted && word.value.contains('*') {
        true => Operator::Like,
        false => Operator::Eq,
    };
    let values = texts.into_iter().take(VALUES_MAX).map(|text| value(key, kind, text)).collect::<Result<_, _>>()?;
    Ok(vec![Condition { field, operator, values }])
}

fn one(key: &str, field: &Field, operator: Operator, kind: Kind, text: &str) -> Result<Condition, String> {
    Ok(Condition { field: field.clone(), operator, values: vec![value(key, kind, text)?] })
}

fn field(key: &str) -> Result<(Field, Kind), String> {
    if let Some(name) = key.strip_prefix("meta.").filter(|name| !name.is_empty()) {
        return Ok((Field::MetadataValue(Some(name.to_owned())), Kind::Text));
    }
    let found = KEYS.iter().find(|(name, ..)| *name == key);
    found.map(|(_, field, kind)| (field.clone(), *kind)).ok_or_else(|| {
        let known: Vec<&str> = KEYS.iter().map(|(name, ..)| *name).collect();
        format!("{key:?} is not a key; there are {}, meta.NAME, has, since, until. Put text with a colon in quotation marks", known.join(", "))
    })
}

/// `has:feedback`, `has:meta.team`.
fn has(value: &str) -> Result<Condition, String> {
    if let Some(name) = value.strip_prefix("meta.").filter(|name| !name.is_empty()) {
        let values = vec![Value::Text(name.to_owned())];
        return Ok(Condition { field: Field::MetadataKey, operator: Operator::Eq, values });
    }
    let (field, _) = field(value)?;
    Ok(Condition { field, operator: Operator::Neq, values: vec![Value::Null] })
}

fn value(key: &str, kind: Kind, text: &str) -> Result<Value, String> {
    let read = match kind {
        Kind::Text => Some(Value::Text(text.to_owned())),
        Kind::Number => text.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Number),
        Kind::Lasting => lasting(text).map(Value::Number),
        Kind::Flag => text.parse().ok().map(Value::Flag),
    };
    let expected = match kind {
        Kind::Flag => "true or false",
        Kind::Lasting => "milliseconds, or a time such as 1.5s",
        Kind::Number | Kind::Text => "a number",
    };
    read.ok_or_else(|| format!("{key}:{text} - expected {expected}"))
}

/// In milliseconds.
fn lasting(text: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 6] = [("ms", 1.0), ("s", 1e3), ("m", 6e4), ("h", 3.6e6), ("d", 8.64e7), ("w", 6.048e8)];
    let unit = UNITS.iter().find_map(|(unit, ms)| Some((text.strip_suffix(unit)?, *ms)));
    let (number, ms) = unit.unwrap_or((text, 1.0));
    number.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0).map(|number| number * ms)
}

/// `since:24h`, `until:2026-11-01`: so long ago, or that moment.
fn since(key: &str, word: &Word, now_ms: u64, filter: &mut Filter) -> Result<(), String> {
    let ago = || lasting(&word.value).filter(|_| word.value.ends_with(char::is_alphabetic));
    let ago = || ago().map(|ms| now_ms.saturating_sub(ms as u64));
    let at = time::read(&word.value).or_else(ago);
    let at = at.ok_or_else(|| format!("{key}:{} - expected a date, a moment, or a time such as 24h", word.value))?;
    match (key, word.negated) {
        (_, true) => return Err(format!("-{key}: cannot be negated")),
        ("since", _) => filter.from_ms = Some(filter.from_ms.unwrap_or_default().max(at)),
        _ => filter.to_ms = Some(filter.to_ms.unwrap_or(u64::MAX).min(at)),
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: u64 = 1_795_000_000_000;

    fn asked(text: &str) -> Result<Filter, String> {
        let mut filter = Filter::default();
        read(text, NOW, &mut filter).map(|()| filter)
    }

    fn is(field: Field, operator: Operator, values: &[Value]) -> Condition {
        Condition { field, operator, values: values.to_vec() }
    }

    #[test]
    fn the_line_of_the_manual_is_understood() {
        let text = |text: &str| Value::Text(text.to_owned());
        let filter =
            asked("status:>=400 model:gpt-5* cost:>0.05 meta.team:search,ops \"refund: now\" -provider:openai")
                .unwrap();
        let expected = [
            is(Field::Status, Operator::AtLeast, &[Value::Number(400.0)]),
            is(Field::Model, Operator::Like, &[text("gpt-5*")]),
            is(Field::Cost, Operator::Gt, &[Value::Number(0.05)]),
            is(Field::MetadataValue(Some("team".into())), Operator::Eq, &[text("search"), text("ops")]),
            is(Field::AnyText, Operator::Contains, &[text("refund: now")]),
        ];
        assert_eq!(filter.conditions, expected);
        assert_eq!(filter.none_of, [is(Field::Provider, Operator::Eq, &[text("openai")])]);
        assert_eq!(asked("  ").unwrap(), Filter::default());
    }

    #[test]
    fn times_lengths_ranges_and_presence() {
        let filter =
            asked("since:24h until:2026-11-18 duration:>1.5s tokens:10..20 has:meta.team has:feedback").unwrap();
        assert_eq!((filter.from_ms, filter.to_ms), (Some(NOW - 86_400_000), Some(1_794_960_000_000)));
        let expected = [
            is(Field::Duration, Operator::Gt, &[Value::Number(1_500.0)]),
            is(Field::Tokens, Operator::AtLeast, &[Value::Number(10.0)]),
            is(Field::Tokens, Operator::AtMost, &[Value::Number(20.0)]),
            is(Field::MetadataKey, Operator::Eq, &[Value::Text("team".into())]),
            is(Field::Feedback, Operator::Neq, &[Value::Null]),
        ];
        assert_eq!(filter.conditions, expected);
        assert_eq!(
            asked("model:\"a*,b\"").unwrap().conditions,
            [is(Field::Model, Operator::Eq, &[Value::Text("a*,b".into())])]
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, part) in [
            ("colour:red", "\"colour\" is not a key"),
            ("cost:>dear", "expected a number"),
            ("cached:maybe", "true or false"),
            ("\"open", "not closed"),
            ("model: x", "needs a value"),
            ("since:soon", "expected a date"),
            ("-cost:1..2", "cannot be negated"),
            ("http://x", "quotation marks"),
        ] {
            let said = asked(text).unwrap_err();
            assert!(said.contains(part), "{text}: {said}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_much(text in "[-a-z:.,*\"<>= 0-9\u{e9}]{0,60}") {
            let _ = asked(&text);
        }
    }
}
