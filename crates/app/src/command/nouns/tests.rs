//! The table's nouns are a whole command line, and the page about it says what there is.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use clap::{Command, CommandFactory};

use super::*;
use crate::args::{Cli, tree};

#[test]
fn the_parser_is_sound() {
    tree().debug_assert();
}

#[test]
fn no_verb_is_said_twice() {
    let mut seen = BTreeSet::new();
    for Spoken { verb, row, .. } in spoken() {
        assert!(seen.insert((verb.noun, verb.name)), "{} {} twice: {}", verb.noun, verb.name, row.op);
        serde_json::from_str::<serde_json::Value>(verb.fills).unwrap();
    }
    for noun in
        "gateway route key token provider log dataset evaluation policy secret custom-provider cache audit credits"
            .split(' ')
    {
        let there = tree();
        let verbs = there.get_subcommands().find(|each| each.get_name() == noun);
        assert!(verbs.is_some_and(Command::has_subcommands), "{noun}");
    }
}

/// An example that its own parser refuses is worse than none.
#[test]
fn every_verb_has_an_example_that_is_taken() {
    // Where a verb is more than its row, its own examples count, below.
    let written = Cli::command();
    let is_row = |verb: &Verb| written.find_subcommand(verb.noun).is_none_or(|there| !has(there, verb.name));
    for spoken in spoken().filter(|spoken| is_row(&spoken.verb)) {
        let line = example(&spoken);
        let matches = tree().try_get_matches_from(line.split(' '));
        let matches = matches.unwrap_or_else(|wrong| panic!("{line}: {wrong}"));
        assert!(matches.subcommand().is_some(), "{line}");
    }
    let tree = tree();
    for noun in tree.get_subcommands().filter(|each| spoken().any(|spoken| spoken.verb.noun == each.get_name())) {
        for verb in noun.get_subcommands() {
            let help = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            let examples = help + &noun.get_after_help().map(ToString::to_string).unwrap_or_default();
            let line = format!("tollgate {} {}", noun.get_name(), verb.get_name());
            let alias = verb.get_all_aliases().map(|alias| format!("tollgate {} {alias}", noun.get_name()));
            assert!(alias.chain([line.clone()]).any(|line| examples.contains(&line)), "{line} has no example");
        }
    }
}

/// `BLESS=1 cargo test -p tollgate-app nouns` rewrites the list of verbs in docs/cli.md.
#[test]
fn the_page_lists_every_verb() {
    const MARK: &str = "<!-- Written by `BLESS=1 cargo test -p tollgate-app nouns` from the table of endpoints. -->\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cli.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (head, told) = page.split_once(MARK).unwrap();
    let listed = listed();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, format!("{head}{MARK}{listed}")).unwrap();
    } else {
        assert!(told == listed, "docs/cli.md is not the command line; run with BLESS=1");
    }
}

fn listed() -> String {
    let mut text = String::new();
    for noun in tree().get_subcommands() {
        if noun.get_subcommands().next().is_none() || noun.get_name() == "help" {
            continue;
        }
        let about = noun.get_about().map(ToString::to_string).unwrap_or_default();
        write!(text, "\n### {}\n\n{about}.\n\n| verb | |\n|---|---|\n", noun.get_name()).unwrap();
        for verb in noun.get_subcommands() {
            let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
            let about = about.replace('|', "\\|");
            let about: String = about.split_inclusive(". ").next().unwrap_or_default().trim().to_owned();
            writeln!(text, "| `{}` | {about} |", verb.get_name()).unwrap();
        }
    }
    text
}
