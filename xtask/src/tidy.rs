//! Checks the invariants of this repository that a program can check.
//!
//! Enters: the committed files and cargo's list of our crates. Leaves: findings, each with a place, what is wrong and what to do.
//! Never: changes a file, or judges taste, so that people may talk about design.
//!
//! A line that has to break a rule says why, on the line itself or just above it: `// tidy-allow(RULE): because ...`.
//! For a rule about a whole file the comment may stand anywhere in it.

mod banned;
mod cards;
mod catalog;
mod floors;
mod length;
mod links;
mod names;
mod privacy;
mod rust;
#[cfg(test)]
mod tests;
mod tree;

use std::fmt;
use std::process::ExitCode;

use tree::Tree;

/// Every rule there is. A new one needs a bad sample in `tests.rs`, or the tests fail.
const RULES: &[Rule] = &[
    Rule { name: "floors", check: floors::check },
    Rule { name: "provider-names", check: names::check },
    Rule { name: "room-cards", check: cards::check },
    Rule { name: "banned", check: banned::check },
    Rule { name: "length", check: length::check },
    Rule { name: "privacy", check: privacy::check },
    Rule { name: "links", check: links::check },
    Rule { name: "catalog", check: catalog::check },
];

struct Rule {
    name: &'static str,
    check: fn(&Tree) -> Vec<Finding>,
}

/// Something that is not as it should be.
struct Finding {
    path: String,
    /// From 1; absent when the file as a whole is meant.
    line: Option<usize>,
    wrong: String,
    instead: String,
    /// A hint is shown and fails nothing.
    hint: bool,
}

/// Checks everything; the last line is `N passed, N failed`, counted in rules.
pub(super) fn run() -> anyhow::Result<ExitCode> {
    let tree = Tree::read()?;
    let mut failed = 0;
    for rule in RULES {
        let findings = broken(rule, &tree);
        failed += usize::from(findings.iter().any(|finding| !finding.hint));
        for finding in findings {
            println!("{finding} [{}]", rule.name);
        }
    }
    println!("tidy: {} rules over {} files", RULES.len(), tree.files.len());
    println!("{} passed, {failed} failed", RULES.len() - failed);
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What breaks the rule and does not say why.
fn broken(rule: &Rule, tree: &Tree) -> Vec<Finding> {
    let mut findings = (rule.check)(tree);
    findings.retain(|finding| !tree.allows(rule.name, &finding.path, finding.line));
    findings
}

// === impl Finding ===

impl Finding {
    fn at(path: &str, line: usize, wrong: impl Into<String>, instead: impl Into<String>) -> Self {
        Self { path: path.into(), line: Some(line), wrong: wrong.into(), instead: instead.into(), hint: false }
    }

    fn in_file(path: &str, wrong: impl Into<String>, instead: impl Into<String>) -> Self {
        Self { path: path.into(), line: None, wrong: wrong.into(), instead: instead.into(), hint: false }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.hint { "hint: " } else { "" };
        match self.line {
            Some(line) => write!(f, "{}:{line}: {kind}{}; {}", self.path, self.wrong, self.instead),
            None => write!(f, "{}: {kind}{}; {}", self.path, self.wrong, self.instead),
        }
    }
}
