//! A query string as the original understands it (control-plane specification, 1.4).
//!
//! Enters: the raw text behind the question mark. Leaves: typed values, and a fault for each that cannot be one.
//! Never: fails at a parameter it was not asked for.
//!
//! Empty means null, which means absent. A repeated key is a list, which no single value can be.

use percent_encoding::percent_decode_str;

use crate::problem::Problem;
use crate::shape::{Fault, Member};
use crate::time;

/// Far more than any client sends.
const PAIRS_MAX: usize = 2_000;

#[derive(Debug, Default)]
pub struct Query {
    pairs: Vec<(String, String)>,
    too_many: bool,
    /// What the row of the table says may be asked. Debug builds hold the handlers to it, so that no parameter stays undocumented.
    declared: Option<&'static [Member]>,
}

/// Reads parameters and gathers what is wrong with them.
#[derive(Debug)]
pub struct Reader<'q> {
    query: &'q Query,
    faults: Vec<Fault>,
}

// === impl Query ===

impl Query {
    pub fn parse(raw: &str) -> Self {
        let mut parts = raw.split('&').filter(|pair| !pair.is_empty());
        let pairs = parts.by_ref().take(PAIRS_MAX).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        });
        Self { pairs: pairs.collect(), too_many: parts.next().is_some(), declared: None }
    }

    pub fn declared(self, members: &'static [Member]) -> Self {
        Self { declared: Some(members), ..self }
    }

    pub fn reader(&self) -> Reader<'_> {
        // Left out silently, a filter would show rows that were not asked for.
        let too_many = self.too_many.then(|| Fault::new(["query"], format!("At most {PAIRS_MAX} parameters")));
        Reader { query: self, faults: too_many.into_iter().collect() }
    }
}

/// `+` and `%20` both mean a space.
fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

// === impl Reader ===

impl<'q> Reader<'q> {
    pub fn text(&mut self, name: &str) -> Option<&'q str> {
        self.single(name, "string")
    }

    pub fn flag(&mut self, name: &str) -> Option<bool> {
        match self.single(name, "boolean")? {
            "true" => Some(true),
            "false" => Some(false),
            _ => self.fault(name, "Expected boolean, received string"),
        }
    }

    pub fn number(&mut self, name: &str) -> Option<f64> {
        match self.single(name, "number")?.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Some(number),
            _ => self.fault(name, "Expected number, received nan"),
        }
    }

    /// A whole number, both bounds inclusive.
    pub fn whole(&mut self, name: &str, min: u64, max: u64) -> Option<u64> {
        let number = self.number(name)?;
        if number.fract() != 0.0 {
            return self.fault(name, "Expected integer, received float");
        }
        if number < min as f64 {
            return self.fault(name, format!("Number must be greater than or equal to {min}"));
        }
        if number > max as f64 {
            return self.fault(name, format!("Number must be less than or equal to {max}"));
        }
        Some(number as u64)
    }

    pub fn word<T: Copy>(&mut self, name: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.single(name, "string")?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let expected = words.iter().map(|(word, _)| format!("'{word}'")).collect::<Vec<_>>().join(" | ");
        self.fault(name, format!("Invalid enum value. Expected {expected}, received '{text}'"))
    }

    /// As unix milliseconds.
    pub fn time(&mut self, name: &str) -> Option<u64> {
        let text = self.single(name, "string")?;
        match time::read(text) {
            Some(ms) => Some(ms),
            None => self.fault(name, "Invalid datetime"),
        }
    }

    pub fn required(&mut self, name: &str) {
        if self.pairs().iter().all(|(each, value)| each != name || value.is_empty()) {
            self.faults.push(Fault::new(["query", name], "Required"));
        }
    }

    pub fn note(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    pub fn pairs(&self) -> &'q [(String, String)] {
        &self.query.pairs
    }

    pub fn finish(self) -> Result<(), Problem> {
        if self.faults.is_empty() { Ok(()) } else { Err(Problem::invalid(self.faults)) }
    }

    fn single(&mut self, name: &str, expected: &str) -> Option<&'q str> {
        debug_assert!(
            self.query.declared.is_none_or(|members| members.iter().any(|member| member.name == name)),
            "the parameter `{name}` is read, but the row of the table does not list it"
        );
        let mut found = self.query.pairs.iter().filter(|(each, _)| each == name).map(|(_, value)| value.as_str());
        let first = found.next()?;
        if found.next().is_some() {
            return self.fault(name, format!("Expected {expected}, received array"));
        }
        (!first.is_empty()).then_some(first)
    }

    fn fault<T>(&mut self, name: &str, message: impl Into<String>) -> Option<T> {
        self.faults.push(Fault::new(["query", name], message));
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_coerced_by_what_is_asked_for() {
        let query = Query::parse("n=2.5&page=3&on=true&off=false&empty=&text=a+b%20c%2B&day=2026-11-18");
        let mut read = query.reader();
        assert_eq!(read.number("n"), Some(2.5));
        assert_eq!(read.whole("page", 1, 9), Some(3));
        assert_eq!((read.flag("on"), read.flag("off"), read.flag("empty")), (Some(true), Some(false), None));
        assert_eq!(read.text("text"), Some("a b c+"));
        assert_eq!(read.time("day"), Some(1_794_960_000_000));
        assert!(read.finish().is_ok());
    }

    #[test]
    fn more_parameters_than_anyone_sends_are_refused() {
        assert!(Query::parse(&"a=1&".repeat(PAIRS_MAX)).reader().finish().is_ok());
        assert!(Query::parse(&"a=1&".repeat(PAIRS_MAX + 1)).reader().finish().is_err());
    }

    #[test]
    fn each_fault_is_told() {
        let query = Query::parse("a=x&b=0&c=51&d=1.5&e=maybe&f=up&g=1&g=2&h=never&i=inf");
        let mut read = query.reader();
        read.number("a");
        read.whole("b", 1, 50);
        read.whole("c", 1, 50);
        read.whole("d", 1, 50);
        read.flag("e");
        read.word("f", &[("asc", 1), ("desc", 2)]);
        read.number("g");
        read.time("h");
        read.number("i");
        let said: Vec<String> = read.faults.iter().map(Fault::to_string).collect();
        let expected = [
            "query.a: Expected number, received nan",
            "query.b: Number must be greater than or equal to 1",
            "query.c: Number must be less than or equal to 50",
            "query.d: Expected integer, received float",
            "query.e: Expected boolean, received string",
            "query.f: Invalid enum value. Expected 'asc' | 'desc', received 'up'",
            "query.g: Expected number, received array",
            "query.h: Invalid datetime",
            "query.i: Expected number, received nan",
        ];
        assert_eq!(said, expected);
    }
}
