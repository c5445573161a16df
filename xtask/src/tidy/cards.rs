//! Every module opens with a room card.
//!
//! Enters: Rust files. Leaves: those whose first lines do not say, in a sentence, what they do.
//! Never: reads on: whether the card is true is for a person to see.

use super::Finding;
use super::tree::{File, Tree, is_shipped};

/// Above this, what enters, what leaves and what never happens is no longer plain at a glance.
const SMALL_LINES_MAX: usize = 100;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let modules = tree.rust().map(|(file, _)| file).filter(|file| file.path.contains("/src/"));
    modules.filter_map(judge).collect()
}

fn judge(file: &File) -> Option<Finding> {
    let card: Vec<&str> = file.text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim).collect();
    let sentence: Vec<&str> = card.iter().copied().take_while(|line| !line.is_empty()).collect();
    let ends = sentence.last().is_some_and(|line| line.ends_with(['.', '?', '!', ':', '`']));
    if !ends {
        let wrong = if card.is_empty() {
            "the module has no room card"
        } else {
            "the room card does not begin with a sentence"
        };
        return Some(Finding::at(&file.path, 1, wrong, "open it with `//! What it does.`, see a neighbour"));
    }
    let says_bounds = card.iter().any(|line| ["Enters:", "Leaves:", "Never:"].iter().any(|word| line.contains(word)));
    let is_long = file.text.lines().count() > SMALL_LINES_MAX && is_shipped(&file.path);
    (is_long && !says_bounds).then(|| {
        let wrong = format!("more than {SMALL_LINES_MAX} lines and the room card does not say what enters, what leaves or what never happens");
        Finding::at(&file.path, 1, wrong, "add `//! Enters: ... Leaves: ...` and `//! Never: ...`")
    })
}
