//! Any filter and any order give what a plain walk over all records gives.

use std::cmp::Ordering;
use std::collections::HashMap;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use tollgate_model::record::Rating;
use tollgate_model::{Ids, Record};
use tollgate_store::records::{
    Condition, Facet, Field, Filter, Operator, Order, OrderBy, Page, Patch, Records, Stretches, Sums, Value, Walk,
};

use crate::records_suite::{DAY_MS, MIDNIGHT_MS, append, embedded};
use crate::sample::{Dice, varied};

/// What a field of a record is, or what its several values are.
enum Found {
    Text(Option<String>),
    Number(Option<f64>),
    Flag(bool),
    Several(Vec<String>),
}

fn found(record: &Record, field: &Field) -> Found {
    let usage = record.usage.as_ref();
    let number = |value: Option<u64>| Found::Number(value.map(|value| value as f64));
    let text = |value: Option<&str>| Found::Text(value.map(str::to_owned));
    match field {
        Field::Id => Found::Text(Some(record.id.to_string())),
        Field::EventId => Found::Text(Some(record.event_id.clone().unwrap_or(record.id.to_string()))),
        Field::CreatedAt => number(Some(record.created_ms)),
        Field::RequestContentType => text(record.request_content_type.as_deref()),
        Field::ResponseContentType => text(record.response_content_type.as_deref()),
        Field::RequestType => text(record.request_type.as_deref()),
        Field::ModelType => text(record.model_type.as_deref()),
        Field::Provider => text(Some(&record.provider)),
        Field::Model => text(Some(&record.model)),
        Field::Path => text(Some(&record.path)),
        Field::UserAgent => text(record.user_agent.as_deref()),
        Field::Status => number(Some(record.status.into())),
        Field::Success => Found::Flag(record.success()),
        Field::Cached => Found::Flag(record.cached),
        Field::Authentication => Found::Flag(record.token_id.is_some()),
        Field::Cost => Found::Number(record.cost.as_ref().map(|cost| cost.amount.as_dollars())),
        Field::Tokens => number(usage.map(|usage| usage.total())),
        Field::TokensIn => number(usage.map(|usage| usage.tokens_in())),
        Field::TokensOut => number(usage.map(|usage| usage.tokens_out())),
        Field::Duration => number(Some(record.duration_us() / 1_000)),
        Field::AnyText => Found::Several(texts_of(record)),
        Field::MetadataKey => Found::Several(record.metadata.0.iter().map(|(key, _)| key.clone()).collect()),
        Field::MetadataValue(under) => Found::Several(
            record
                .metadata
                .0
                .iter()
                .filter(|(key, _)| under.as_ref().is_none_or(|under| under == key))
                .map(|(_, value)| value.as_text().into_owned())
                .collect(),
        ),
        Field::Feedback => Found::Number(record.rating.feedback.map(f64::from)),
        Field::Score => Found::Number(record.rating.score),
        Field::DlpAction => Found::Text(None),
        Field::CompatibilityMode => Found::Flag(false),
        Field::Wholesale => Found::Flag(record.wholesale),
        Field::CostDiffers => Found::Flag(record.cost_differs()),
    }
}

fn compares(ordering: Ordering, operator: Operator) -> bool {
    match operator {
        Operator::Eq => ordering.is_eq(),
        Operator::Lt => ordering.is_lt(),
        Operator::Gt => ordering.is_gt(),
        Operator::AtLeast => ordering.is_ge(),
        Operator::AtMost => ordering.is_le(),
        Operator::Contains | Operator::Like | Operator::Neq => false,
    }
}

fn is_like(found: &str, wanted: &str) -> bool {
    match wanted.split_once('*') {
        None => found == wanted,
        Some((start, rest)) => found
            .strip_prefix(start)
            .is_some_and(|tail| (0..=tail.len()).any(|at| tail.is_char_boundary(at) && is_like(&tail[at..], rest))),
    }
}

fn texts_of(record: &Record) -> Vec<String> {
    let texts = [Some(&*record.provider), Some(&*record.model), Some(&*record.path), record.event_id.as_deref()];
    let agent = record.user_agent.as_deref().unwrap_or_default();
    let labels = record.metadata.0.iter().flat_map(|(key, value)| [key.clone(), value.as_text().into_owned()]);
    texts.into_iter().flatten().chain([agent]).map(str::to_owned).chain(labels).collect()
}

fn text_passes(found: &str, operator: Operator, wanted: &str) -> bool {
    let (found, wanted) = (found.to_ascii_lowercase(), wanted.to_ascii_lowercase());
    match operator {
        Operator::Contains => found.contains(&wanted),
        Operator::Like => is_like(&found, &wanted),
        _ => compares(found.cmp(&wanted), operator),
    }
}

fn value_passes(found: &Found, operator: Operator, value: &Value) -> bool {
    match (found, value) {
        (Found::Text(Some(found)), Value::Text(wanted)) => text_passes(found, operator, wanted),
        (Found::Several(all), Value::Text(wanted)) => all.iter().any(|each| text_passes(each, operator, wanted)),
        (Found::Number(Some(found)), Value::Number(wanted)) => compares(found.total_cmp(wanted), operator),
        (Found::Flag(found), Value::Flag(wanted)) => operator == Operator::Eq && found == wanted,
        (Found::Text(None) | Found::Number(None), Value::Null) => operator == Operator::Eq,
        (Found::Several(all), Value::Null) => operator == Operator::Eq && all.is_empty(),
        _ => false,
    }
}

fn passes(record: &Record, condition: &Condition) -> bool {
    let found = found(record, &condition.field);
    let any = |operator, values: &[Value]| values.iter().any(|value| value_passes(&found, operator, value));
    match condition.operator {
        Operator::Neq => !any(Operator::Eq, &condition.values),
        Operator::Eq | Operator::Contains | Operator::Like => any(condition.operator, &condition.values),
        other => any(other, &condition.values[..condition.values.len().min(1)]),
    }
}

fn matches(record: &Record, filter: &Filter) -> bool {
    let searched = |wanted: &str| {
        record.metadata.0.iter().any(|(key, value)| {
            text_passes(key, Operator::Contains, wanted) || text_passes(&value.as_text(), Operator::Contains, wanted)
        })
    };
    filter.gateway.as_deref().is_none_or(|gateway| gateway == &*record.gateway)
        && filter.from_ms.is_none_or(|from| record.created_ms >= from)
        && filter.to_ms.is_none_or(|to| record.created_ms <= to)
        && filter.search.as_deref().is_none_or(searched)
        && filter.conditions.iter().all(|condition| passes(record, condition))
        && !filter.none_of.iter().any(|condition| passes(record, condition))
        && (filter.any_of.is_empty()
            || filter.any_of.iter().any(|set| set.iter().all(|condition| passes(record, condition))))
}

fn ordered(a: &Record, b: &Record, by: OrderBy) -> Ordering {
    let usage = |record: &Record, part: fn(&tollgate_model::Usage) -> u64| record.usage.as_ref().map(part);
    let first = match by {
        OrderBy::CreatedAt => Ordering::Equal,
        OrderBy::Feedback => a.rating.feedback.cmp(&b.rating.feedback),
        OrderBy::Provider => a.provider.cmp(&b.provider),
        OrderBy::Model => a.model.cmp(&b.model),
        OrderBy::ModelType => a.model_type.cmp(&b.model_type),
        OrderBy::Success => a.success().cmp(&b.success()),
        OrderBy::Cached => a.cached.cmp(&b.cached),
        OrderBy::Cost => a.cost.as_ref().map(|cost| cost.amount).cmp(&b.cost.as_ref().map(|cost| cost.amount)),
        OrderBy::TokensIn => usage(a, |usage| usage.tokens_in()).cmp(&usage(b, |usage| usage.tokens_in())),
        OrderBy::TokensOut => usage(a, |usage| usage.tokens_out()).cmp(&usage(b, |usage| usage.tokens_out())),
        OrderBy::Duration => (a.duration_us() / 1_000).cmp(&(b.duration_us() / 1_000)),
    };
    first.then(a.created_ms.cmp(&b.created_ms)).then(a.id.key().cmp(&b.id.key()))
}

fn fields() -> impl Strategy<Value = Field> + Clone {
    use Field::*;
    let under = select(vec!["team", "user", "tries", "absent"]);
    prop_oneof![
        5 => select(vec![Id, EventId, CreatedAt, RequestContentType, ResponseContentType, RequestType, ModelType, Provider, Model, Path,
            UserAgent, Status, Success, Cached, Authentication, Cost, Tokens, TokensIn, TokensOut, Duration, MetadataKey, AnyText, Feedback,
            Score, DlpAction, Wholesale, CostDiffers, CompatibilityMode]),
        1 => under.prop_map(|key| MetadataValue(Some(key.to_owned()))),
        1 => Just(MetadataValue(None)),
    ]
}

/// Values that some records have, and some that none has.
fn values(ids: Vec<String>) -> impl Strategy<Value = Value> + Clone {
    let texts = [
        "openai",
        "ANTHROPIC",
        "google",
        "gpt-5.5",
        "GPT-5.5-MINI",
        "",
        "text-generation",
        "trace-1",
        "RACE",
        "curl",
        "*t-5*",
        "claude*",
        "u?er*",
        "[a-z]*",
        "application/JSON",
        "team",
        "user-1",
        "0.10",
        "0.1",
        "true",
        "null",
        "alpha \"one\"",
        "%",
        "_",
        "' OR 1 --",
        "\u{e9}",
        "0",
        "-7",
    ];
    let texts: Vec<String> = texts.into_iter().map(str::to_owned).chain(ids).collect();
    let numbers =
        vec![0.0, 1.0, 50.0, 0.0001, 0.0005, 0.0009, 3.0, 10.0, 25.0, 60.0, 200.0, 429.0, 1_000.0, 2_500.5, -1.0];
    prop_oneof![
        6 => select(texts).prop_map(Value::Text),
        4 => select(numbers).prop_map(Value::Number),
        1 => (MIDNIGHT_MS..MIDNIGHT_MS + 3 * DAY_MS).prop_map(|ms| Value::Number(ms as f64)),
        2 => any::<bool>().prop_map(Value::Flag),
        1 => Just(Value::Null),
    ]
}

fn filters(ids: Vec<String>) -> impl Strategy<Value = Filter> {
    use Operator::*;
    let operator = select(vec![Eq, Eq, Neq, Contains, Like, Lt, Gt, AtLeast, AtMost]);
    let condition = (fields(), operator, prop::collection::vec(values(ids), 0..4))
        .prop_map(|(field, operator, values)| Condition { field, operator, values });
    let none_of = prop::collection::vec(condition.clone(), 0..2);
    let sets = prop::collection::vec(prop::collection::vec(condition.clone(), 0..3), 0..3);
    let time = || prop::option::weighted(0.3, MIDNIGHT_MS..MIDNIGHT_MS + 3 * DAY_MS);
    let gateway = prop::option::of(select(vec!["default", "other", "nobody"]));
    let search = prop::option::weighted(0.2, select(vec!["ALPHA", "user-", "0.10", "\"", "absent"]));
    (gateway, time(), time(), prop::collection::vec(condition, 0..3), (sets, none_of), search).prop_map(
        |(gateway, from_ms, to_ms, conditions, (any_of, none_of), search)| Filter {
            gateway: gateway.map(str::to_owned),
            from_ms,
            to_ms,
            conditions,
            any_of,
            none_of,
            search: search.map(str::to_owned),
        },
    )
}

fn rate(store: &dyn Records, record: &mut Record, dice: &mut Dice) {
    record.rating = Rating {
        feedback: *dice.pick(&[None, Some(-1), Some(0), Some(1)]),
        score: *dice.pick(&[None, Some(0.0), Some(50.0), Some(99.5)]),
    };
    let Rating { feedback, score } = record.rating;
    let patch = Patch { feedback: Some(feedback), score: Some(score), metadata: None };
    assert!(store.patch(record.id, &patch).unwrap());
}

fn pages() -> impl Strategy<Value = Page> {
    use OrderBy::*;
    let by = select(vec![
        CreatedAt, Provider, Model, ModelType, Success, Cached, Cost, TokensIn, TokensOut, Duration, Feedback,
    ]);
    (by, any::<bool>(), 0..40_u64, 1..30_u32).prop_map(|(by, descending, skip, size)| Page {
        skip,
        size,
        order: Order { by, descending },
        ranges: false,
    })
}

/// Counts by value and by time are those of the records that match.
fn sums_agree(store: &dyn Records, filter: &Filter, expected: &[&Record]) {
    let team = Facet::Metadata("team".to_owned());
    let wanted = [Facet::Provider, Facet::Status, Facet::Success, Facet::ModelType, team];
    let found = store.facets(filter, &wanted, 1_000).unwrap();
    assert!(found.complete);
    for facet in wanted {
        let mut counts: HashMap<Option<String>, u64> = HashMap::new();
        for record in expected {
            let value = match &facet {
                Facet::Provider => Some(record.provider.to_string()),
                Facet::Status => Some(record.status.to_string()),
                Facet::Success => Some(record.success().to_string()),
                Facet::Metadata(key) => match record.metadata.get(key) {
                    Some(value) => Some(value.as_text().into_owned()),
                    None => continue,
                },
                _ => record.model_type.as_deref().map(str::to_owned),
            };
            *counts.entry(value).or_default() += 1;
        }
        let found: HashMap<_, _> = found.facets[&facet].iter().cloned().collect();
        assert_eq!(found, counts, "{facet:?}");
    }
    let stretches = Stretches { from_ms: MIDNIGHT_MS + 500, step_ms: DAY_MS / 7, count: 14 };
    let histogram = store.histogram(filter, stretches).unwrap();
    let mut sums = vec![Sums::default(); 14];
    for record in expected.iter().filter(|record| record.created_ms >= stretches.from_ms) {
        let usage = record.usage.clone().unwrap_or_default();
        let at = ((record.created_ms - stretches.from_ms) / stretches.step_ms) as usize;
        if let Some(sums) = sums.get_mut(at) {
            *sums += Sums {
                requests: 1,
                errors: u64::from(!record.success()),
                cached: u64::from(record.cached),
                tokens_in: usage.tokens_in(),
                tokens_out: usage.tokens_out(),
                cost_nanos: record.cost.as_ref().map_or(0, |cost| cost.amount.nanos()),
                duration_ms: record.duration_us() / 1_000,
            };
        }
    }
    assert_eq!(histogram.sums, sums);
}

/// All that match, bit by bit.
fn walked(store: &dyn Records, filter: &Filter, page: Page) -> Vec<Record> {
    let (mut walk, mut all) = (Walk { behind: None, descending: page.order.descending }, Vec::new());
    loop {
        let part = store.walk(filter, walk, page.size).unwrap();
        assert!(part.complete && part.records.len() <= page.size as usize);
        all.extend(part.records);
        walk.behind = part.next;
        if walk.behind.is_none() {
            return all;
        }
    }
}

#[test]
fn every_filter_and_order_agree_with_a_plain_walk() {
    let (dir, ids, mut dice) = (tempfile::tempdir().unwrap(), Ids::new(), Dice(11));
    let store = embedded(dir.path());
    let mut all: Vec<_> = (0..200).map(|at| varied(&ids, &mut dice, MIDNIGHT_MS + at * DAY_MS / 67)).collect();
    append(&store, &all);
    all.iter_mut().step_by(2).for_each(|record| rate(&store, record, &mut dice));
    let some_ids = all.iter().step_by(40).map(|record| record.id.to_string().to_uppercase()).collect();
    let mut runner = TestRunner::new(Config { cases: 1_000, failure_persistence: None, ..Config::default() });
    let check = |(filter, page): (Filter, Page)| {
        let mut expected: Vec<_> = all.iter().filter(|record| matches(record, &filter)).collect();
        expected.sort_by(|a, b| ordered(a, b, page.order.by));
        if page.order.descending {
            expected.reverse();
        }
        let listed = store.list(&filter, &page).unwrap();
        prop_assert_eq!((listed.total, listed.total_exact), (expected.len() as u64, true));
        let expected: Vec<_> = expected.into_iter().skip(page.skip as usize).take(page.size as usize).collect();
        prop_assert_eq!(listed.records.iter().collect::<Vec<_>>(), expected);
        let mut expected: Vec<_> = all.iter().filter(|record| matches(record, &filter)).collect();
        expected.sort_by_key(|record| (record.created_ms, record.id.key()));
        if page.order.descending {
            expected.reverse();
        }
        let walked = walked(&store, &filter, page);
        sums_agree(&store, &filter, &expected);
        prop_assert_eq!(walked.iter().collect::<Vec<_>>(), expected);
        Ok(())
    };
    runner.run(&(filters(some_ids), pages()), check).unwrap();
}
