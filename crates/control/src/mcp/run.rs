//! Running a tool: its endpoint is called as its row of the table is.
//!
//! Enters: a tool and its arguments. Leaves: one JSON value, or the problem that the endpoint had. Never: reads more than a bounded number of rows.

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::tools::{Gives, Tool};
use crate::answer::Answer;
use crate::authorize::{self, Caller};
use crate::call::{Call, Params};
use crate::problem::Problem;
use crate::query::Query;
use crate::resources::rows;
use crate::row::Access;
use crate::shape::{Step, object_of};

/// Rows of one page of the log, and pages that are added up.
const PER_PAGE: u64 = 50;
const PAGES_MAX: u64 = 100;
/// Of a detail, what decided. Texts of the caller and of the provider are not among them.
const REASONS: &[&str] = &[
    "id",
    "created_at",
    "provider",
    "model",
    "answered_model",
    "path",
    "status_code",
    "success",
    "outcome",
    "refusal",
    "finish",
    "cached",
    "streamed",
    "step",
    "attempts",
    "trace",
    "losses",
    "timings",
    "duration",
    "tokens_in",
    "tokens_out",
    "cost",
    "cost_estimated",
    "custom_cost",
    "cost_lines",
    "reported_cost",
    "cost_differs",
    "guardrails",
    "dlp_action",
];

pub(super) fn run(call: &Call, tool: &Tool, arguments: &Map<String, Value>) -> Result<Value, Problem> {
    let mut faults = Vec::new();
    let taken = object_of(tool.takes, arguments, &mut vec![Step::from("arguments")], &mut faults);
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    match tool.gives {
        Gives::Everything => found(ask(call, tool, &taken)?),
        Gives::Reasons => {
            let detail = found(ask(call, tool, &taken)?)?;
            let kept = REASONS.iter().map(|name| ((*name).to_owned(), detail["result"][*name].clone()));
            Ok(json!({ "result": kept.filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>() }))
        }
        Gives::Costs => costs(call, tool, &taken),
    }
}

/// The endpoint, as if it had been called over HTTP by the same caller.
fn ask(call: &Call, tool: &Tool, taken: &Map<String, Value>) -> Result<Answer, Problem> {
    let row = rows().find(|row| row.op == tool.op).ok_or_else(Problem::no_route)?;
    let Access::Guarded(needs, handler) = row.access else { return Err(Problem::no_route()) };
    let params = Params(params(call, taken));
    let judged = authorize::judge(call.caller.pass.clone(), &call.snapshot, (needs, row), &params)?;
    let caller = Caller { person: call.caller.person.clone(), ..judged };
    let query = Query::parse(&query(taken)).declared(row.query);
    let inner = Call {
        parts: call.parts.clone(),
        snapshot: call.snapshot.clone(),
        caller,
        params,
        query,
        body: Default::default(),
    };
    handler(&inner)
}

fn params(call: &Call, taken: &Map<String, Value>) -> Vec<(String, String)> {
    let mut params = vec![("account".to_owned(), call.account().to_owned())];
    for (argument, segment) in [("gateway_id", "gateway"), ("log_id", "id")] {
        params.extend(taken.get(argument).and_then(Value::as_str).map(|text| (segment.to_owned(), text.to_owned())));
    }
    params
}

fn query(taken: &Map<String, Value>) -> String {
    let others = taken.iter().filter(|(name, _)| !matches!(name.as_str(), "gateway_id" | "log_id"));
    let pair = |(name, value): (&String, &Value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("{name}={}", utf8_percent_encode(&text, NON_ALPHANUMERIC))
    };
    others.map(pair).collect::<Vec<_>>().join("&")
}

/// As one JSON value. A body that is no JSON is told as text.
fn found(answer: Answer) -> Result<Value, Problem> {
    Ok(match answer {
        Answer::Result(result) => json!({ "result": result }),
        Answer::Page { rows, info } => json!({ "result": rows, "result_info": info }),
        Answer::Whole(members) => Value::Object(members),
        Answer::Body { bytes, .. } => {
            let value = serde_json::from_slice(&bytes);
            json!({ "result": value.unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned())) })
        }
        Answer::Plain { text, .. } => json!({ "result": text }),
        // A file of any length is nothing for a model.
        Answer::Download { .. } => return Err(Problem::no_route()),
    })
}

#[derive(Default)]
struct Sum {
    requests: u64,
    errors: u64,
    cached: u64,
    without_cost: u64,
    tokens_in: u64,
    tokens_out: u64,
    cost: f64,
}

fn costs(call: &Call, tool: &Tool, taken: &Map<String, Value>) -> Result<Value, Problem> {
    let mut sums: BTreeMap<(String, String), Sum> = BTreeMap::new();
    let (mut seen, mut total) = (0, 0);
    for page in 1..=PAGES_MAX {
        let mut asked = taken.clone();
        asked.insert("page".to_owned(), page.into());
        asked.insert("per_page".to_owned(), PER_PAGE.into());
        let Answer::Page { rows, info } = ask(call, tool, &asked)? else { break };
        total = info["total_count"].as_u64().unwrap_or(0);
        seen += rows.len() as u64;
        rows.iter().for_each(|row| add(&mut sums, row));
        if (rows.len() as u64) < PER_PAGE {
            break;
        }
    }
    let all: f64 = sums.values().map(|sum| sum.cost).sum();
    Ok(json!({
        "result": { "cost_usd": all, "requests": seen, "by_model": sums.iter().map(shown).collect::<Vec<_>>() },
        // A sum of some is not a sum of all.
        "result_info": { "added_up": seen, "matching": total, "complete": seen >= total }
    }))
}

fn add(sums: &mut BTreeMap<(String, String), Sum>, row: &Value) {
    let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let sum = sums.entry((text("provider"), text("model"))).or_default();
    sum.requests += 1;
    sum.errors += u64::from(row["success"] == false);
    sum.cached += u64::from(row["cached"] == true);
    sum.tokens_in += row["tokens_in"].as_u64().unwrap_or(0);
    sum.tokens_out += row["tokens_out"].as_u64().unwrap_or(0);
    match row["cost"].as_f64() {
        Some(cost) => sum.cost += cost,
        None => sum.without_cost += 1,
    }
}

fn shown(((provider, model), sum): (&(String, String), &Sum)) -> Value {
    json!({
        "provider": provider,
        "model": model,
        "requests": sum.requests,
        "errors": sum.errors,
        "cached": sum.cached,
        "tokens_in": sum.tokens_in,
        "tokens_out": sum.tokens_out,
        "cost_usd": sum.cost,
        "requests_without_known_cost": sum.without_cost
    })
}
