//! Shares out the values of the Python SDK's form: all keys, then all operators, then all values.
//!
//! Enters: the three lists. Leaves: filters. Never: guesses: when the values can be shared out in two ways, it says so.
//!
//! The form does not say where one filter's values end. But most keys take numbers, flags or times, and those take one value each; so in practice
//! there is only one way that fits. All ways are counted (up to two) from left to right; the only one is walked back.

use serde_json::Value as Json;

use super::encoding::{Raw, fault};
use super::{Kind, find_key, typed_text};
use crate::shape::Fault;

/// What a filter can take.
#[derive(Clone, Copy, Debug)]
struct Appetite {
    kind: Kind,
    many: bool,
    none: bool,
}

/// How many ways there are, up to two, to share out the first values to the first filters: with any, and with at least one for the last filter.
#[derive(Clone, Copy, Debug, Default)]
struct Ways {
    any: u8,
    fed: u8,
}

pub(super) fn share_out(dotted: &[(&str, &str)]) -> Result<Vec<Raw>, Fault> {
    let all =
        |wanted: &str| dotted.iter().filter(|(name, _)| *name == wanted).map(|(_, value)| *value).collect::<Vec<_>>();
    let (keys, operators, values) = (all("key"), all("operator"), all("value"));
    if keys.len() != operators.len() {
        return Err(fault(format!("Invalid: {} keys but {} operators", keys.len(), operators.len())));
    }
    if keys.len() > 50 || values.len() > 200 {
        return Err(fault("At most 50 filters with 200 values in all"));
    }
    let counts = if keys.len() == values.len() { vec![1; keys.len()] } else { counts(&keys, &operators, &values)? };
    let mut values = values.into_iter();
    let filters = keys.iter().zip(&operators).zip(counts).map(|((key, operator), count)| Raw {
        key: (*key).to_owned(),
        operator: (*operator).to_owned(),
        values: if count == 0 { vec![Json::Null] } else { values.by_ref().take(count).map(Json::from).collect() },
    });
    Ok(filters.collect())
}

/// How many values each filter takes.
fn counts(keys: &[&str], operators: &[&str], values: &[&str]) -> Result<Vec<usize>, Fault> {
    let dropped = values.len() < keys.len();
    let appetites: Vec<Appetite> =
        keys.iter().zip(operators).map(|(key, operator)| appetite(key, operator, dropped)).collect();
    let ways = ways(&appetites, values);
    match ways[appetites.len()][values.len()].any {
        0 => Err(fault("Invalid: the values do not fit the filters")),
        1 => Ok(walk_back(&appetites, &ways, values.len())),
        _ => Err(fault("Invalid: the values fit the filters in more than one way; send filters as a JSON array")),
    }
}

/// An unknown key takes anything: that it is unknown is told later, with its place.
fn appetite(key: &str, operator: &str, dropped: bool) -> Appetite {
    let (kind, nullable) = find_key(key).map_or((Kind::Text, false), |key| (key.kind, key.nullable));
    Appetite { kind, many: kind == Kind::Text && matches!(operator, "eq" | "neq"), none: dropped && nullable }
}

/// `ways[i][j]`: the first `i` filters take exactly the first `j` values.
fn ways(appetites: &[Appetite], values: &[&str]) -> Vec<Vec<Ways>> {
    let mut ways = vec![vec![Ways::default(); values.len() + 1]; appetites.len() + 1];
    ways[0][0].any = 1;
    for (i, appetite) in appetites.iter().enumerate() {
        for j in 0..=values.len() {
            let mut fed = 0;
            if j > 0 && typed_text(values[j - 1], appetite.kind).is_some() {
                fed = ways[i][j - 1].any + if appetite.many { ways[i + 1][j - 1].fed } else { 0 };
            }
            let unfed = if appetite.none { ways[i][j].any } else { 0 };
            ways[i + 1][j] = Ways { any: (fed + unfed).min(2), fed: fed.min(2) };
        }
    }
    ways
}

/// The only way, from its end.
fn walk_back(appetites: &[Appetite], ways: &[Vec<Ways>], values: usize) -> Vec<usize> {
    let mut counts = vec![0; appetites.len()];
    let mut j = values;
    for i in (0..appetites.len()).rev() {
        if ways[i + 1][j].fed == 0 {
            continue;
        }
        loop {
            counts[i] += 1;
            j -= 1;
            let began = ways[i][j].any > 0;
            if began || j == 0 {
                break;
            }
        }
    }
    counts
}
