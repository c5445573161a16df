//! No code branches on a provider's name.
//!
//! Enters: the folders of `catalog/providers` and the string literals of the rooms above `wire`. Leaves: the literals that are compared.
//! Never: minds a name that is merely said, in a message or in a test.

use super::Finding;
use super::rust::{Code, Literal, line_of};
use super::tree::{File, Tree, folders};

const ROOMS: &[&str] =
    &["crates/engine/src/", "crates/rules/src/", "crates/control/src/", "crates/store/src/", "crates/app/src/"];

const METHODS: &[&str] = &[".eq", ".ne", ".starts_with", ".ends_with", ".contains", ".eq_ignore_ascii_case"];

const INSTEAD: &str = "make it a property of the row in catalog/providers and ask for that";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let providers: Vec<&str> = folders(tree, "catalog/providers/").into_keys().collect();
    let rooms = tree.rust().filter(|(file, _)| file.is_below(ROOMS));
    rooms.flat_map(|(file, code)| in_file(file, code, &providers)).collect()
}

fn in_file(file: &File, code: &Code, providers: &[&str]) -> Vec<Finding> {
    let named = code.strings.iter().filter(|literal| providers.contains(&literal.text.as_str()));
    let compared = named.filter(|literal| is_compared(&code.shipped, literal));
    let finding = |literal: &Literal| {
        let wrong = format!("code branches on the provider name \"{}\"", literal.text);
        Finding::at(&file.path, line_of(&file.text, literal.span.start), wrong, INSTEAD)
    };
    compared.map(finding).collect()
}

/// Looks at the code around the literal: an equality, a pattern, a method that compares, or a constant to compare with.
fn is_compared(shipped: &str, literal: &Literal) -> bool {
    let before = shipped[..literal.span.start].trim_end_matches(['(', '&', '[', ' ', '\n']);
    let before = before.strip_suffix("Some").unwrap_or(before).trim_end_matches(['(', '&', ' ', '\n']);
    let after = shipped[literal.span.end..].trim_start_matches([')', ']', ' ', '\n']);
    let statement = before.rsplit([';', '{', '}']).next().unwrap_or_default();

    let equality = ["==", "!="].iter().any(|sign| before.ends_with(sign) || after.starts_with(sign));
    let arm = after.starts_with("=>") || after.starts_with("if ") || after.starts_with('|') && !after.starts_with("||");
    let pattern = statement.contains("matches!(") || statement.contains("if let");
    let method = METHODS.iter().any(|name| before.ends_with(name));
    let constant = before.ends_with('=') && ["const ", "static "].iter().any(|word| statement.contains(word));
    equality || arm || pattern || method || constant
}
