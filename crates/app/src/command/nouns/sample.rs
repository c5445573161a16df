//! A line for the help of each verb.
//!
//! Enters: a row. Leaves: the words that its command needs. Never: a word that may be left out.

use serde_json::Value;
use tollgate_control::row::{Row, Verb};
use tollgate_control::shape::{Member, Presence, Shape};

use super::flags::{heading, is_itself, is_secret, members, plain, segments};

/// Arguments of an example: what must be said, and nothing else.
pub(super) fn words(row: &'static Row, verb: &Verb) -> Vec<String> {
    let filled: Value = serde_json::from_str(verb.fills).unwrap_or_default();
    let mut words: Vec<String> = segments(row)
        .filter(|name| is_itself(row, name))
        .map(|name| format!("my-{}", name.replace('_', "-")))
        .collect();
    words.extend(
        segments(row)
            .filter(|name| !is_itself(row, name) && !matches!(*name, "gateway" | "store"))
            .map(|name| format!("--{name} ID")),
    );
    let heading = heading(row);
    words.extend(heading.map(sample_of));
    let needed = members(row).filter(|member| {
        let is_heading = heading.is_some_and(|heading| heading.name == member.name);
        member.presence == Presence::Required
            && !is_heading
            && filled.get(member.name).is_none()
            && !is_secret(member.name)
    });
    if row.method == http::Method::POST {
        words.extend(needed.map(|member| format!("--{} {}", member.name.replace('_', "-"), sample_of(member))));
    }
    words.extend(
        row.query
            .iter()
            .filter(|member| member.presence == Presence::Required)
            .map(|member| format!("--{} {}", member.name.replace('_', "-"), sample_of(member))),
    );
    words
}

fn sample_of(member: &Member) -> String {
    match plain(&member.shape) {
        Shape::Url { .. } => "https://models.example.com/v1".to_owned(),
        Shape::Word(words) => words.first().copied().unwrap_or("x").to_owned(),
        Shape::Whole { min, .. } => (*min).max(10).to_string(),
        Shape::Number { .. } | Shape::Positive => "10".to_owned(),
        Shape::Flag | Shape::Switch => "true".to_owned(),
        Shape::Text { .. } if member.name.ends_with("url") => "https://models.example.com/v1".to_owned(),
        Shape::Text { .. } if member.name == "provider_slug" || member.name == "provider" => "openai".to_owned(),
        Shape::Text { .. } if member.name == "domain" => "ai.example.com".to_owned(),
        Shape::List { of: Shape::Word(words), .. } => words.first().copied().unwrap_or("x").to_owned(),
        Shape::Text { .. } => format!("my-{}", member.name.replace('_', "-")),
        Shape::List { .. } => format!("{}.json", member.name),
        _ => format!("{}.json", member.name),
    }
}
