//! Models and their makers, for `wrangler ai models` and the SDKs' `ai` resource: what the price catalog knows.
//!
//! Enters: searches. Leaves: models under the names that the unified API takes. Never: a task that nobody told us: tasks are an empty list.

use serde_json::{Value, json};
use tollgate_model::price::{ModelPrices, Price};
use tollgate_rules::catalog::Catalog;
use tollgate_wire::provider::ProviderRow;

use crate::answer::Answer;
use crate::call::Call;
use crate::page::{PAGE, PER_PAGE, Paging};
use crate::problem::Problem;
use crate::row::Access::Guarded;
use crate::row::Answers::{One, Page};
use crate::row::{Needs, Row, get};
use crate::shape::Presence::{Optional, Required, RequiredOrNull};
use crate::shape::{Member, Shape};

const PER_PAGE_MAX: u64 = 100;
/// The unit in which prices are told: nano-dollars per million.
const NANOS: f64 = 1e9;

pub(crate) static ROWS: &[Row] = &[
    get(
        "/accounts/{account}/ai/models/search",
        "workers-ai-search-model",
        Guarded(Needs::Token, models),
        Page(&MODEL),
        "Models of the price catalog, by the names that the unified API takes.",
    )
    .query(&[
        PAGE,
        PER_PAGE,
        Member::of("search", Shape::TEXT, Optional, "A piece of the name."),
        Member::of("author", Shape::TEXT, Optional, "A provider, by its name or path segment."),
        Member::of("task", Shape::TEXT, Optional, "Matches nothing: the catalog knows no tasks."),
    ])
    .said("model", "list")
    .columns(&["name", "task"]),
    get(
        "/accounts/{account}/ai/authors/search",
        "workers-ai-search-author",
        Guarded(Needs::Token, authors),
        One(&AUTHORS),
        "Providers with models in the catalog.",
    ),
    get(
        "/accounts/{account}/ai/tasks/search",
        "workers-ai-search-task",
        Guarded(Needs::Token, |_| Ok(Answer::Result(json!([])))),
        One(&AUTHORS),
        "Always empty: the catalog knows no tasks.",
    ),
];

static MODEL: Shape = Shape::Named(
    "Model",
    &Shape::Object(&[
        Member::of("id", Shape::TEXT, Required, "As the unified API takes it."),
        Member::of("name", Shape::TEXT, Required, "The same."),
        Member::of("description", Shape::TEXT, Required, "Whose it is."),
        Member::of("source", Shape::COUNT, Required, "1 for Workers AI, else 2."),
        Member::of("task", Shape::Any, RequiredOrNull, "Null: the catalog knows no tasks."),
        Member::of("tags", Shape::List { of: &Shape::TEXT, max: usize::MAX }, Required, "Other spellings."),
        Member::of(
            "properties",
            Shape::List { of: &Shape::Any, max: usize::MAX },
            Required,
            "`context_window` and `price`.",
        ),
    ]),
);
static AUTHORS: Shape = Shape::List { of: &AUTHOR, max: usize::MAX };
static AUTHOR: Shape = Shape::Object(&[
    Member::of("id", Shape::TEXT, Required, "Path segment of the provider."),
    Member::of("name", Shape::TEXT, Required, "For people."),
    Member::of("description", Shape::TEXT, Required, "Where its manual is."),
]);

fn models(call: &Call) -> Result<Answer, Problem> {
    let mut reader = call.query.reader();
    let paging = Paging::read(&mut reader, PER_PAGE_MAX);
    let search = reader.text("search").map(str::to_lowercase);
    let author = reader.text("author");
    let task = reader.text("task");
    reader.finish()?;
    let now_ms = call.parts.desk.now_ms();
    let catalog = Catalog::builtin();
    let named = |row: &&ProviderRow| author.is_none_or(|author| is_named(row, author));
    let mut rows = Vec::new();
    for provider in known(call, &catalog).filter(named).filter(|_| task.is_none()) {
        let fits = |name: &str| search.as_deref().is_none_or(|text| name.to_lowercase().contains(text));
        let all = catalog.all(provider.segment()).iter().map(|model| (name_of(provider, model), model));
        rows.extend(all.filter(|(name, _)| fits(name)).map(|(name, model)| shown(provider, name, model, now_ms)));
    }
    let total = rows.len() as u64;
    let rows = paging.cut(rows);
    Ok(Answer::Page { info: paging.info(rows.len(), total), rows })
}

fn authors(call: &Call) -> Result<Answer, Problem> {
    let author = |row: &ProviderRow| json!({ "id": row.segment(), "name": row.title(), "description": row.docs() });
    Ok(Answer::Result(known(call, &Catalog::builtin()).map(author).collect()))
}

/// Providers that have models in the catalog.
fn known<'c>(call: &'c Call, catalog: &Catalog) -> impl Iterator<Item = &'c ProviderRow> {
    let priced: Vec<&str> = catalog.providers().collect();
    call.snapshot.providers.all().map(|row| &**row).filter(move |row| priced.contains(&row.segment()))
}

fn is_named(row: &ProviderRow, author: &str) -> bool {
    row.segment().eq_ignore_ascii_case(author) || row.title().eq_ignore_ascii_case(author)
}

/// Workers AI's own names stand by themselves; all others need their provider.
fn name_of(provider: &ProviderRow, model: &ModelPrices) -> String {
    match provider.is_bare(&model.id) {
        true => model.id.clone(),
        false => format!("{}/{}", provider.compat_prefix().unwrap_or(provider.segment()), model.id),
    }
}

fn shown(provider: &ProviderRow, name: String, model: &ModelPrices, now_ms: u64) -> Value {
    let window = model.context_window.map(|size| json!({ "property_id": "context_window", "value": size.to_string() }));
    let standing = |price: &&Price| price.from_ms <= now_ms && price.to_ms.is_none_or(|end| now_ms < end);
    let price =
        model.prices.iter().find(standing).map(|price| json!({ "property_id": "price", "value": prices(price) }));
    let properties: Vec<Value> = [window, price].into_iter().flatten().collect();
    json!({
        "id": name,
        "name": name,
        "description": format!("A model of {}.", provider.title()),
        "source": if provider.is_bare(&model.id) { 1 } else { 2 },
        "task": null,
        "tags": model.aliases,
        "properties": properties
    })
}

fn prices(price: &Price) -> Vec<Value> {
    let rates = [("per M input tokens", price.rates.input), ("per M output tokens", price.rates.output)];
    let shown = |(unit, rate): (&str, Option<u64>)| {
        Some(json!({ "unit": unit, "price": rate? as f64 / NANOS, "currency": "USD" }))
    };
    rates.into_iter().filter_map(shown).collect()
}
