//! Every feature through every pair of dialects, and the table that docs/translation.md shows of it.
//!
//! `UPDATE_DOCS=1 cargo test -p tollgate-wire --test chat_laws` writes the table anew.

use std::fmt::Write;
use std::path::Path;

use tollgate_wire::chat::{LossKind, Losses};
use tollgate_wire::dialect::Dialect;

use crate::check::{Fate, chat, fate, streamed_answer, telling, written_answer, written_request};
use crate::{LAWFUL, answers, canon, requests};

const BEGIN: &str = "<!-- made by crates/wire/tests/chat_laws/pairs.rs, from here -->\n";
const END: &str = "<!-- to here -->\n";

#[test]
fn every_pair_carries_or_lists_every_feature_as_the_docs_say() {
    let mut table = String::new();
    for caller in LAWFUL {
        writeln!(table, "\n### Callers who speak {}\n", caller.name()).unwrap();
        section(&mut table, "Asked for", *caller, requests::ALL.iter().map(|feature| feature.name), |target, at| {
            request_cell(*caller, target, &requests::ALL[at])
        });
        writeln!(table).unwrap();
        section(&mut table, "Answered with", *caller, answers::ALL.iter().map(|feature| feature.name), |target, at| {
            answer_cell(*caller, target, &answers::ALL[at])
        });
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/translation.md");
    let docs = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = docs.split_once(BEGIN).unwrap();
    let (shown, after) = rest.split_once(END).unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
    } else {
        assert!(
            shown == table,
            "docs/translation.md is not what the tests found: run with UPDATE_DOCS=1 and look at the difference"
        );
    }
}

fn section<'a>(
    table: &mut String,
    title: &str,
    caller: Dialect,
    names: impl Iterator<Item = &'a str>,
    cell: impl Fn(Dialect, usize) -> Option<&'static str>,
) {
    let targets: Vec<_> = LAWFUL.iter().filter(|target| **target != caller).collect();
    write!(table, "| {title} |").unwrap();
    targets.iter().for_each(|target| write!(table, " {} |", target.name()).unwrap());
    write!(table, "\n|---|{}\n", "---|".repeat(targets.len())).unwrap();
    for (at, name) in names.enumerate() {
        let cells: Vec<_> = targets.iter().map(|target| cell(**target, at)).collect();
        if cells.iter().all(Option::is_none) {
            continue;
        }
        write!(table, "| {name} |").unwrap();
        cells.iter().for_each(|cell| write!(table, " {} |", cell.unwrap_or("–")).unwrap());
        table.push('\n');
    }
}

/// `None`: the caller's dialect cannot ask for it.
fn request_cell(caller: Dialect, target: Dialect, feature: &requests::Feature) -> Option<&'static str> {
    let mut request = requests::base(caller);
    (feature.add)(&mut request, target);
    let mut losses = Losses::default();
    let bytes = chat(caller).write_request(&request, &mut losses);
    let what = format!("{} from {} to {}", feature.name, caller.name(), target.name());
    // Foreign seals are written for providers nowhere; what a caller sends back was packed in an answer (`check::seals`).
    let sealed = feature.name.starts_with("sealed");
    if !losses.is_empty() && !sealed {
        return None;
    }
    let mut read = chat(caller).read_request(&bytes).unwrap_or_else(|fault| panic!("{what}: {fault}"));
    if sealed {
        read = request;
        read.origin = caller;
    }
    if read.model.is_empty() {
        read.model = "model-1".into();
    }
    let (_, fate) = written_request(target, &what, &read);
    Some(word(&fate))
}

/// `None`: the provider's dialect cannot answer so.
fn answer_cell(caller: Dialect, provider: Dialect, feature: &answers::Feature) -> Option<&'static str> {
    let mut answer = answers::base(provider);
    (feature.add)(&mut answer);
    let what = format!("{} from {} to {}", feature.name, provider.name(), caller.name());
    let mut losses = Losses::default();
    let bytes = chat(provider).write_answer(&answer, &telling(), &mut losses);
    if !losses.is_empty() {
        return None;
    }
    let read = chat(provider).read_answer(&bytes).unwrap_or_else(|fault| panic!("{what}: {fault}"));
    fate(&what, &canon::answer(&answer), &canon::answer(&read), &losses);
    let (_, whole) = written_answer(caller, &what, &read);
    let (_, streamed) = streamed_answer(caller, &what, &read);
    let (whole, streamed) = (word(&whole), word(&streamed));
    Some(if whole == streamed { whole } else { "differs when streamed" })
}

fn word(fate: &Fate) -> &'static str {
    match fate {
        Fate::Carried => "carried",
        Fate::Listed(entries) if entries.iter().any(|(kind, _)| *kind == LossKind::Dropped) => "dropped, listed",
        Fate::Listed(_) => "approximated, listed",
    }
}
