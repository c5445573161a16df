//! Elements as documents have them: names for outputs, an object of properties each.
//!
//! Enters: normalised JSON. Leaves: elements with their outputs, in order. Never: looks at what properties mean, or follows an output.

use serde_json::{Map, Value};
use tollgate_model::trace::Kind;

use super::problem::{Problems, meant, quoted};
use super::{ELEMENTS_MAX, NAME_BYTES_MAX};

#[derive(Clone, Debug)]
pub(super) struct Element<'a> {
    /// Its number in the document.
    pub(super) index: usize,
    pub(super) id: &'a str,
    pub(super) kind: Kind,
    pub(super) properties: Properties<'a>,
    pub(super) outputs: Vec<Output<'a>>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Output<'a> {
    pub(super) name: &'a str,
    pub(super) to: &'a str,
}

/// The members of `properties`; none when there is no such object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Properties<'a>(Option<&'a Map<String, Value>>);

// === impl Properties ===

impl<'a> Properties<'a> {
    /// Null is as good as absent.
    pub(super) fn get(self, name: &str) -> Option<&'a Value> {
        self.0?.get(name).filter(|value| !value.is_null())
    }
}

/// Every element that can be read; what keeps others from it is in `problems`.
pub(super) fn read<'a>(elements: &'a Value, problems: &mut Problems) -> Vec<Element<'a>> {
    let Some(items) = elements.as_array() else {
        problems.error(format!("Expected array, received {}", kind_of(elements)));
        return Vec::new();
    };
    if items.len() > ELEMENTS_MAX {
        problems.error(format!("Array must contain at most {ELEMENTS_MAX} element(s)"));
    }
    let items = items.iter().take(ELEMENTS_MAX).enumerate();
    items.filter_map(|(index, item)| problems.within(index, |problems| element(index, item, problems))).collect()
}

fn element<'a>(index: usize, item: &'a Value, problems: &mut Problems) -> Option<Element<'a>> {
    let Some(members) = item.as_object() else {
        problems.error(format!("Expected object, received {}", kind_of(item)));
        return None;
    };
    let id = problems.within("id", |problems| name(members.get("id"), problems));
    let kind = problems.within("type", |problems| kind(members.get("type"), problems));
    let properties = match members.get("properties") {
        None | Some(Value::Null) => Properties(None),
        Some(Value::Object(properties)) => Properties(Some(properties)),
        Some(other) => {
            let message = format!("Expected object, received {}", kind_of(other));
            problems.within("properties", |problems| problems.error(message));
            return None;
        }
    };
    let outputs = problems.within("outputs", |problems| outputs(members.get("outputs"), kind, problems));
    Some(Element { index, id: id?, kind: kind?, properties, outputs })
}

pub(super) fn name<'a>(value: Option<&'a Value>, problems: &mut Problems) -> Option<&'a str> {
    match value {
        None | Some(Value::Null) => problems.error("Required"),
        Some(Value::String(text)) if text.is_empty() => problems.error("String must contain at least 1 character(s)"),
        Some(Value::String(text)) if text.len() > NAME_BYTES_MAX => {
            problems.error(format!("String must contain at most {NAME_BYTES_MAX} character(s)"));
        }
        Some(Value::String(text)) => return Some(text),
        Some(other) => problems.error(format!("Expected string, received {}", kind_of(other))),
    }
    None
}

fn kind(value: Option<&Value>, problems: &mut Problems) -> Option<Kind> {
    let word = name(value, problems)?;
    let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word);
    if kind.is_none() {
        let words = Kind::ALL.map(Kind::word);
        let expected = words.map(|word| format!("'{word}'")).join(" | ");
        let message = format!("Invalid enum value. Expected {expected}, received {}", quoted(word));
        match meant(word, words) {
            Some(guess) => problems.error_with(message, guess),
            None => problems.error(message),
        }
    }
    kind
}

fn outputs<'a>(value: Option<&'a Value>, kind: Option<Kind>, problems: &mut Problems) -> Vec<Output<'a>> {
    let members = match value {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Object(members)) => members,
        Some(other) => {
            problems.error(format!("Expected object, received {}", kind_of(other)));
            return Vec::new();
        }
    };
    let read = |(name, value): (&'a String, &'a Value)| {
        problems.within(name.as_str(), |problems| output(name, value, kind, problems))
    };
    members.iter().filter_map(read).collect()
}

fn output<'a>(name: &'a str, value: &'a Value, kind: Option<Kind>, problems: &mut Problems) -> Option<Output<'a>> {
    let to = match value {
        // Terraform's generated schema can only say where a percentage leads, not with which weight.
        Value::String(to) if name == "elementId" && kind == Some(Kind::Percentage) => {
            return Some(Output { name: super::share::ELSE, to });
        }
        // Beside the outputs of other elements it means nothing.
        Value::String(_) if name == "elementId" => return None,
        Value::Null => return None,
        Value::String(to) => Some(to.as_str()),
        Value::Object(members) => {
            problems.within("elementId", |problems| self::name(members.get("elementId"), problems))
        }
        other => {
            problems.error(format!("Expected object, received {}", kind_of(other)));
            None
        }
    };
    to.map(|to| Output { name, to })
}

pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
