//! Counters for those on call, in the Prometheus text format.
//!
//! Enters: what requests and attempts came to. Leaves: `/metrics`. Never: has a label that a caller can fill with text of their own.

use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use tollgate_model::Record;
use tollgate_model::record::Outcome;

use crate::upstream::{Answered, Miss};

pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    /// The usual ends, found once: looking one up in a family costs a lock and a slow hash.
    usual: [OnceLock<Counter>; 2],
    in_flight: Gauge,
    duration: Histogram,
    tokens: Family<TokenLabels, Counter>,
    tokens_in: OnceLock<Counter>,
    tokens_out: OnceLock<Counter>,
    cost_nanodollars: Counter<u64, AtomicU64>,
    cost_differs: Counter,
    attempts: Family<AttemptLabels, Counter>,
    usual_attempts: OnceLock<Counter>,
    pub(crate) connections: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    status: u16,
    outcome: &'static str,
    cached: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TokenLabels {
    direction: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AttemptLabels {
    result: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("tollgate");
        let buckets = [0.001, 0.005, 0.02, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0];
        let metrics = Self {
            requests: Family::default(),
            usual: Default::default(),
            in_flight: Gauge::default(),
            duration: Histogram::new(buckets),
            tokens: Family::default(),
            tokens_in: OnceLock::new(),
            tokens_out: OnceLock::new(),
            cost_nanodollars: Counter::default(),
            cost_differs: Counter::default(),
            attempts: Family::default(),
            usual_attempts: OnceLock::new(),
            connections: Gauge::default(),
            registry: Registry::default(),
        };
        registry.register("requests", "Requests that ended, by what the caller was told", metrics.requests.clone());
        registry.register("requests_in_flight", "Requests that have not ended", metrics.in_flight.clone());
        registry.register_with_unit(
            "request_duration",
            "From the head of a request to the last byte of its answer",
            Unit::Seconds,
            metrics.duration.clone(),
        );
        registry.register("tokens", "Tokens of answers that were not cached", metrics.tokens.clone());
        registry.register("cost_nanodollars", "Cost of answers whose price is known", metrics.cost_nanodollars.clone());
        registry.register(
            "cost_differs",
            "Answers whose provider says it charged something else than we counted",
            metrics.cost_differs.clone(),
        );
        registry.register("upstream_attempts", "Tries at providers, by how they ended", metrics.attempts.clone());
        registry.register("connections", "Open connections of callers", metrics.connections.clone());
        Self { registry, ..metrics }
    }
}

impl Metrics {
    /// Other rooms register what they count before the engine starts.
    pub fn registry(&mut self) -> &mut Registry {
        &mut self.registry
    }

    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }

    pub(crate) fn begin(&self) {
        self.in_flight.inc();
    }

    pub(crate) fn end(&self, record: &Record) {
        self.in_flight.dec();
        let outcome = match record.outcome {
            Outcome::Complete => "complete",
            Outcome::Truncated => "truncated",
            Outcome::Cancelled => "cancelled",
            Outcome::Refused => "refused",
        };
        let labels = RequestLabels { status: record.status, outcome, cached: record.cached };
        match (record.status, record.outcome) {
            (200, Outcome::Complete) => found(&self.usual[usize::from(record.cached)], &self.requests, &labels).inc(),
            _ => self.requests.get_or_create(&labels).inc(),
        };
        self.duration.observe(record.timings.last_byte_us as f64 / 1e6);
        if let Some(usage) = record.usage.as_ref().filter(|_| !record.cached) {
            found(&self.tokens_in, &self.tokens, &TokenLabels { direction: "in" }).inc_by(usage.tokens_in());
            found(&self.tokens_out, &self.tokens, &TokenLabels { direction: "out" }).inc_by(usage.tokens_out());
        }
        if record.cost_differs() {
            self.cost_differs.inc();
        }
        if let Some(cost) = &record.cost {
            self.cost_nanodollars.inc_by(cost.amount.nanos().max(0).unsigned_abs());
        }
    }

    pub(crate) fn attempt(&self, result: &Result<Answered, Miss>) {
        let result = match result {
            Ok(answered) => match answered.response.status().as_u16() {
                200..=399 => "ok",
                400..=499 => "client_error",
                _ => "server_error",
            },
            Err(miss) => miss.word(),
        };
        let labels = AttemptLabels { result };
        match result {
            "ok" => found(&self.usual_attempts, &self.attempts, &labels).inc(),
            _ => self.attempts.get_or_create(&labels).inc(),
        };
    }
}

/// A family's counter, looked up the first time. It is made when it is needed, so that a series appears with its first event.
fn found<'a, L>(place: &'a OnceLock<Counter>, family: &Family<L, Counter>, labels: &L) -> &'a Counter
where
    L: Clone + std::hash::Hash + Eq,
{
    place.get_or_init(|| family.get_or_create(labels).clone())
}
