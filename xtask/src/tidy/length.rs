//! Files stay short enough to be read in one go.
//!
//! Enters: Rust files. Leaves: a hint for a long one, a finding for one that nobody reads to the end.

use super::Finding;
use super::tree::{File, Tree};

const HINT_LINES: usize = 400;
const LINES_MAX: usize = 700;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust().filter_map(|(file, _)| judge(file)).collect()
}

fn judge(file: &File) -> Option<Finding> {
    let lines = file.text.lines().count();
    let instead =
        "move what has its own noun into a file beside it; a table may stay, with `tidy-allow(length): table`";
    let finding = Finding::in_file(&file.path, format!("{lines} lines"), instead);
    (lines > HINT_LINES).then_some(Finding { hint: lines <= LINES_MAX, ..finding })
}
