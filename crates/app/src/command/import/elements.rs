//! Elements of a route, as the importers need them.
//!
//! Enters: targets. Leaves: elements that lead from one to the next. Never: checks them; applying the file does.

use serde_json::{Map, Value, json};

/// A model element.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) provider: String,
    pub(super) model: String,
    pub(super) timeout_ms: Option<u64>,
    pub(super) weight: Option<f64>,
}

/// Each when the one before failed.
pub(super) fn chain(targets: &[Target]) -> Vec<Value> {
    let mut all = vec![start("m1")];
    all.extend(models(targets, 1));
    all.push(end());
    all
}

/// By shares, then each of `others` when the drawn one failed.
pub(super) fn shared(targets: &[Target], others: &[Target]) -> Vec<Value> {
    if let [_] = targets {
        return chain(&[targets, others].concat());
    }
    let whole: f64 = targets.iter().map(|target| target.weight.unwrap_or(1.0)).sum();
    let mut outputs = Map::new();
    let mut all = Vec::new();
    let first_other = targets.len() + 1;
    for (index, target) in targets.iter().enumerate() {
        let name = match index + 1 == targets.len() {
            true => "else".to_owned(),
            false => format!("{}%", (target.weight.unwrap_or(1.0) / whole * 100.0).round()),
        };
        let id = format!("m{}", index + 1);
        // Two equal shares would be one name: the second takes its part of the rest.
        let name = if outputs.contains_key(&name) { format!("{}.0%", name.trim_end_matches('%')) } else { name };
        outputs.insert(name, id.clone().into());
        let next = if others.is_empty() { None } else { Some(format!("m{first_other}")) };
        all.push(model(&id, target, next.as_deref()));
    }
    all.insert(0, json!({ "id": "draw", "type": "percentage", "outputs": outputs }));
    all.insert(0, start("draw"));
    all.extend(models(others, first_other));
    all.push(end());
    all
}

pub(super) fn start(next: &str) -> Value {
    json!({ "id": "start", "type": "start", "outputs": { "next": next } })
}

pub(super) fn end() -> Value {
    json!({ "id": "end", "type": "end", "outputs": {} })
}

fn models(targets: &[Target], first: usize) -> Vec<Value> {
    let last = targets.len().saturating_sub(1);
    let one = |(index, target): (usize, &Target)| {
        let next = format!("m{}", first + index + 1);
        model(&format!("m{}", first + index), target, (index < last).then_some(next.as_str()))
    };
    targets.iter().enumerate().map(one).collect()
}

pub(super) fn model(id: &str, target: &Target, fallback: Option<&str>) -> Value {
    let mut properties = json!({ "provider": target.provider, "model": target.model });
    if let Some(timeout_ms) = target.timeout_ms {
        properties["timeout"] = timeout_ms.into();
    }
    let mut outputs = json!({ "success": "end" });
    if let Some(fallback) = fallback {
        outputs["fallback"] = fallback.into();
    }
    json!({ "id": id, "type": "model", "properties": properties, "outputs": outputs })
}
