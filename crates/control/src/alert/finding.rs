//! What is worth telling, found once.
//!
//! Enters: an alert, and what was found. Leaves: an event with a name that is the same whenever the same is found. Never: says it in two ways: the
//! sentence and the data are made from the same values.

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};
use tollgate_model::alert::{Format, Watch};
use tollgate_model::{Alert, BudgetCrossing};

use crate::time;

/// For one alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The same for the same finding, also after a restart: it is told once.
    pub id: String,
    pub alert_id: String,
    pub alert_name: String,
    pub format: Format,
    /// `alert.budget`, `alert.provider_down.resolved`, ...
    pub event: &'static str,
    /// Which budget, session, gateway or provider.
    pub subject: String,
    pub at_ms: u64,
    /// For people.
    pub text: String,
    pub data: Value,
}

// === impl Finding ===

impl Finding {
    /// `mark` tells this time from another, of the same alert, event and subject.
    pub(crate) fn new(alert: &Alert, event: &'static str, subject: &str, mark: &str, at_ms: u64) -> Self {
        let told = [&alert.id, event, subject, mark].join("\u{1f}");
        let id: String =
            digest(&SHA256, told.as_bytes()).as_ref()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        Self {
            id: format!("msg_{id}"),
            alert_id: alert.id.clone(),
            alert_name: alert.name.clone(),
            format: alert.webhook.format,
            event,
            subject: subject.to_owned(),
            at_ms,
            text: String::new(),
            data: Value::Null,
        }
    }

    pub(crate) fn saying(self, text: String, data: Value) -> Self {
        Self { text, data, ..self }
    }

    /// The body of the message, as it is sent at each attempt.
    pub fn payload(&self) -> String {
        if self.format == Format::Slack {
            return json!({ "text": format!("*{}*: {}", self.alert_name, self.text) }).to_string();
        }
        let mut data = json!({
            "alert_id": self.alert_id, "alert_name": self.alert_name, "subject": self.subject, "text": self.text
        });
        if let (Some(data), Some(more)) = (data.as_object_mut(), self.data.as_object()) {
            data.extend(more.clone());
        }
        json!({ "type": self.event, "timestamp": time::text(self.at_ms), "data": data }).to_string()
    }
}

/// For each alert that asks for it.
pub fn of_crossings(alerts: &[Alert], crossings: &[BudgetCrossing]) -> Vec<Finding> {
    let asking = alerts.iter().filter(|alert| alert.enable).filter_map(|alert| match &alert.watch {
        Watch::Budget { thresholds } => Some((alert, thresholds)),
        _ => None,
    });
    asking
        .flat_map(|(alert, thresholds)| crossings.iter().filter_map(|each| of_crossing(alert, thresholds, each)))
        .collect()
}

fn of_crossing(alert: &Alert, thresholds: &[u8], crossing: &BudgetCrossing) -> Option<Finding> {
    if !thresholds.contains(&crossing.percent) || !alert.is_of(&crossing.gateway) {
        return None;
    }
    let BudgetCrossing { gateway, id, bucket, percent, .. } = crossing;
    let kind = crossing.kind.word();
    let subject = [kind, gateway, id, bucket].join("/");
    let mark = format!("{percent} {}", crossing.from_ms);
    let (spent, limit) = (crossing.spent.as_dollars(), crossing.limit.as_dollars());
    let whose = if bucket.is_empty() { String::new() } else { format!(" ({bucket})") };
    let place = if gateway.is_empty() { String::new() } else { format!(" of gateway {gateway}") };
    let text = match crossing.refused {
        true => format!(
            "the budget of {kind} {id}{whose}{place} is used up: a request did not fit, {spent} of {limit} dollars are spent"
        ),
        false => format!("the budget of {kind} {id}{whose}{place} is used to {percent} %: {spent} of {limit} dollars"),
    };
    let data = json!({
        "budget": kind, "gateway_id": gateway, "budget_id": id, "bucket": bucket, "percent": percent,
        "refused": crossing.refused, "spent": spent, "limit": limit,
        "period_from": time::text(crossing.from_ms),
        // A budget that never begins anew has no end.
        "period_until": (crossing.until_ms < FAR_MS).then(|| time::text(crossing.until_ms)),
    });
    Some(Finding::new(alert, "alert.budget", &subject, &mark, crossing.at_ms).saying(text, data))
}

/// The year 3000.
const FAR_MS: u64 = 32_503_680_000_000;
