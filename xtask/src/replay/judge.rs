//! Compares a log record with what the recording says was used.
//!
//! Enters: an exchange and its row of the log, as the API shows it. Leaves: a verdict on usage and on price. Never: reads `wire`'s tables.

use serde_json::Value;

use super::ask::event_id;
use super::counts::{Counts, counts};
use super::documents::documents;
use super::exchange::Exchange;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Usage {
    Right,
    /// The recording has none, and the log has an estimate or nothing.
    NotRecorded,
    Wrong(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Price {
    Priced,
    Unknown,
    /// There is nothing that could cost: an error, a file, a count.
    Nothing,
}

pub(super) fn usage(exchange: &Exchange, row: &Value) -> Usage {
    let recorded = counts(&documents(&exchange.response.message));
    let logged = logged(row);
    let is_estimate = row["usage_metadata"]["estimated"] == true;
    match recorded {
        Some(recorded) if is_estimate => Usage::Wrong(format!("estimated, recorded {recorded}")),
        Some(recorded) if recorded == logged => Usage::Right,
        Some(recorded) => Usage::Wrong(format!("logged {logged}, recorded {recorded}")),
        None if is_estimate || logged == Counts::default() => Usage::NotRecorded,
        None => Usage::Wrong(format!("logged {logged}, recorded nothing")),
    }
}

fn logged(row: &Value) -> Counts {
    let number = |value: &Value| value.as_u64().unwrap_or(0);
    let usage = &row["usage_metadata"];
    Counts {
        input: number(&row["tokens_in"]),
        output: number(&row["tokens_out"]),
        cache_read: number(&usage["input_cached_tokens"]),
        searches: number(&usage["searches"]),
    }
}

/// What was used, counted or estimated, has a price when the catalog knows one.
pub(super) fn price(row: &Value) -> Price {
    match (row["cost"].is_number(), row["usage_metadata"].is_object()) {
        (true, _) => Price::Priced,
        (false, true) => Price::Unknown,
        (false, false) => Price::Nothing,
    }
}

/// What the record should say besides.
pub(super) fn differences(index: usize, exchange: &Exchange, row: &Value) -> Vec<String> {
    let expected = [
        ("event_id", event_id(index).into()),
        ("provider", exchange.provider.as_str().into()),
        ("status_code", exchange.response.status.into()),
        ("success", (exchange.response.status < 400).into()),
    ];
    let different = expected.into_iter().filter(|(name, value): &(&str, Value)| row[*name] != *value);
    let mut differences: Vec<String> =
        different.map(|(name, value)| format!("logged {name} {} instead of {value}", row[name])).collect();
    // A deployment may stand in its place; but something has to.
    if let Some(model) = exchange.model.as_deref().filter(|model| !model.is_empty() && row["model"] == "") {
        differences.push(format!("logged no model, recorded {model}"));
    }
    differences
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} in, {} out, {} from cache", self.input, self.output, self.cache_read)?;
        if self.searches > 0 { write!(f, ", {} searches", self.searches) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn exchange(answer: &str) -> Exchange {
        let line = json!({"id": "a", "provider": "p", "operation": "chat", "method": "POST", "path": "/x", "request": {},
            "response": {"status": 200, "text": answer}});
        serde_json::from_value(line).unwrap()
    }

    fn row(input: u64, output: u64, estimated: bool) -> Value {
        json!({"tokens_in": input, "tokens_out": output, "usage_metadata": {"estimated": estimated}})
    }

    #[test]
    fn a_count_has_to_be_the_recorded_one() {
        let counted = exchange(r#"{"usage":{"prompt_tokens":3,"completion_tokens":2}}"#);
        assert_eq!(usage(&counted, &row(3, 2, false)), Usage::Right);
        for wrong in [row(3, 2, true), row(3, 1, false), row(2, 3, false), json!({"tokens_in": null})] {
            assert!(matches!(usage(&counted, &wrong), Usage::Wrong(_)), "{wrong}");
        }
        let cached =
            json!({"tokens_in": 3, "tokens_out": 2, "usage_metadata": {"estimated": false, "input_cached_tokens": 1}});
        assert!(matches!(usage(&counted, &cached), Usage::Wrong(_)));
    }

    #[test]
    fn what_was_not_counted_may_only_be_estimated() {
        let silent = exchange("{}");
        assert_eq!(usage(&silent, &row(3, 2, true)), Usage::NotRecorded);
        assert_eq!(usage(&silent, &json!({"tokens_in": null})), Usage::NotRecorded);
        assert!(matches!(usage(&silent, &row(3, 2, false)), Usage::Wrong(_)));
    }

    #[test]
    fn a_price_is_known_unknown_or_not_needed() {
        assert_eq!(price(&json!({"cost": 0.5, "usage_metadata": {}})), Price::Priced);
        assert_eq!(price(&json!({"usage_metadata": {}})), Price::Unknown);
        assert_eq!(price(&json!({"tokens_in": null})), Price::Nothing);
    }

    #[test]
    fn a_record_belongs_to_its_exchange() {
        let row = json!({"event_id": "replay-7", "provider": "p", "status_code": 200, "success": true});
        assert!(differences(7, &exchange(""), &row).is_empty());
        assert_eq!(differences(8, &exchange(""), &row).len(), 1);
    }

    #[test]
    fn a_recorded_model_is_logged() {
        let mut exchange = exchange("");
        exchange.model = Some("m".to_owned());
        let row = |model| json!({"event_id": "replay-7", "provider": "p", "status_code": 200, "success": true, "model": model});
        assert!(differences(7, &exchange, &row("deployment")).is_empty());
        assert_eq!(differences(7, &exchange, &row("")), ["logged no model, recorded m"]);
    }
}
