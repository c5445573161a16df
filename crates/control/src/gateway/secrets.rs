//! `***` in a gateway's settings: what it means when somebody sends it back.
//!
//! Enters: the settings before and after, a `***` where answers hide a value. Leaves: the value of before in its place, or a fault. Never: lets a value
//! follow an exporter to another origin: who may edit a URL must not be sent what was meant for the old one.

use serde_json::Value;
use tollgate_model::Gateway;
use tollgate_model::secret::HIDDEN;
use tollgate_wire::provider::Origin;

use crate::shape::{Fault, Step};

/// What becomes of a `***` where no value was ever known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    Refused,
    /// A file holds no values: the member is declared, and waits for its value.
    Declared,
}

/// One value that is hidden, in the settings of before.
enum Known<'a> {
    Same(&'a str),
    /// It is there, for another origin.
    Elsewhere,
    Nowhere,
}

pub(super) fn restore(before: Option<&Gateway>, after: &mut Gateway, unknown: Unknown) -> Vec<Fault> {
    let mut faults = Vec::new();
    let exporters_before = before.and_then(|before| list(before.otel.as_ref())).unwrap_or_default();
    for (index, exporter) in after.otel.as_mut().and_then(Value::as_array_mut).into_iter().flatten().enumerate() {
        let there = Exporters { all: exporters_before, url: exporter["url"].clone() };
        let at = |rest: &[&str]| {
            let begin = [Step::from("body"), Step::from("otel"), Step::Index(index)];
            begin.into_iter().chain(rest.iter().map(|name| Step::from(*name))).collect::<Vec<_>>()
        };
        put(
            exporter.get_mut("authorization"),
            there.find(&["authorization"]),
            unknown,
            at(&["authorization"]),
            &mut faults,
        );
        for (name, value) in exporter.get_mut("headers").and_then(Value::as_object_mut).into_iter().flatten() {
            put(Some(value), there.find(&["headers", name]), unknown, at(&["headers", name]), &mut faults);
        }
    }
    let key = before.and_then(|before| before.stripe.as_ref()?.get("authorization")?.as_str());
    let known = key.map_or(Known::Nowhere, Known::Same);
    let at = ["body", "stripe", "authorization"].map(Step::from).to_vec();
    put(after.stripe.as_mut().and_then(|stripe| stripe.get_mut("authorization")), known, unknown, at, &mut faults);
    faults
}

fn put(value: Option<&mut Value>, known: Known<'_>, unknown: Unknown, at: Vec<Step>, faults: &mut Vec<Fault>) {
    let Some(value) = value.filter(|value| **value == HIDDEN) else { return };
    match known {
        Known::Same(text) => *value = text.into(),
        Known::Nowhere if unknown == Unknown::Declared => {}
        Known::Nowhere => faults.push(Fault { path: at, message: "Invalid: needs its value".to_owned() }),
        Known::Elsewhere => {
            let message = "Invalid: needs its value again, since its URL leads elsewhere now".to_owned();
            faults.push(Fault { path: at, message });
        }
    }
}

struct Exporters<'a> {
    all: &'a [Value],
    url: Value,
}

impl<'a> Exporters<'a> {
    fn find(&self, path: &[&str]) -> Known<'a> {
        let value = |exporter: &'a Value| path.iter().try_fold(exporter, |value, name| value.get(name))?.as_str();
        // Two exporters may share a server: the very same URL counts before another path of its origin.
        let same = self.all.iter().filter(|exporter| exporter["url"] == self.url);
        let near = self.all.iter().filter(|exporter| origin(&exporter["url"]) == origin(&self.url));
        match same.chain(near).find_map(value) {
            Some(text) => Known::Same(text),
            None if self.all.iter().filter_map(value).any(|text| text != HIDDEN) => Known::Elsewhere,
            None => Known::Nowhere,
        }
    }
}

fn list(value: Option<&Value>) -> Option<&[Value]> {
    Some(value?.as_array()?.as_slice())
}

/// What no program would read as a URL is the same only as itself.
fn origin(url: &Value) -> String {
    let text = url.as_str().unwrap_or_default();
    Origin::of_url(text).map_or_else(|_| text.to_owned(), |(origin, _)| origin.text())
}
