//! Reads a condition from JSON.
//!
//! Enters: the object of a conditional element. Leaves: a condition; what cannot be read is a problem with its place. Never: goes deeper, or
//! on for longer, than a bound.

use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};

use super::super::document::kind_of as kind;
use super::super::path::Path;
use super::super::problem::{Problems, meant, quoted};
use super::{Condition, DEPTH_MAX, Ordered, PARTS_MAX, REGEX_BYTES_MAX, Test};

/// Compiled size of one pattern, and of what it caches while it runs.
const REGEX_PROGRAM_BYTES_MAX: usize = 256 * 1024;
const OPERATORS: [&str; 15] = [
    "$eq", "$ne", "$in", "$nin", "$gt", "$gte", "$lt", "$lte", "$exists", "$regex", "$options", "$not", "$and", "$or",
    "$nor",
];

pub(super) struct Reader<'a> {
    problems: &'a mut Problems,
    size: Size,
}

/// How large the condition has become.
#[derive(Clone, Copy, Default)]
struct Size {
    parts: usize,
    /// That it is too large was said.
    told: bool,
}

// === impl Reader ===

impl<'a> Reader<'a> {
    pub(super) fn new(problems: &'a mut Problems) -> Self {
        Self { problems, size: Size::default() }
    }

    pub(super) fn condition(&mut self, value: &Value, depth: usize) -> Condition {
        let Some(members) = value.as_object() else {
            self.problems.error("Expected object, received ".to_owned() + kind(value));
            return Condition::All(Vec::new());
        };
        if depth >= DEPTH_MAX {
            self.problems.error(format!("conditions may be nested {DEPTH_MAX} deep"));
            return Condition::All(Vec::new());
        }
        let mut parts: Vec<Condition> = Vec::with_capacity(members.len());
        for (name, value) in members {
            if !self.has_room() {
                break;
            }
            parts.push(self.within(name.as_str(), |reader| reader.member(name, value, depth)));
        }
        if parts.len() == 1 { parts.remove(0) } else { Condition::All(parts) }
    }

    fn member(&mut self, name: &str, value: &Value, depth: usize) -> Condition {
        match name {
            "$and" => Condition::All(self.several(value, depth)),
            "$or" => Condition::Any(self.several(value, depth)),
            "$nor" => Condition::Not(Box::new(Condition::Any(self.several(value, depth)))),
            "$not" => Condition::Not(Box::new(self.condition(value, depth + 1))),
            _ if name.starts_with('$') => {
                let guess = meant(name, OPERATORS).unwrap_or("operators stand below a path".to_owned());
                self.problems.error_with(format!("{} cannot stand here", quoted(name)), guess);
                Condition::All(Vec::new())
            }
            _ => self.at(name, value, depth),
        }
    }

    fn several(&mut self, value: &Value, depth: usize) -> Vec<Condition> {
        let Some(items) = value.as_array().filter(|items| !items.is_empty()) else {
            self.problems.error("Expected a list with at least one condition");
            return Vec::new();
        };
        let mut parts = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            if !self.has_room() {
                break;
            }
            parts.push(self.within(index, |reader| reader.condition(item, depth + 1)));
        }
        parts
    }

    fn at(&mut self, name: &str, value: &Value, depth: usize) -> Condition {
        let tests = match value {
            Value::Object(members) => self.tests(members, depth),
            other => vec![Test::Equal(other.clone())],
        };
        match Path::read(name) {
            Ok(path) => Condition::At(path, tests),
            Err((message, guess)) => {
                match guess {
                    Some(guess) => self.problems.error_with(message, guess),
                    None => self.problems.error(message),
                }
                Condition::All(Vec::new())
            }
        }
    }

    /// `{"$gt": 1, "$lt": 5}`; an object without operators is a value to be equal to.
    fn tests(&mut self, members: &Map<String, Value>, depth: usize) -> Vec<Test> {
        if !members.is_empty() && members.keys().all(|name| !name.starts_with('$')) {
            return vec![Test::Equal(Value::Object(members.clone()))];
        }
        if members.is_empty() || depth >= DEPTH_MAX {
            self.problems.error("Expected an operator such as $eq, not too deeply nested");
        }
        let mut tests = Vec::with_capacity(members.len());
        for (name, value) in members.iter().take_while(|_| depth < DEPTH_MAX) {
            if !self.has_room() {
                break;
            }
            tests.extend(self.within(name.as_str(), |reader| reader.test(name, value, members, depth)));
        }
        tests
    }

    fn test(&mut self, name: &str, value: &Value, all: &Map<String, Value>, depth: usize) -> Option<Test> {
        let compare = |ordered| Some(Test::Compare(ordered, value.clone()));
        match name {
            "$eq" => Some(Test::Equal(value.clone())),
            "$ne" => Some(Test::Not(vec![Test::Equal(value.clone())])),
            "$in" => self.values(value).map(Test::In),
            "$nin" => self.values(value).map(|values| Test::Not(vec![Test::In(values)])),
            "$gt" | "$gte" | "$lt" | "$lte" if !(value.is_number() || value.is_string()) => {
                self.problems.error(format!("Expected a number or a string, received {}", kind(value)));
                None
            }
            "$gt" => compare(Ordered::Greater),
            "$gte" => compare(Ordered::GreaterOrEqual),
            "$lt" => compare(Ordered::Less),
            "$lte" => compare(Ordered::LessOrEqual),
            "$exists" => self.flag(value).map(Test::Exists),
            "$regex" => self.regex(value, all.get("$options")).map(Test::Matches),
            "$options" if all.contains_key("$regex") => None,
            "$not" => match value {
                Value::Object(members) => Some(Test::Not(self.tests(members, depth + 1))),
                other => Some(Test::Not(vec![Test::Equal(other.clone())])),
            },
            _ => {
                let guess = meant(name, OPERATORS).unwrap_or(format!("known are {}", OPERATORS.join(", ")));
                self.problems.error_with(format!("unknown operator {}", quoted(name)), guess);
                None
            }
        }
    }

    fn values(&mut self, value: &Value) -> Option<Vec<Value>> {
        let Value::Array(values) = value else {
            self.problems.error(format!("Expected array, received {}", kind(value)));
            return None;
        };
        self.size.parts += values.len();
        self.has_room().then(|| values.clone())
    }

    fn flag(&mut self, value: &Value) -> Option<bool> {
        let flag = value.as_bool();
        if flag.is_none() {
            self.problems.error(format!("Expected boolean, received {}", kind(value)));
        }
        flag
    }

    fn regex(&mut self, value: &Value, options: Option<&Value>) -> Option<Regex> {
        let Some(pattern) = value.as_str().filter(|pattern| pattern.len() <= REGEX_BYTES_MAX) else {
            self.problems.error(format!("Expected a pattern of at most {REGEX_BYTES_MAX} bytes"));
            return None;
        };
        let options = options.and_then(Value::as_str).unwrap_or_default();
        if let Some(strange) = options.chars().find(|option| !"imsx".contains(*option)) {
            self.problems.error_with(format!("unknown regex option {strange:?}"), "known are i, m, s and x");
        }
        let has = |option| options.contains(option);
        let built = RegexBuilder::new(pattern)
            .case_insensitive(has('i'))
            .multi_line(has('m'))
            .dot_matches_new_line(has('s'))
            .ignore_whitespace(has('x'))
            .size_limit(REGEX_PROGRAM_BYTES_MAX)
            .dfa_size_limit(REGEX_PROGRAM_BYTES_MAX)
            .build();
        match built {
            Ok(regex) => Some(regex),
            Err(cause) => {
                let cause = cause.to_string();
                let last = cause.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                self.problems.error_with(
                    format!("the pattern cannot be used: {last}"),
                    "look-around and back-references are not supported",
                );
                None
            }
        }
    }

    /// Says once that there is too much of it.
    fn has_room(&mut self) -> bool {
        self.size.parts += 1;
        let has_room = self.size.parts <= PARTS_MAX;
        if !has_room && !self.size.told {
            self.size.told = true;
            self.problems.error(format!("a condition may have {PARTS_MAX} parts"));
        }
        has_room
    }

    fn within<T>(&mut self, place: impl Into<super::super::Place>, work: impl FnOnce(&mut Reader<'_>) -> T) -> T {
        let size = self.size;
        let (done, size) = self.problems.within(place, |problems| {
            let mut inner = Reader { problems, size };
            (work(&mut inner), inner.size)
        });
        self.size = size;
        done
    }
}
