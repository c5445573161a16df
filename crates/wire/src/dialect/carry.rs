//! Opaque carriage: what the form has no place for goes home, or into the ledger.
//!
//! Enters: an origin, extras, the object being written. Leaves: the extras in it when it is in their origin's words; losses otherwise. Never: writes
//! over a member that the form itself has set.

use serde_json::{Map, Value};

use super::Dialect;
use crate::chat::{Block, Extra, LossKind, Losses, Place, Request, Seal, Turn};

/// Why something could not be said, in the words that every dialect uses.
pub(crate) const NO_PLACE: &str = "the target has no such member";
pub(crate) const NOT_ITS_OWN: &str = "only the provider that made it understands it";

const KEPT_ELSEWHERE: &str = "it points at what its own provider's server keeps";

/// Top-level members that mean the same in both of OpenAI's chat dialects.
const OPENAI_SHARED: [&str; 4] = ["metadata", "store", "prompt_cache_retention", "prompt_cache_options"];

/// Members that were half understood, put together again: what the form said stays.
pub(crate) fn rejoin(held: &mut Map<String, Value>, more: &Extra) {
    for (name, value) in more {
        match (held.get_mut(name), value) {
            (Some(Value::Object(held)), Value::Object(more)) => rejoin(held, more),
            (Some(_), _) => {}
            (None, value) => drop(held.insert(name.clone(), value.clone())),
        }
    }
}

/// The top-level members of a request.
pub(crate) fn request(home: Dialect, request: &Request, into: &mut Map<String, Value>, losses: &mut Losses) {
    if request.origin == home {
        return members(home, home, &request.extra, into, |_| {});
    }
    for place in &request.kept {
        losses.add(place.clone(), LossKind::Refused, KEPT_ELSEWHERE);
    }
    let origin = request.origin.chat();
    for (name, value) in &request.extra {
        let place = Place::Extra(name.clone());
        if is_shared(home, request.origin, name) {
            into.entry(name.clone()).or_insert_with(|| value.clone());
        } else if !request.kept.contains(&place) && !origin.is_some_and(|origin| origin.is_moot(name, value)) {
            losses.dropped(place, NO_PLACE);
        }
    }
}

fn is_shared(home: Dialect, origin: Dialect, name: &str) -> bool {
    let openai = |dialect| matches!(dialect, Dialect::OpenaiChat | Dialect::OpenaiResponses);
    openai(home) && openai(origin) && OPENAI_SHARED.contains(&name)
}

pub(crate) fn turn(home: Dialect, origin: Dialect, turn: &Turn, into: &mut Map<String, Value>, losses: &mut Losses) {
    members(home, origin, &turn.extra, into, |name| {
        losses.dropped(Place::Turn(turn.at), format!("{name}: {NO_PLACE}"));
    });
}

/// `at`: where the block stands, for the ledger.
pub(crate) fn block(
    home: Dialect,
    origin: Dialect,
    block: &Block,
    at: &Place,
    into: &mut Map<String, Value>,
    losses: &mut Losses,
) {
    members(home, origin, &block.extra, into, |name| losses.dropped(at.clone(), format!("{name}: {NO_PLACE}")));
}

pub(crate) fn tool(
    home: Dialect,
    origin: Dialect,
    number: usize,
    extra: &Extra,
    into: &mut Map<String, Value>,
    losses: &mut Losses,
) {
    members(home, origin, extra, into, |name| {
        losses.dropped(Place::Tool(number as u32), format!("{name}: {NO_PLACE}"));
    });
}

/// Members of an answer or of one of its choices. Those of another dialect are one loss, by their names.
pub(crate) fn answer(
    home: Dialect,
    origin: Dialect,
    extra: &Extra,
    into: &mut Map<String, Value>,
    losses: &mut Losses,
) {
    let mut names = Vec::new();
    members(home, origin, extra, into, |name| names.push(name.to_owned()));
    names.retain(|name| !origin.chat().is_some_and(|origin| origin.is_moot(name, &extra[name])));
    if !names.is_empty() {
        losses.dropped(Place::Answer("extra"), format!("{}: {NO_PLACE}", names.join(", ")));
    }
}

/// A seal that its own provider will see again; anybody else's is a loss.
pub(crate) fn seal<'a>(home: Dialect, seal: Option<&'a Seal>, at: &Place, losses: &mut Losses) -> Option<&'a Seal> {
    let seal = seal?;
    if seal.origin == home {
        return Some(seal);
    }
    losses.dropped(at.clone(), format!("signature of {}: {NOT_ITS_OWN}", seal.origin.name()));
    None
}

/// Keeps what nobody took from an inner object: as `outer.name`, which is its path for people and its way home.
pub(crate) fn keep_rest(outer: &str, rest: Extra, extra: &mut Extra) {
    extra.extend(rest.into_iter().map(|(name, value)| (format!("{outer}.{name}"), value)));
}

/// The way home of [`keep_rest`]. Never writes over what the form has set.
pub(crate) fn bring_home(extra: &Extra, into: &mut Map<String, Value>) {
    for (name, value) in extra {
        insert_at(into, name, value);
    }
}

fn insert_at(into: &mut Map<String, Value>, path: &str, value: &Value) {
    match path.split_once('.') {
        None => {
            into.entry(path).or_insert_with(|| value.clone());
        }
        Some((outer, inner)) => {
            let entry = into.entry(outer).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(members) = entry {
                insert_at(members, inner, value);
            }
        }
    }
}

fn members(home: Dialect, origin: Dialect, extra: &Extra, into: &mut Map<String, Value>, mut lost: impl FnMut(&str)) {
    for (name, value) in extra {
        if origin != home {
            lost(name);
        } else if !into.contains_key(name) {
            into.insert(name.clone(), value.clone());
        }
    }
}
