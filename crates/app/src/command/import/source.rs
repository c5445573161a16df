//! YAML or JSON, with the line of everything.
//!
//! Enters: text. Leaves: values and the lines they stand in. Never: resolves an alias more than once deep: a bomb stays small.

use anyhow::Context;
use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};
use serde_json::Value;

/// JSON is YAML too, so one reader knows the lines of both.
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) what: What,
}

pub(super) enum What {
    One(Value),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

const DEPTH_MAX: usize = 64;

pub(super) fn read(text: &str) -> anyhow::Result<Node> {
    let documents = MarkedYaml::load_from_str(text).map_err(|cause| anyhow::anyhow!("{cause}"))?;
    node(documents.first().context("it is empty")?, 0)
}

fn node(yaml: &MarkedYaml<'_>, depth: usize) -> anyhow::Result<Node> {
    anyhow::ensure!(depth < DEPTH_MAX, "line {}: nested too deep", yaml.span.start.line());
    let what = match &yaml.data {
        YamlData::Value(scalar) => What::One(value(scalar)),
        YamlData::Representation(text, ..) => What::One(text.as_ref().into()),
        YamlData::Sequence(items) => {
            What::List(items.iter().map(|item| node(item, depth + 1)).collect::<Result<_, _>>()?)
        }
        YamlData::Mapping(members) => {
            let member = |(key, value): (&MarkedYaml<'_>, &MarkedYaml<'_>)| {
                let read = node(value, depth + 1)?;
                // The line of its name: a block's value begins on the next one.
                Ok((text(key), Node { line: key.span.start.line(), ..read }))
            };
            What::Map(members.iter().map(member).collect::<anyhow::Result<_>>()?)
        }
        YamlData::Tagged(_, inner) => return node(inner, depth + 1),
        YamlData::Alias(_) | YamlData::BadValue => What::One(Value::Null),
    };
    Ok(Node { line: yaml.span.start.line(), what })
}

fn value(scalar: &Scalar<'_>) -> Value {
    match scalar {
        Scalar::Null => Value::Null,
        Scalar::Boolean(flag) => (*flag).into(),
        Scalar::Integer(number) => (*number).into(),
        Scalar::FloatingPoint(number) => (**number).into(),
        Scalar::String(text) => text.as_ref().into(),
    }
}

fn text(key: &MarkedYaml<'_>) -> String {
    match &key.data {
        YamlData::Value(scalar) => match value(scalar) {
            Value::String(text) => text,
            other => other.to_string(),
        },
        _ => String::new(),
    }
}

// === impl Node ===

impl Node {
    pub(super) fn members(&self) -> &[(String, Node)] {
        if let What::Map(members) = &self.what { members } else { &[] }
    }

    pub(super) fn items(&self) -> &[Node] {
        if let What::List(items) = &self.what { items } else { &[] }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Node> {
        self.members().iter().find(|(each, _)| each == name).map(|(_, node)| node)
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let What::One(Value::String(text)) = &self.what { Some(text) } else { None }
    }

    pub(super) fn number(&self) -> Option<f64> {
        if let What::One(value) = &self.what { value.as_f64() } else { None }
    }

    pub(super) fn json(&self) -> Value {
        match &self.what {
            What::One(value) => value.clone(),
            What::List(items) => items.iter().map(Self::json).collect(),
            What::Map(members) => {
                Value::Object(members.iter().map(|(name, node)| (name.clone(), node.json())).collect())
            }
        }
    }
}
