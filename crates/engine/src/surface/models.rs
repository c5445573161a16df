//! What models there are, as `GET .../models` lists them.
//!
//! Enters: the catalog and the rows of providers. Leaves: a list in OpenAI's shape, or in Anthropic's for its SDK. Never: asks a provider.
//!
//! The list is what the price catalog knows, by the names of the surface; a model that is not in it can be asked for all the same.

use bytes::Bytes;
use serde_json::{Value, json};
use tollgate_model::price::ModelPrices;
use tollgate_rules::naming::AUTO;
use tollgate_wire::provider::{ProviderRow, Use};

use crate::gate::Gate;
use crate::head::Head;
use crate::stage::admit::Caller;

/// Only Anthropic's SDK sends it, and it reads only Anthropic's shape.
const ANTHROPIC: &str = "anthropic-version";

/// One entry, whatever its shape.
struct Listed {
    id: String,
    owner: String,
    /// Since when a price is known, in Unix seconds; 0 when it has always stood.
    created: u64,
    /// US dollars for one token.
    cost_in: Option<f64>,
    cost_out: Option<f64>,
    context_window: Option<u64>,
}

pub(crate) fn list(gate: &Gate, caller: &Caller, head: &Head) -> Bytes {
    let listed = all(gate, caller, head);
    let body = match head.headers().contains_key(ANTHROPIC) {
        true => anthropic(&listed),
        false => json!({ "object": "list", "data": listed.iter().map(openai).collect::<Vec<_>>() }),
    };
    body.to_string().into()
}

fn all(gate: &Gate, caller: &Caller, head: &Head) -> Vec<Listed> {
    let naming = head.surface().naming();
    let snapshot = &caller.snapshot;
    let mut listed = Vec::new();
    for row in snapshot.providers.all() {
        let models = gate.shared.catalog.all(row.segment()).iter();
        let asked = models.filter(|model| is_asked(row, &model.id) && may_reach(caller, row, &model.id));
        listed.extend(asked.map(|model| of_catalog(naming.prefix(row), row, model)));
    }
    listed.extend(snapshot.aliases.keys().map(|name| Listed::named(name, "alias")));
    let routes = caller.gateway.routes().iter().filter(|route| {
        caller.pass.as_ref().is_none_or(|pass| pass.ask_route(&route.name.name, &route.name.id).is_ok())
    });
    listed.extend(routes.map(|route| Listed::named(&format!("dynamic/{}", route.name.name), "dynamic")));
    listed.push(Listed::named(AUTO, "cloudflare"));
    listed
}

fn is_asked(row: &ProviderRow, model: &str) -> bool {
    [Use::Chat, Use::Embeddings].into_iter().any(|used_for| row.reaches(used_for, model).next().is_some())
}

/// Whether the caller's token is good for it: there is no use in offering what would be refused.
fn may_reach(caller: &Caller, row: &ProviderRow, model: &str) -> bool {
    caller.pass.as_ref().is_none_or(|pass| pass.reach(row.segment(), &[model], false).is_ok())
}

fn of_catalog(prefix: &str, row: &ProviderRow, model: &ModelPrices) -> Listed {
    let price = model.prices.first();
    let dollars = |nanodollars_a_million: u64| nanodollars_a_million as f64 * 1e-15;
    Listed {
        id: format!("{prefix}/{}", model.id),
        owner: row.segment().to_owned(),
        created: price.map_or(0, |price| price.from_ms / 1_000),
        cost_in: price.and_then(|price| price.rates.input).map(dollars),
        cost_out: price.and_then(|price| price.rates.output).map(dollars),
        context_window: model.context_window,
    }
}

impl Listed {
    fn named(id: &str, owner: &str) -> Self {
        let (id, owner) = (id.to_owned(), owner.to_owned());
        Self { id, owner, created: 0, cost_in: None, cost_out: None, context_window: None }
    }
}

/// Clients of the original read `created_at`, those of OpenAI `created`.
fn openai(model: &Listed) -> Value {
    json!({
        "id": model.id,
        "object": "model",
        "created": model.created,
        "created_at": model.created,
        "owned_by": model.owner,
        "cost_in": model.cost_in,
        "cost_out": model.cost_out,
        "context_window": model.context_window,
    })
}

fn anthropic(listed: &[Listed]) -> Value {
    let one = |model: &Listed| json!({ "type": "model", "id": model.id, "display_name": model.id, "created_at": rfc3339(model.created) });
    json!({
        "data": listed.iter().map(one).collect::<Vec<_>>(),
        "has_more": false,
        "first_id": listed.first().map(|model| &model.id),
        "last_id": listed.last().map(|model| &model.id),
    })
}

/// `2026-01-31T00:00:00Z`. Prices begin at midnight.
fn rfc3339(unix_s: u64) -> String {
    // Days since 1 March of the year 0, in eras of 400 years: Howard Hinnant's `civil_from_days`.
    let days = unix_s / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T00:00:00Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_told_as_dates() {
        for (unix_s, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_735_603_200, "2024-12-31T00:00:00Z"),
            (1_772_323_200, "2026-03-01T00:00:00Z"),
        ] {
            assert_eq!(rfc3339(unix_s), expected);
        }
    }
}
