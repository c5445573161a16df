//! What is committed names no machine it was written on and no place it was fetched from.
//!
//! Enters: every text file. Leaves: paths into somebody's machine and hosts of package registries.
//! Never: contains what it looks for, or it would find itself: the patterns are put together from halves.

use super::Finding;
use super::tree::{File, Tree};

/// What must not be said, and what to say instead.
const PATTERNS: &[(&str, &str)] = &[
    (concat!("/wo", "rk/"), PATH),
    (concat!("/ro", "ot/"), PATH),
    (concat!("/ho", "me/"), PATH),
    (concat!("/Us", "ers/"), PATH),
    (concat!("registry.np", "mjs"), HOST),
    (concat!("registry.ya", "rnpkg"), HOST),
    (concat!("files.pytho", "nhosted"), HOST),
    (concat!("pypi.or", "g/simple"), HOST),
    (concat!("static.crat", "es.io"), HOST),
    (concat!("index.crat", "es.io"), HOST),
    // Any host at all in a lock file of npm: its `resolved` entries are where one machine happened to fetch from.
    (concat!("\"resol", "ved\": \"http"), HOST),
];

const PATH: &str = "use a path relative to the repository, `~` or a temporary folder";
const HOST: &str = "leave the host to the settings of whoever installs (npm: omit-lockfile-registry-resolved)";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.files.iter().flat_map(in_file).collect()
}

fn in_file(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in file.text.lines().enumerate() {
        for (pattern, instead) in PATTERNS.iter().filter(|(pattern, _)| says(line, pattern)) {
            findings.push(Finding::at(&file.path, number + 1, format!("the text contains `{pattern}`"), *instead));
        }
    }
    findings
}

/// A path only counts where it begins: a URL may well have a segment of that name further in.
fn says(line: &str, pattern: &str) -> bool {
    let begins =
        |at: usize| !line[..at].ends_with(|before: char| before.is_alphanumeric() || "._-~}/".contains(before));
    line.match_indices(pattern).any(|(at, _)| !pattern.starts_with('/') || begins(at))
}
