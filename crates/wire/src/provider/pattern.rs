//! Reads a path by a pattern such as `bedrock-runtime/{region}/{rest*}` or `models/{model}:generateContent`.
//!
//! Enters: a path without leading slash. Leaves: what stands in the pattern's holes, as it was received.
//! Never: decodes, or looks at a query.
//!
//! All of the grammar: segments are parted by `/`; `{name}` stands for a non-empty part of a segment, one to a segment; `{name*}` is a
//! segment of its own, at most one to a pattern, and stands for any number of segments.

use super::fault::{BadRow, quoted};

pub(super) const HOLES_MAX: usize = 8;

#[derive(Clone, Debug)]
pub(super) struct Pattern {
    text: String,
    holes: Vec<String>,
    front: Vec<Segment>,
    star: Option<Star>,
}

#[derive(Clone, Debug)]
struct Star {
    hole: usize,
    back: Vec<Segment>,
}

#[derive(Clone, Debug)]
struct Segment {
    before: String,
    hole: Option<usize>,
    after: String,
}

/// What stood in the holes; `None` where the star found no segment at all.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Found<'a>([Option<&'a str>; HOLES_MAX]);

// === impl Pattern ===

impl Pattern {
    pub(super) fn compile(text: &str) -> Result<Self, BadRow> {
        let mut pattern = Self { text: text.to_owned(), holes: Vec::new(), front: Vec::new(), star: None };
        for part in text.split('/') {
            pattern.push(part)?;
        }
        Ok(pattern)
    }

    fn push(&mut self, part: &str) -> Result<(), BadRow> {
        if let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix("*}")) {
            let hole = self.hole(name)?;
            if self.star.replace(Star { hole, back: Vec::new() }).is_some() {
                return Err(self.bad("has two stars", "leave one"));
            }
            return Ok(());
        }
        let segment = self.segment(part)?;
        match &mut self.star {
            Some(star) => star.back.push(segment),
            None => self.front.push(segment),
        }
        Ok(())
    }

    fn segment(&mut self, part: &str) -> Result<Segment, BadRow> {
        let Some((before, rest)) = part.split_once('{') else {
            return match part {
                "" => Err(self.bad("has an empty segment", "write it without doubled or outer slashes")),
                _ if part.contains('}') => Err(self.bad("has a `}` too many", "remove it")),
                _ => Ok(Segment { before: part.to_owned(), hole: None, after: String::new() }),
            };
        };
        match rest.split_once('}') {
            Some((name, after)) if !after.contains(['{', '}']) => {
                let hole = self.hole(name)?;
                Ok(Segment { before: before.to_owned(), hole: Some(hole), after: after.to_owned() })
            }
            _ => {
                Err(self.bad("has a hole that does not end, or two in one segment", "write `{name}` once in a segment"))
            }
        }
    }

    fn hole(&mut self, name: &str) -> Result<usize, BadRow> {
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
            return Err(self.bad(&format!("has a hole named {}", quoted(name)), "name it with lower-case letters"));
        }
        if self.hole_named(name).is_some() || self.holes.len() == HOLES_MAX {
            return Err(
                self.bad(&format!("names {} twice, or too many holes", quoted(name)), "name each hole once, 8 at most")
            );
        }
        self.holes.push(name.to_owned());
        Ok(self.holes.len() - 1)
    }

    fn bad(&self, wrong: &str, instead: &str) -> BadRow {
        BadRow::new("pattern", format!("{} {wrong}", quoted(&self.text)), instead)
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn hole_named(&self, name: &str) -> Option<usize> {
        self.holes.iter().position(|known| known == name)
    }

    pub(super) fn hole_name(&self, hole: usize) -> &str {
        self.holes.get(hole).map_or("", String::as_str)
    }

    /// Slashes in front of what the star stands for are dropped: callers' base URLs may end in one.
    pub(super) fn read<'a>(&self, path: &'a str) -> Option<Found<'a>> {
        let mut found = Found::default();
        let mut left = (!path.is_empty()).then_some(path);
        for segment in &self.front {
            let (first, rest) = cut(left?);
            segment.read(first, &mut found)?;
            left = rest;
        }
        let Some(star) = &self.star else {
            return left.is_none_or(str::is_empty).then_some(found);
        };
        for segment in star.back.iter().rev() {
            let (rest, last) = cut_last(left?);
            segment.read(last, &mut found)?;
            left = rest;
        }
        found.0[star.hole] = left.map(|text| text.trim_start_matches('/'));
        Some(found)
    }
}

/// The first segment, and what follows its slash.
fn cut(path: &str) -> (&str, Option<&str>) {
    match path.bytes().position(|byte| byte == b'/') {
        Some(slash) => (&path[..slash], Some(&path[slash + 1..])),
        None => (path, None),
    }
}

/// What stands before the last segment's slash, and the last segment.
fn cut_last(path: &str) -> (Option<&str>, &str) {
    match path.bytes().rposition(|byte| byte == b'/') {
        Some(slash) => (Some(&path[..slash]), &path[slash + 1..]),
        None => (None, path),
    }
}

// === impl Segment ===

impl Segment {
    fn read<'a>(&self, text: &'a str, found: &mut Found<'a>) -> Option<()> {
        let Some(hole) = self.hole else { return (text == self.before).then_some(()) };
        let inner = text.strip_prefix(&*self.before)?.strip_suffix(&*self.after)?;
        found.0[hole] = Some(inner);
        (!inner.is_empty()).then_some(())
    }
}

// === impl Found ===

impl<'a> Found<'a> {
    pub(super) fn get(&self, hole: usize) -> Option<&'a str> {
        self.0.get(hole).copied().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The holes' contents in order, joined; `-` for nothing.
    fn read(pattern: &str, path: &str) -> Option<String> {
        let pattern = Pattern::compile(pattern).unwrap();
        let found = pattern.read(path)?;
        let contents: Vec<&str> = (0..pattern.holes.len()).map(|hole| found.get(hole).unwrap_or("-")).collect();
        Some(contents.join(" "))
    }

    #[test]
    fn patterns_read_paths() {
        for (pattern, path, expected) in [
            ("{rest*}", "", Some("-")),
            ("{rest*}", "a", Some("a")),
            ("{rest*}", "a/b/", Some("a/b/")),
            ("{rest*}", "/a//b", Some("a//b")),
            ("v2/{rest*}", "v2", Some("-")),
            ("v2/{rest*}", "v2/", Some("")),
            ("v2/{rest*}", "v2//a", Some("a")),
            ("v2/{rest*}", "v22/a", None),
            ("a/b", "a/b", Some("")),
            ("a/b", "a/b/", Some("")),
            ("a/b", "a", None),
            ("a/b", "a/b/c", None),
            ("a/b", "", None),
            ("x/{region}/{rest*}", "x/r/a/b", Some("r a/b")),
            ("x/{region}/{rest*}", "x//a/b", None),
            ("m/{model}:run", "m/g:run", Some("g")),
            ("m/{model}:run", "m/a:b:run", Some("a:b")),
            ("m/{model}:run", "m/:run", None),
            ("m/{model}:run", "m/a:walk", None),
            ("{v}/{scope*}/m/{model}:run", "v1/m/a:run", Some("v1 - a")),
            ("{v}/{scope*}/m/{model}:run", "v1/p/q/m/a:run", Some("v1 p/q a")),
            ("model/{model*}/go", "model/a/b/go", Some("a/b")),
            ("model/{model*}/go", "model/go", Some("-")),
            ("model/{model*}/go", "model", None),
        ] {
            assert_eq!(read(pattern, path).as_deref(), expected, "{pattern} reads {path:?}");
        }
    }

    #[test]
    fn a_pattern_that_means_nothing_is_refused() {
        for (pattern, part) in [
            ("a//b", "empty segment"),
            ("/a", "empty segment"),
            ("", "empty segment"),
            ("{a*}/{b*}", "two stars"),
            ("{a}-{b}", "two in one segment"),
            ("{a", "does not end"),
            ("a}", "a `}` too many"),
            ("{}", "a hole named"),
            ("{A}", "a hole named"),
            ("{a}/{a}", "twice"),
            ("{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}", "too many holes"),
        ] {
            let said = Pattern::compile(pattern).unwrap_err().to_string();
            assert!(said.contains(part), "{pattern}: {said}");
        }
    }
}
