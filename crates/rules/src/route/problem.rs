//! What is wrong with a route, and where.
//!
//! Enters: a place in the document. Leaves: a sentence for people, with a suggestion where one can be made. Never: stops at the first.

use std::fmt;

/// A step of the way to a member: `elements`, 1, `properties`, `provider`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Name(String),
    Index(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The route would not serve.
    Error,
    /// It serves, but perhaps not as it was meant.
    Warning,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub severity: Severity,
    /// From the list of elements on: 1, `outputs`, `next`.
    pub path: Vec<Place>,
    pub message: String,
    pub suggestion: Option<String>,
}

/// Collects problems on the way down into a document.
#[derive(Clone, Debug, Default)]
pub(super) struct Problems {
    path: Vec<Place>,
    all: Vec<Problem>,
}

/// A hostile document of a megabyte should not make an answer of ten.
const PROBLEMS_MAX: usize = 100;

// === impl Problem ===

impl Problem {
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// Message and suggestion, for where the path is told apart.
    pub fn said(&self) -> String {
        match &self.suggestion {
            Some(suggestion) => format!("{} ({suggestion})", self.message),
            None => self.message.clone(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("elements")?;
        for place in &self.path {
            write!(f, ".{place}")?;
        }
        write!(f, ": {}", self.said())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Index(index) => write!(f, "{index}"),
        }
    }
}

impl From<&str> for Place {
    fn from(name: &str) -> Self {
        Self::Name(name.chars().take(64).collect())
    }
}

impl From<usize> for Place {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

// === impl Problems ===

impl Problems {
    /// Does `work` one step further down.
    pub(super) fn within<T>(&mut self, place: impl Into<Place>, work: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(place.into());
        let done = work(self);
        self.path.pop();
        done
    }

    pub(super) fn error(&mut self, message: impl Into<String>) {
        self.add(Severity::Error, message.into(), None);
    }

    pub(super) fn error_with(&mut self, message: impl Into<String>, suggestion: impl Into<String>) {
        self.add(Severity::Error, message.into(), Some(suggestion.into()));
    }

    pub(super) fn warning(&mut self, message: impl Into<String>, suggestion: impl Into<String>) {
        self.add(Severity::Warning, message.into(), Some(suggestion.into()));
    }

    fn add(&mut self, severity: Severity, message: String, suggestion: Option<String>) {
        // A later error must not hide behind warnings, nor the other way round: errors come first when there is no room for all.
        if self.all.len() < PROBLEMS_MAX || severity == Severity::Error && self.all.len() < 2 * PROBLEMS_MAX {
            self.all.push(Problem { severity, path: self.path.clone(), message, suggestion });
        }
    }

    pub(super) fn has_errors(&self) -> bool {
        self.all.iter().any(Problem::is_error)
    }

    pub(super) fn into_all(self) -> Vec<Problem> {
        self.all
    }
}

/// Text of strangers in a sentence of ours: short, and in quotes.
pub(super) fn quoted(text: &str) -> String {
    let short: String = text.chars().take(64).collect();
    format!("{short:?}")
}

/// `did you mean "rate"?`, when one of the words is close.
pub(super) fn meant<'a>(found: &str, words: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let found: String = found.chars().take(64).collect();
    let distance = |word: &&str| strsim::damerau_levenshtein(&found, word);
    let nearest = words.into_iter().min_by_key(distance)?;
    (distance(&nearest) <= 2.max(nearest.len() / 4)).then(|| format!("did you mean {nearest:?}?"))
}
