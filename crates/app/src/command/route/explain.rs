//! `tollgate route explain`: the simulator at a shell.
//!
//! Enters: a request made of flags, or which logged ones. Leaves: each decision with its reasons. Never: decides anything: `the row `tollgate-simulate-route` does.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use serde_json::{Map, Value, json};
use tollgate_model::gateway::DEFAULT_ID;

use super::super::reach::Reach;
use super::super::show;
use super::read;

#[derive(Args, Debug)]
pub(crate) struct Explain {
    /// Name or id of a route; or try a draft with --elements
    #[arg(required_unless_present = "elements", conflicts_with = "elements")]
    route: Option<String>,
    /// JSON file with elements that are not saved
    #[arg(long, value_name = "FILE")]
    elements: Option<PathBuf>,
    /// Another version than the one in force
    #[arg(long, value_name = "ID")]
    version: Option<String>,
    /// The request's metadata, as cf-aig-metadata has it
    #[arg(long, value_name = "JSON")]
    metadata: Option<String>,
    /// The request's body
    #[arg(long, value_name = "JSON")]
    body: Option<String>,
    /// A header of the request; may be given several times
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// This logged request; may be given several times
    #[arg(long = "log", value_name = "ID", conflicts_with_all = ["metadata", "body", "headers", "last"])]
    logs: Vec<String>,
    /// As many logged requests, the newest
    #[arg(long, value_name = "COUNT", conflicts_with_all = ["metadata", "body", "headers"])]
    last: Option<u64>,
    /// Suppose that this element, or provider/model, fails: timeout, rate_limited, server_error, ...
    #[arg(long = "miss", value_name = "TARGET=REASON")]
    misses: Vec<String>,
    /// Suppose that this rate element has no room
    #[arg(long, value_name = "ELEMENT")]
    full: Vec<String>,
    /// Other draws; without it the same request is decided the same way
    #[arg(long)]
    seed: Option<u64>,
    /// The gateway that the route belongs to
    #[arg(long, default_value = DEFAULT_ID)]
    gateway: String,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub(super) fn run(&self, reach: &Reach) -> anyhow::Result<()> {
        let said = reach.result("tollgate-simulate-route", &[("gateway", &self.gateway)], &[], Some(&self.asked()?))?;
        if self.json { show::json(&said) } else { show::text(&story(&said)) }
    }

    fn asked(&self) -> anyhow::Result<Value> {
        let mut asked =
            json!({ "assume": { "misses": pairs(&self.misses, '=', "--miss TARGET=REASON")?, "full": self.full } });
        let elements = self.elements.as_deref().map(read).transpose()?;
        let members = [
            ("route", self.route.clone().map(Value::from)),
            ("elements", elements),
            ("version_id", self.version.clone().map(Value::from)),
            ("seed", self.seed.map(Value::from)),
            ("last", self.last.map(Value::from)),
        ];
        for (name, value) in members {
            asked[name] = value.unwrap_or_default();
        }
        if !self.logs.is_empty() {
            asked["log_ids"] = self.logs.clone().into();
        } else if self.last.is_none() {
            asked["request"] = self.request()?;
        }
        Ok(asked)
    }

    fn request(&self) -> anyhow::Result<Value> {
        let parsed = |what: &str, text: &Option<String>| -> anyhow::Result<Value> {
            let text = text.as_deref().unwrap_or("null");
            serde_json::from_str(text).with_context(|| format!("{what} is not JSON: {text}"))
        };
        Ok(json!({
            "metadata": parsed("--metadata", &self.metadata)?,
            "body": parsed("--body", &self.body)?,
            "headers": pairs(&self.headers, ':', "--header 'NAME: VALUE'")?,
        }))
    }
}

fn pairs(texts: &[String], between: char, form: &str) -> anyhow::Result<Map<String, Value>> {
    let pair = |text: &String| {
        let (name, value) = text.split_once(between).with_context(|| format!("expected {form}, found {text:?}"))?;
        Ok((name.trim().to_owned(), Value::from(value.trim())))
    };
    texts.iter().map(pair).collect()
}

/// One request is told step by step; of many, what was chosen how often, and a line for each.
fn story(said: &Value) -> String {
    let decisions = said["decisions"].as_array().map_or(&[][..], Vec::as_slice);
    let warnings = said["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut story: String = warnings.map(|warning| format!("warning: {warning}\n")).collect();
    match decisions {
        [] => story.push_str("no logged request\n"),
        [one] => story.push_str(&steps(one)),
        many => {
            let counts = said["chosen"].as_object().into_iter().flatten();
            story.extend(counts.map(|(target, count)| format!("{:>6}  {target}\n", count.to_string())));
            story.push('\n');
            story.extend(many.iter().map(line));
        }
    }
    story
}

fn steps(decision: &Value) -> String {
    let visits = decision["visited"].as_array().map_or(&[][..], Vec::as_slice);
    let wide = |name: &str| visits.iter().map(|visit| word(visit, name).chars().count()).max().unwrap_or_default();
    let (elements, kinds, outputs) = (wide("element"), wide("type"), wide("output"));
    let mut story = format!("{}\n", outcome(decision));
    for visit in visits {
        let cells =
            [(word(visit, "element"), elements), (word(visit, "type"), kinds), (word(visit, "output"), outputs)];
        let cells = cells.map(|(cell, wide)| show::pad(cell, wide)).join("  ");
        let why = [word(visit, "target"), word(visit, "why")].into_iter().filter(|part| !part.is_empty());
        story.push_str(format!("  {cells}  {}", why.collect::<Vec<_>>().join(": ")).trim_end());
        story.push('\n');
    }
    if let Some(note) = decision["note"].as_str() {
        story.push_str(&format!("  note: {note}\n"));
    }
    story
}

fn line(decision: &Value) -> String {
    let logged = &decision["logged"];
    format!(
        "{}  {}  (was {}/{})\n",
        word(decision, "log_id"),
        outcome(decision),
        word(logged, "provider"),
        word(logged, "model")
    )
}

fn outcome(decision: &Value) -> String {
    let chosen = &decision["chosen"];
    match chosen.is_null() {
        true => format!("none: {}", word(decision, "stopped")),
        false => format!("{}/{}", word(chosen, "provider"), word(chosen, "model")),
    }
}

fn word<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}
