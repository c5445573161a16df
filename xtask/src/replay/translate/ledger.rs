//! What telling again found.
//!
//! Enters: counts and losses as they happen. Leaves: a table by dialect, losses by kind, every failure on a line. Never: hides a failure.

use std::collections::BTreeMap;

use tollgate_wire::chat::Losses;
use tollgate_wire::dialect::Dialect;

use crate::replay::exchange::Exchange;

#[derive(Default)]
pub(super) struct Ledger {
    rows: BTreeMap<&'static str, Row>,
    /// From, to, kind and note: how often.
    lost: BTreeMap<(&'static str, &'static str, &'static str, String), usize>,
    skipped: BTreeMap<String, usize>,
    broken_off: Vec<String>,
    failures: Vec<String>,
}

#[derive(Default)]
struct Row {
    whole: usize,
    streamed: usize,
    faults: usize,
    /// Tellings: each answer in each dialect, whole and streamed.
    told: usize,
    equal: usize,
    listed: usize,
    requests_told: usize,
}

// === impl Ledger ===

impl Ledger {
    fn row(&mut self, dialect: Dialect) -> &mut Row {
        self.rows.entry(dialect.name()).or_default()
    }

    pub(super) fn skip(&mut self, exchange: &Exchange) {
        *self.skipped.entry(format!("{} {}", exchange.provider, exchange.operation)).or_default() += 1;
    }

    pub(super) fn failed(&mut self, exchange: &Exchange, dialect: Dialect, what: String) {
        self.failures.push(format!("FAILED {} ({}): {what}", exchange.id, dialect.name()));
    }

    pub(super) fn broken_off(&mut self, exchange: &Exchange, dialect: Dialect, why: String) {
        self.broken_off.push(format!("{} ({}): {why}", exchange.id, dialect.name()));
    }

    pub(super) fn fault(&mut self, dialect: Dialect) {
        self.row(dialect).faults += 1;
    }

    pub(super) fn answer(&mut self, dialect: Dialect, streamed: bool) {
        let row = self.row(dialect);
        *(if streamed { &mut row.streamed } else { &mut row.whole }) += 1;
    }

    pub(super) fn request(&mut self, from: Dialect, to: Dialect, losses: &Losses) {
        self.row(from).requests_told += 1;
        self.count(from, to, losses);
    }

    pub(super) fn told(&mut self, from: Dialect, to: Dialect, differences: &[String], losses: &Losses) {
        let row = self.row(from);
        row.told += 1;
        *(if differences.is_empty() { &mut row.equal } else { &mut row.listed }) += 1;
        self.count(from, to, losses);
    }

    fn count(&mut self, from: Dialect, to: Dialect, losses: &Losses) {
        for loss in losses.entries() {
            let key = (from.name(), to.name(), loss.kind.word(), loss.note.clone().into_owned());
            *self.lost.entry(key).or_default() += 1;
        }
    }

    pub(super) fn succeeded(&self) -> bool {
        self.failures.is_empty()
    }

    pub(super) fn to_markdown(&self) -> String {
        let mut text = String::from(HEAD);
        for (dialect, row) in &self.rows {
            let Row { whole, streamed, faults, requests_told, told, equal, listed } = row;
            text += &format!(
                "| {dialect} | {whole} | {streamed} | {faults} | {requests_told} | {told} | {equal} | {listed} |\n"
            );
        }
        text += "\nWhat the ledgers list:\n\n| from | to | kind | why | times |\n|---|---|---|---|---:|\n";
        for ((from, to, kind, note), times) in &self.lost {
            text += &format!("| {from} | {to} | {kind} | {note} | {times} |\n");
        }
        text += "\n";
        for (what, times) in &self.skipped {
            text += &format!("- not translated: {what} ({times})\n");
        }
        for line in self.broken_off.iter() {
            text += &format!("- ends without success, as recorded: {line}\n");
        }
        for line in &self.failures {
            text += &format!("- {line}\n");
        }
        let told: usize = self.rows.values().map(|row| row.told + row.requests_told + row.faults).sum();
        text + &format!("\n{} passed, {} failed", told.saturating_sub(self.failures.len()), self.failures.len())
    }
}

const HEAD: &str = "\
| provider's dialect | whole | streamed | errors | requests told | answers told | equal | differences listed |
|---|---:|---:|---:|---:|---:|---:|---:|
";
