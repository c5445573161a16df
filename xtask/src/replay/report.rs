//! What a replay found, for people and for programs.
//!
//! Enters: a verdict on each exchange. Leaves: a Markdown table by provider and operation, the totals, one line for each exception; or the same as
//! JSON. Never: hides an exception.

use std::collections::BTreeMap;

use serde::Serialize;

use super::exchange::Exchange;
use super::judge::{Price, Usage};

/// What was found about one exchange.
pub(super) struct Verdict {
    pub(super) differences: Vec<String>,
    pub(super) usage: Usage,
    pub(super) price: Price,
    /// As the log has it.
    pub(super) model: String,
}

#[derive(Default, Serialize)]
pub(super) struct Report {
    rows: BTreeMap<String, BTreeMap<String, Row>>,
    total: Row,
    exceptions: Vec<Exception>,
    passed: usize,
    failed: usize,
}

#[derive(Clone, Default, Serialize)]
struct Row {
    n: usize,
    /// Request, answer and record.
    identical: usize,
    usage_right: usize,
    usage_wrong: usize,
    usage_not_recorded: usize,
    priced: usize,
    price_unknown: usize,
}

#[derive(Serialize)]
struct Exception {
    id: String,
    /// An exception that is no failure: a price that nobody knows.
    failed: bool,
    reason: String,
}

// === impl Report ===

impl Report {
    pub(super) fn add(&mut self, exchange: &Exchange, verdict: Verdict) {
        let operations = self.rows.entry(exchange.provider.clone()).or_default();
        operations.entry(exchange.operation.clone()).or_default().count(&verdict);
        self.total.count(&verdict);
        let failed = verdict.failed();
        *(if failed { &mut self.failed } else { &mut self.passed }) += 1;
        self.exceptions.extend(verdict.reasons().map(|(failed, reason)| Exception {
            id: exchange.id.clone(),
            failed,
            reason,
        }));
    }

    pub(super) fn succeeded(&self) -> bool {
        self.failed == 0
    }

    pub(super) fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self)
    }

    pub(super) fn to_markdown(&self) -> String {
        let mut text = String::from(HEAD);
        for (provider, operations) in &self.rows {
            for (operation, row) in operations {
                text += &row.to_markdown(provider, operation);
            }
        }
        text += &self.total.to_markdown("**all**", "");
        text += &self.total.rates();
        text += &self.exceptions.iter().map(|exception| format!("- {exception}\n")).collect::<String>();
        text + &format!("\n{} passed, {} failed", self.passed, self.failed)
    }
}

const HEAD: &str = "\
| provider | operation | n | identical | usage right | usage wrong | none recorded | priced | price unknown |
|---|---|---:|---:|---:|---:|---:|---:|---:|
";

// === impl Row ===

impl Row {
    fn count(&mut self, verdict: &Verdict) {
        self.n += 1;
        self.identical += usize::from(verdict.differences.is_empty());
        match verdict.usage {
            Usage::Right => self.usage_right += 1,
            Usage::NotRecorded => self.usage_not_recorded += 1,
            Usage::Wrong(_) => self.usage_wrong += 1,
        }
        match verdict.price {
            Price::Priced => self.priced += 1,
            Price::Unknown => self.price_unknown += 1,
            Price::Nothing => {}
        }
    }

    fn to_markdown(&self, provider: &str, operation: &str) -> String {
        let Self { n, identical, usage_right, usage_wrong, usage_not_recorded, priced, price_unknown } = self;
        format!(
            "| {provider} | {operation} | {n} | {identical} | {usage_right} | {usage_wrong} | {usage_not_recorded} | {priced} | {price_unknown} |\n"
        )
    }

    fn rates(&self) -> String {
        let identical = percent(self.identical, self.n);
        let right = percent(self.usage_right, self.usage_right + self.usage_wrong);
        let priced = percent(self.priced, self.priced + self.price_unknown);
        format!(
            "\nidentical {identical}, usage right {right} of what was recorded, priced {priced} of what was used\n\n"
        )
    }
}

/// Rounded down: 100 % means all.
fn percent(part: usize, of: usize) -> String {
    let tenths = (part * 1_000).checked_div(of).unwrap_or(1_000);
    format!("{}.{} % ({part}/{of})", tenths / 10, tenths % 10)
}

// === impl Verdict ===

impl Verdict {
    fn failed(&self) -> bool {
        !self.differences.is_empty() || matches!(self.usage, Usage::Wrong(_))
    }

    /// Each with whether it is a failure.
    fn reasons(&self) -> impl Iterator<Item = (bool, String)> {
        let wrong = match &self.usage {
            Usage::Wrong(how) => Some((true, format!("usage: {how}"))),
            _ => None,
        };
        let unknown = (self.price == Price::Unknown).then(|| (false, format!("no price for model {:?}", self.model)));
        let differences = self.differences.iter().map(|difference| (true, difference.clone()));
        differences.chain(wrong).chain(unknown)
    }
}

impl std::fmt::Display for Exception {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}: {}", if self.failed { "FAILED " } else { "" }, self.id, self.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(operation: &str) -> Exchange {
        let line = serde_json::json!({"id": format!("the {operation} one"), "provider": "p", "operation": operation,
            "method": "POST", "path": "/x", "request": {}, "response": {"status": 200}});
        serde_json::from_value(line).unwrap()
    }

    fn verdict(differences: &[&str], usage: Usage, price: Price) -> Verdict {
        let differences = differences.iter().map(|text| (*text).to_owned()).collect();
        Verdict { differences, usage, price, model: "m".to_owned() }
    }

    #[test]
    fn a_row_counts_and_only_differences_and_wrong_usage_fail() {
        let mut report = Report::default();
        report.add(&exchange("chat"), verdict(&[], Usage::Right, Price::Priced));
        report.add(&exchange("chat"), verdict(&[], Usage::NotRecorded, Price::Unknown));
        assert!(report.succeeded());
        report.add(&exchange("other"), verdict(&["a", "b"], Usage::Wrong("c".to_owned()), Price::Nothing));
        assert!(!report.succeeded());
        let text = report.to_markdown();
        assert!(text.contains("| p | chat | 2 | 2 | 1 | 0 | 1 | 1 | 1 |\n"), "{text}");
        assert!(text.contains("| **all** |  | 3 | 2 | 1 | 1 | 1 | 1 | 1 |\n"), "{text}");
        assert!(text.contains("- the chat one: no price for model \"m\"\n"), "{text}");
        assert!(text.contains("- FAILED the other one: usage: c\n"), "{text}");
        assert!(text.ends_with("\n2 passed, 1 failed"), "{text}");
    }

    #[test]
    fn all_but_one_is_not_a_hundred_percent() {
        assert_eq!(percent(9_999, 10_000), "99.9 % (9999/10000)");
        assert_eq!(percent(0, 0), "100.0 % (0/0)");
    }
}
