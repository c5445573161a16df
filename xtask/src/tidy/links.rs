//! Links between documents lead somewhere.
//!
//! Enters: Markdown files. Leaves: relative links whose target is not in the repository.
//! Never: asks the network whether a host still answers.

use std::collections::BTreeSet;

use super::Finding;
use super::tree::{File, Tree};

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let known = known_paths(tree);
    let documents = tree.files.iter().filter(|file| file.path.ends_with(".md"));
    documents.flat_map(|file| in_file(file, &known)).collect()
}

/// Files, and the folders they are in.
fn known_paths(tree: &Tree) -> BTreeSet<&str> {
    let mut known = BTreeSet::from([""]);
    for file in &tree.files {
        known.insert(&file.path);
        known.extend(file.path.match_indices('/').map(|(at, _)| &file.path[..at]));
    }
    known
}

fn in_file(file: &File, known: &BTreeSet<&str>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut fenced = false;
    for (number, line) in file.text.lines().enumerate() {
        fenced ^= line.trim_start().starts_with("```");
        let targets = if fenced { Vec::new() } else { targets(line) };
        for target in targets.into_iter().filter(|target| !leads_somewhere(&file.path, target, known)) {
            let wrong = format!("the link `{target}` leads to nothing in this repository");
            findings.push(Finding::at(&file.path, number + 1, wrong, "correct the path or drop the link"));
        }
    }
    findings
}

/// `[text](target)` and `[text](target "title")`.
fn targets(line: &str) -> Vec<&str> {
    let openings = line.match_indices("](").map(|(at, mark)| &line[at + mark.len()..]);
    openings.filter_map(|rest| rest.split_once(')')?.0.split_whitespace().next()).collect()
}

fn leads_somewhere(from: &str, target: &str, known: &BTreeSet<&str>) -> bool {
    let path = target.split('#').next().unwrap_or_default();
    if path.is_empty() || target.contains("://") || target.starts_with("mailto:") {
        return true;
    }
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = if path.starts_with('/') { Vec::new() } else { folder.split('/').collect() };
    for part in path.split('/') {
        match part {
            "" | "." => {}
            // Above the root there is nothing that a clone would have.
            ".." if parts.pop().is_none() => return false,
            ".." => {}
            name => parts.push(name),
        }
    }
    parts.retain(|part| !part.is_empty());
    known.contains(parts.join("/").as_str())
}
