//! Takes a JSON object apart, member by member, and knows where it is when one of them is wrong.
//!
//! Enters: a JSON value of somebody else's. Leaves: its members by type; what nobody took; [`BadField`] with the whole path. Never: drops a member
//! that was not asked for.
//!
//! `null` counts as missing everywhere: SDKs write it for what was not set.

use std::fmt;

use serde_json::{Map, Number, Value};

use crate::chat::{BadField, Extra};

/// Where a value stands, as a chain to its root: rendered only when something is wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Path<'p> {
    Root,
    Member(&'p Path<'p>, &'p str),
    Item(&'p Path<'p>, usize),
}

/// An object being taken apart.
#[derive(Debug)]
pub(crate) struct Object<'p> {
    members: Map<String, Value>,
    pub(crate) path: Path<'p>,
}

/// The body of a request or an answer, as an object.
pub(crate) fn root(body: &[u8]) -> Result<Object<'static>, BadField> {
    let value = serde_json::from_slice(body).map_err(|fault| BadField {
        path: String::new(),
        expected: "JSON".into(),
        found: fault.to_string(),
    })?;
    Object::of(value, Path::Root)
}

/// Reads inside a member that is an object; what nobody takes of it stays where it was.
pub(crate) fn within(
    top: &mut Object<'_>,
    name: &str,
    read: impl FnOnce(&mut Object<'_>) -> Result<(), BadField>,
) -> Result<(), BadField> {
    let Some(members) = top.object(name)? else { return Ok(()) };
    let path = top.path;
    let mut inner = Object::of(Value::Object(members), Path::Member(&path, name))?;
    read(&mut inner)?;
    let rest = inner.rest();
    top.put_rest(name, rest);
    Ok(())
}

// === impl Path ===

impl<'p> Path<'p> {
    pub(crate) fn bad(&self, expected: impl Into<String>, found: impl Into<String>) -> BadField {
        BadField { path: self.to_string(), expected: expected.into(), found: found.into() }
    }

    /// The value is of another type.
    pub(crate) fn wrong(&self, expected: &str, found: &Value) -> BadField {
        self.bad(expected, described(found))
    }

    pub(crate) fn missing(&self, expected: &str) -> BadField {
        self.bad(expected, "nothing")
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Member(Path::Root, name) => f.write_str(name),
            Self::Member(parent, name) => write!(f, "{parent}.{name}"),
            Self::Item(parent, at) => write!(f, "{parent}[{at}]"),
        }
    }
}

/// What stands there, for people: never more than a few characters of it.
fn described(value: &Value) -> String {
    const SHOWN_CHARS_MAX: usize = 40;
    match value {
        Value::Null => "null".into(),
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => value.to_string(),
        Value::String(text) if text.chars().count() <= SHOWN_CHARS_MAX => format!("{text:?}"),
        Value::String(_) => "a string".into(),
        Value::Array(items) => format!("an array of {}", items.len()),
        Value::Object(_) => "an object".into(),
    }
}

// === impl Object ===

impl<'p> Object<'p> {
    pub(crate) fn of(value: Value, path: Path<'p>) -> Result<Self, BadField> {
        match value {
            Value::Object(members) => Ok(Self { members, path }),
            other => Err(path.wrong("an object", &other)),
        }
    }

    /// In the place of one that is taken whole.
    pub(crate) fn empty() -> Self {
        Self { members: Map::new(), path: Path::Root }
    }

    /// The member as it is; `null` counts as missing.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.members.remove(name).filter(|value| !value.is_null())
    }

    pub(crate) fn peek(&self, name: &str) -> Option<&Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    /// Gives a member back that was taken and not understood.
    pub(crate) fn put(&mut self, name: &str, value: Value) {
        self.members.insert(name.to_owned(), value);
    }

    /// The same for what is left of an object that was taken apart.
    pub(crate) fn put_rest(&mut self, name: &str, rest: Extra) {
        if !rest.is_empty() {
            self.put(name, Value::Object(rest));
        }
    }

    /// The member's text, left where it is: to tell what kind of object this is.
    pub(crate) fn peek_str(&self, name: &str) -> Option<&str> {
        self.peek(name).and_then(Value::as_str)
    }

    pub(crate) fn string(&mut self, name: &str) -> Result<Option<String>, BadField> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(Path::Member(&self.path, name).wrong("a string", &other)),
        }
    }

    pub(crate) fn need_string(&mut self, name: &str) -> Result<String, BadField> {
        self.string(name)?.ok_or_else(|| Path::Member(&self.path, name).missing("a string"))
    }

    pub(crate) fn bool(&mut self, name: &str) -> Result<Option<bool>, BadField> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(value)),
            Some(other) => Err(Path::Member(&self.path, name).wrong("true or false", &other)),
        }
    }

    /// A whole number from 0. `4.0` is one.
    pub(crate) fn count(&mut self, name: &str) -> Result<Option<u64>, BadField> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Number(number)) => match whole(&number) {
                Some(count) => Ok(Some(count)),
                None => Err(Path::Member(&self.path, name).bad("a whole number from 0", number.to_string())),
            },
            Some(other) => Err(Path::Member(&self.path, name).wrong("a whole number from 0", &other)),
        }
    }

    pub(crate) fn integer(&mut self, name: &str) -> Result<Option<i64>, BadField> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Number(number)) if number.as_i64().is_some() => Ok(number.as_i64()),
            Some(other) => Err(Path::Member(&self.path, name).wrong("a whole number", &other)),
        }
    }

    pub(crate) fn number(&mut self, name: &str) -> Result<Option<f64>, BadField> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Number(number)) if number.as_f64().is_some() => Ok(number.as_f64()),
            Some(other) => Err(Path::Member(&self.path, name).wrong("a number", &other)),
        }
    }

    pub(crate) fn object(&mut self, name: &str) -> Result<Option<Map<String, Value>>, BadField> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Object(members)) => Ok(Some(members)),
            Some(other) => Err(Path::Member(&self.path, name).wrong("an object", &other)),
        }
    }

    pub(crate) fn array(&mut self, name: &str) -> Result<Option<Vec<Value>>, BadField> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(other) => Err(Path::Member(&self.path, name).wrong("an array", &other)),
        }
    }

    pub(crate) fn need_array(&mut self, name: &str) -> Result<Vec<Value>, BadField> {
        self.array(name)?.ok_or_else(|| Path::Member(&self.path, name).missing("an array"))
    }

    /// A string, or an array of strings: how most dialects take stop sequences.
    pub(crate) fn strings(&mut self, name: &str) -> Result<Vec<String>, BadField> {
        let path = Path::Member(&self.path, name);
        match self.members.remove(name) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::String(one)) => Ok(vec![one]),
            Some(Value::Array(items)) => items
                .into_iter()
                .enumerate()
                .map(|(at, item)| match item {
                    Value::String(text) => Ok(text),
                    other => Err(Path::Item(&path, at).wrong("a string", &other)),
                })
                .collect(),
            Some(other) => Err(path.wrong("a string or an array of strings", &other)),
        }
    }

    /// Something of a member that was taken: it counts as not taken again. Nothing is nothing.
    pub(crate) fn put_back(&mut self, name: &str, rest: Extra) {
        if !rest.is_empty() {
            self.members.insert(name.to_owned(), Value::Object(rest));
        }
    }

    /// What nobody took. Members that are `null` say nothing.
    pub(crate) fn rest(self) -> Extra {
        let mut members = self.members;
        members.retain(|_, value| !value.is_null());
        members
    }

    /// The whole object again, untaken members only: for blocks that are passed on opaque, before anything was taken.
    pub(crate) fn into_value(self) -> Value {
        Value::Object(self.members)
    }
}

fn whole(number: &Number) -> Option<u64> {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    number.as_u64().or_else(|| {
        let float = number.as_f64()?;
        (float.fract() == 0.0 && (0.0..EXACT_MAX).contains(&float)).then_some(float as u64)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_whole_path_of_what_is_wrong() {
        let mut top = root(br#"{"messages":[{"content":[{"text":7}]}],"n":1.5,"model":null}"#).unwrap();
        let messages = top.need_array("messages").unwrap();
        let (list, first, content) = (Path::Member(&Path::Root, "messages"), Path::Root, "content");
        let _ = first;
        let item = Path::Item(&list, 0);
        let mut message = Object::of(messages[0].clone(), item).unwrap();
        let parts = message.need_array(content).unwrap();
        let parts_path = Path::Member(&item, content);
        let mut part = Object::of(parts[0].clone(), Path::Item(&parts_path, 0)).unwrap();
        let fault = part.need_string("text").unwrap_err();
        assert_eq!(fault.to_string(), "messages[0].content[0].text: expected a string, found 7");
        assert_eq!(top.count("n").unwrap_err().path, "n");
        assert_eq!(top.need_string("model").unwrap_err().to_string(), "model: expected a string, found nothing");
    }

    #[test]
    fn keeps_what_nobody_took() {
        let mut top = root(br#"{"a":1,"b":null,"c":{"d":[]},"e":4.0}"#).unwrap();
        assert_eq!(top.count("e").unwrap(), Some(4));
        assert_eq!(top.count("a").unwrap(), Some(1));
        assert_eq!(Value::Object(top.rest()).to_string(), r#"{"c":{"d":[]}}"#);
        assert_eq!(root(b"[]").unwrap_err().to_string(), "request body: expected an object, found an array of 0");
    }
}
