//! What the log comes to: facets and histogram over HTTP. Not in the original.
//!
//! Enters: queries. Leaves: counts. Never: shows a record.

use serde_json::{Map, Value, json};
use tollgate_model::Money;
use tollgate_store::records::{Facet, Stretches, Sums};

use super::{catch_up, read_filter};
use crate::answer::Answer;
use crate::call::Call;
use crate::problem::Problem;
use crate::query::Reader;
use crate::shape::{Fault, Member, Presence, Shape};
use crate::time;

const FACETS_MAX: usize = 20;
const VALUES_MAX: u64 = 1_000;
const STRETCHES_DEFAULT: u64 = 60;
const DAY_MS: u64 = 86_400_000;

const NAMES: [(&str, Facet); 9] = [
    ("provider", Facet::Provider),
    ("model", Facet::Model),
    ("path", Facet::Path),
    ("request_type", Facet::RequestType),
    ("model_type", Facet::ModelType),
    ("user_agent", Facet::UserAgent),
    ("status_code", Facet::Status),
    ("success", Facet::Success),
    ("cached", Facet::Cached),
];

pub(super) static COUNTED: Shape = Shape::Named("LogFacets", &Shape::Map(&Shape::List { of: &VALUE, max: usize::MAX }));
static VALUE: Shape = Shape::Object(&[
    Member::of("value", Shape::TEXT, Presence::RequiredOrNull, "Null: the record has none."),
    Member::of("count", Shape::COUNT, Presence::Required, "How many records."),
]);

pub(super) static STRETCH: Shape = Shape::Named(
    "LogStretch",
    &Shape::Object(&[
        Member::of("start", Shape::Time, Presence::Required, "When it begins."),
        Member::of("requests", Shape::COUNT, Presence::Required, "How many records."),
        Member::of("errors", Shape::COUNT, Presence::Required, "Those that did not succeed."),
        Member::of("cached", Shape::COUNT, Presence::Required, "Those answered from the cache."),
        Member::of("tokens_in", Shape::COUNT, Presence::Required, "Sum."),
        Member::of("tokens_out", Shape::COUNT, Presence::Required, "Sum."),
        Member::of("cost", Shape::Number { min: 0.0, max: f64::MAX }, Presence::Required, "Sum, US dollars."),
        Member::of("duration", Shape::COUNT, Presence::Required, "Sum, milliseconds."),
    ]),
);

pub(super) fn facets(call: &Call) -> Result<Answer, Problem> {
    let gateway = call.gateway()?;
    let mut reader = call.query.reader();
    let wanted = wanted(&mut reader);
    let limit = reader.whole("limit", 1, VALUES_MAX).unwrap_or(20) as usize;
    let filter = read_filter(&mut reader, gateway, call.parts.desk.now_ms());
    reader.finish()?;
    catch_up(call);
    let found = call.parts.records.facets(&filter, &wanted, limit)?;
    let mut result = Map::new();
    for (facet, values) in &found.facets {
        let value = |(value, count): &(Option<String>, u64)| json!({ "value": value, "count": count });
        result.insert(name(facet), values.iter().map(value).collect());
    }
    Ok(with_info(result.into(), json!({ "complete": found.complete })))
}

/// `fields=provider,meta.team`; without it those that most people look at.
fn wanted(reader: &mut Reader<'_>) -> Vec<Facet> {
    let text = reader.text("fields").unwrap_or("provider,model,status_code,success,cached");
    let mut wanted = Vec::new();
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        let metadata = word.strip_prefix("meta.").filter(|key| !key.is_empty());
        let named = NAMES.iter().find(|(name, _)| *name == word).map(|(_, facet)| facet.clone());
        match metadata.map(|key| Facet::Metadata(key.to_owned())).or(named) {
            Some(facet) if wanted.len() < FACETS_MAX => wanted.push(facet),
            Some(_) => reader.note(Fault::new(["query", "fields"], format!("At most {FACETS_MAX} fields"))),
            None => {
                let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
                let message = format!("{word:?} is not a field; there are {}, meta.NAME", names.join(", "));
                reader.note(Fault::new(["query", "fields"], message));
            }
        }
    }
    wanted
}

fn name(facet: &Facet) -> String {
    let named = NAMES.iter().find(|(_, each)| each == facet).map(|(name, _)| (*name).to_owned());
    match facet {
        Facet::Metadata(key) => format!("meta.{key}"),
        _ => named.unwrap_or_default(),
    }
}

/// Over the last day, unless the filter says from when or to when.
pub(super) fn histogram(call: &Call) -> Result<Answer, Problem> {
    let gateway = call.gateway()?;
    let mut reader = call.query.reader();
    let now_ms = call.parts.desk.now_ms();
    let count = reader.whole("buckets", 1, u64::from(Stretches::COUNT_MAX)).unwrap_or(STRETCHES_DEFAULT);
    let filter = read_filter(&mut reader, gateway, now_ms);
    reader.finish()?;
    catch_up(call);
    let to_ms = filter.to_ms.unwrap_or(now_ms).max(1);
    // A filter always begins with its gateway: only what somebody said is a beginning.
    let said = filter.from_ms.filter(|from| *from > gateway.settings.created_at);
    let from_ms = said.unwrap_or_else(|| to_ms.saturating_sub(DAY_MS)).min(to_ms);
    let step_ms = (to_ms - from_ms + 1).div_ceil(count).max(1);
    let stretches = Stretches { from_ms, step_ms, count: count as u32 };
    let found = call.parts.records.histogram(&filter, stretches)?;
    let rows: Vec<Value> = found.sums.iter().zip(0..).map(|(sums, at)| stretch(from_ms + step_ms * at, sums)).collect();
    let info = json!({ "count": rows.len(), "step_ms": step_ms, "complete": found.complete });
    Ok(Answer::Page { rows, info })
}

fn stretch(start_ms: u64, sums: &Sums) -> Value {
    json!({
        "start": time::text(start_ms),
        "requests": sums.requests,
        "errors": sums.errors,
        "cached": sums.cached,
        "tokens_in": sums.tokens_in,
        "tokens_out": sums.tokens_out,
        "cost": Money::from_nanos(sums.cost_nanos).as_dollars(),
        "duration": sums.duration_ms
    })
}

fn with_info(result: Value, info: Value) -> Answer {
    Answer::Whole([("result".to_owned(), result), ("result_info".to_owned(), info)].into_iter().collect())
}
