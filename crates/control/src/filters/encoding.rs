//! The wire forms of `filters` (control-plane specification, 4.5).
//!
//! Enters: the pairs of a query string, in order. Leaves: key, operator and values of each filter, as they were sent.
//! Never: knows what a key means, except to share out the values of the grouped form.
//!
//! | form | sent by |
//! |---|---|
//! | `filters=[{...}]` | the `cf` command line, dashboards |
//! | `filters[0][key]=...` | hand-written clients |
//! | `filters.key=a&filters.operator=..&filters.value=..&filters.key=b...` | npm and Go SDKs |
//! | `filters.key=a&filters.key=b&filters.operator=..&...` | Python SDK |

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value as Json;

use super::grouped;
use crate::shape::Fault;

pub(super) const FILTERS_MAX: usize = 50;
const VALUES_MAX: usize = 200;

/// A filter as it was sent. Empty texts: not sent.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Raw {
    pub(super) key: String,
    pub(super) operator: String,
    #[serde(rename = "value", deserialize_with = "one_or_many")]
    pub(super) values: Vec<Json>,
}

type Pair = (String, String);

pub(super) fn decode(pairs: &[Pair]) -> Result<Vec<Raw>, Fault> {
    let raw = decode_any(pairs)?;
    if raw.len() > FILTERS_MAX || raw.iter().map(|filter| filter.values.len()).sum::<usize>() > VALUES_MAX {
        return Err(fault(format!("At most {FILTERS_MAX} filters with {VALUES_MAX} values in all")));
    }
    Ok(raw)
}

fn decode_any(pairs: &[Pair]) -> Result<Vec<Raw>, Fault> {
    let json = pairs.iter().find(|(name, value)| name == "filters" && !value.is_empty());
    if let Some((_, text)) = json {
        return from_json(text);
    }
    if pairs.iter().any(|(name, _)| name.starts_with("filters[")) {
        return from_brackets(pairs);
    }
    let dotted: Vec<(&str, &str)> =
        pairs.iter().filter_map(|(name, value)| Some((name.strip_prefix("filters.")?, value.as_str()))).collect();
    if is_grouped(&dotted) { grouped::share_out(&dotted) } else { from_interleaved(&dotted) }
}

pub(super) fn fault(message: impl Into<String>) -> Fault {
    Fault::new(["query", "filters"], message)
}

fn from_json(text: &str) -> Result<Vec<Raw>, Fault> {
    let many = if text.trim_start().starts_with('{') {
        serde_json::from_str::<Raw>(text).map(|one| vec![one])
    } else {
        serde_json::from_str::<Vec<Raw>>(text)
    };
    many.map_err(|_| fault("Invalid: expected a JSON array of {key, operator, value}"))
}

fn from_brackets(pairs: &[Pair]) -> Result<Vec<Raw>, Fault> {
    let mut by_index: BTreeMap<u32, Raw> = BTreeMap::new();
    for (name, value) in pairs {
        let Some(rest) = name.strip_prefix("filters[") else { continue };
        let parts = rest.split_once(']').and_then(|(index, rest)| Some((index.parse::<u32>().ok()?, rest)));
        let Some((index, member)) = parts else { return Err(fault("Invalid: expected filters[0][key]")) };
        let filter = by_index.entry(index).or_default();
        match member {
            "[key]" => filter.key.clone_from(value),
            "[operator]" => filter.operator.clone_from(value),
            _ if member.starts_with("[value]") => filter.values.push(Json::from(value.as_str())),
            _ => {}
        }
    }
    Ok(by_index.into_values().collect())
}

/// Two keys follow each other without an operator between them.
fn is_grouped(dotted: &[(&str, &str)]) -> bool {
    let mut open = false;
    for (name, _) in dotted {
        match *name {
            "key" if open => return true,
            "key" => open = true,
            "operator" => open = false,
            _ => {}
        }
    }
    false
}

fn from_interleaved(dotted: &[(&str, &str)]) -> Result<Vec<Raw>, Fault> {
    let mut filters: Vec<Raw> = Vec::new();
    for (name, value) in dotted {
        if *name == "key" {
            filters.push(Raw { key: (*value).to_owned(), ..Raw::default() });
            continue;
        }
        let Some(filter) = filters.last_mut() else { return Err(fault("Invalid: a filter begins with its key")) };
        match *name {
            "operator" => filter.operator = (*value).to_owned(),
            "value" => filter.values.push(Json::from(*value)),
            _ => {}
        }
    }
    // The Python SDK leaves nulls out; with a single filter that is the only thing a missing value can mean.
    if let [only] = filters.as_mut_slice()
        && only.values.is_empty()
        && super::find_key(&only.key).is_ok_and(|key| key.nullable)
    {
        only.values.push(Json::Null);
    }
    Ok(filters)
}

fn one_or_many<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<Json>, D::Error> {
    Ok(match Json::deserialize(from)? {
        Json::Array(many) => many,
        one => vec![one],
    })
}
